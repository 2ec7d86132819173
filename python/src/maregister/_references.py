"""References: arguments that are outputs of other nodes."""

import os
import re
from typing import Any, Dict, Mapping, Optional

from maregister import _json, _settings
from maregister._failure import Failure

# As mazectl dag reads them: nothing before, nothing behind. A key may have dots, an id may not.
_REFERENCE = re.compile(r"([A-Za-z0-9_-]+)\.output\.([^\t\n\f\r \[\]/\\]+)(?:\[([0-9]{1,9})\])?\Z")


class Outputs:
    """The outputs of other nodes: those that the scheduler gave, and those on the shared volume."""

    def __init__(self, given: Mapping[str, Mapping[str, Any]], places: _settings.Places) -> None:
        self._given, self._places = given, places
        self._read: Dict[str, Dict[str, Any]] = {}

    def resolve(self, arguments: Mapping[str, Any]) -> Dict[str, Any]:
        """Returns the arguments with values for references: alone, or as items of a list. Failure: one leads to nothing."""
        return {name: self._argument(value) for name, value in arguments.items()}

    def _argument(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._one(item) for item in value]
        return self._one(value)

    def _one(self, value: Any) -> Any:
        match = _REFERENCE.match(value) if isinstance(value, str) else None
        if not match:
            return value
        output = self._output(match[1], match[2])
        if match[3] is None:
            return output
        index = int(match[3])
        if not isinstance(output, list):
            raise Failure("MissingInput", f"{value} has no items: the output {match[2]} of node {match[1]} is no list")
        if index >= len(output):
            raise Failure("MissingInput", f"{value} is not there: the list has {len(output)} items, and the first is [0]")
        return output[index]

    def _output(self, node: str, name: str) -> Any:
        given = self._given.get(node, {})
        if name in given:
            return given[name]
        outputs = self._of_node(node)
        if outputs is None:
            if node not in self._given:
                raise Failure("MissingInput", f"node {node} is not known: neither MAZE_INPUTS has it, nor is MAZE_SHARED set")
            outputs = dict(given)
        if name not in outputs:
            there = ", ".join(sorted({*given, *outputs})) or "none"
            raise Failure("MissingInput", f"node {node} has no output {name}; it has: {there}")
        return outputs[name]

    def _of_node(self, node: str) -> Optional[Dict[str, Any]]:
        """Returns the outputs in a node's result.json; None if there is no shared folder."""
        places = self._places
        if places.shared is None or places.run is None:
            return None
        if node not in self._read:
            self._read[node] = _read_result(os.path.join(places.shared, places.run, node, "result.json"), node)
        return self._read[node]


def _read_result(path: str, node: str) -> Dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            result = _json.loads(file.read())
    except FileNotFoundError:
        raise Failure("MissingInput", f"node {node} has no result: {path} is not there") from None
    except (OSError, ValueError) as error:
        raise Failure("MissingInput", f"the result of node {node} cannot be read: {path}: {error}") from None
    if not isinstance(result, dict) or result.get("format") != 1:
        raise Failure("MissingInput", f"the result of node {node} has another format: {path}")
    outputs = result.get("outputs")
    if result.get("status") != "succeeded" or not isinstance(outputs, dict):
        told = result.get("error")
        kind = told.get("kind") if isinstance(told, dict) else "no reason is told"
        raise Failure("MissingInput", f"node {node} has failed ({kind}), so it has no outputs")
    return outputs
