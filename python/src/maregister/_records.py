"""What a run leaves: result.json, and the message that the kubelet keeps."""

import hashlib
import os
import sys
import threading
import uuid
from dataclasses import dataclass
from typing import Any, Dict, Optional

from maregister import _json, _settings
from maregister._failure import Failure

Record = Dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """How a run ended: with outputs, or with a failure."""

    outputs: Optional[Dict[str, Any]] = None
    failure: Optional[Failure] = None

    @property
    def code(self) -> int:
        """Returns the exit code."""
        return self.failure.code if self.failure else 0

    def head(self) -> Record:
        """Returns the part that both records have."""
        return {"format": 1, "status": "failed" if self.failure else "succeeded"}


class Recorder:
    """Writes the records of one run, once."""

    def __init__(self, places: _settings.Places) -> None:
        self.places = places
        # about has what is known of the run: task, entryPoint, startedAt, durationSeconds.
        self.about: Record = {}
        self._lock = threading.Lock()
        self._written: Optional[int] = None

    def write(self, outcome: Outcome) -> int:
        """Writes both records, and returns the exit code. What comes second, from another thread, writes nothing."""
        with self._lock:
            if self._written is None:
                self._written = self._write(outcome)
            return self._written

    def _write(self, outcome: Outcome) -> int:
        content = self._result(outcome)
        if self.places.result is not None:
            try:
                if self.places.folder is not None and os.path.dirname(self.places.result) == self.places.folder:
                    os.makedirs(self.places.folder, exist_ok=True)
                _replace(self.places.result, content)
            except OSError as error:
                say(f"WriteFailed: {self.places.result}: {error.strerror}")
                if outcome.failure is None:
                    outcome = Outcome(failure=Failure("WriteFailed", f"the result was not written to {self.places.result}: {error.strerror}"))
                    content = None
        elif outcome.failure is None:
            content = None
        _write_message(self.places, message(outcome, content, self.places.termination_max))
        return outcome.code

    def _result(self, outcome: Outcome) -> Any:
        known = {"task": self.about.get("task"), "run": self.places.run, "node": self.places.node}
        record = {"format": 1, **{name: value for name, value in known.items() if value is not None}, "status": outcome.head()["status"]}
        if outcome.failure:
            record["error"] = outcome.failure.error()
        else:
            record["outputs"] = outcome.outputs
        if self.about.get("entryPoint"):
            record["entryPoint"] = self.about["entryPoint"]
        record["exitCode"] = outcome.code
        record["startedAt"], record["durationSeconds"] = self.about["startedAt"], self.about["durationSeconds"]()
        return _json.dumps(record)


def _replace(path: str, content: bytes) -> None:
    """Writes a file as a whole: at each moment there is the old one, or the new one."""
    folder = os.path.dirname(path)
    temporary = os.path.join(folder, f".{os.path.basename(path)}.{uuid.uuid4().hex}")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        raise


def message(outcome: Outcome, result: Optional[bytes], most: int) -> bytes:
    """Returns the short form of a result, of at most some bytes. result is the content of result.json, None if there is none."""
    record: Record = {**outcome.head(), "exitCode": outcome.code}
    if outcome.failure:
        return _failed(record, outcome.failure.error(), most)
    outputs = outcome.outputs or {}
    whole = _json.dumps({**record, "outputs": outputs})
    if len(whole) <= most:
        return whole
    if result is not None:
        record.update(bytes=len(result), sha256=hashlib.sha256(result).hexdigest())
    return _shortened(record, outputs, most)


def _failed(record: Record, error: Record, most: int) -> bytes:
    """Returns the message of a failure, with as much of its text as there is room for."""
    text = error["message"]
    while True:
        content = _json.dumps({**record, "error": {**error, "message": text}})
        if len(content) <= most:
            return content
        if not text:
            return _json.dumps(record)
        text = text[: len(text) // 2]


def _shortened(record: Record, outputs: Dict[str, Any], most: int) -> bytes:
    """Returns the message with as many outputs as there is room for, the smallest first, and the names of the others."""
    tail = {name: record.pop(name) for name in ("bytes", "sha256") if name in record}
    sizes = {name: len(_json.dumps({name: value})) for name, value in outputs.items()}
    order = sorted(outputs, key=lambda name: (sizes[name], name))

    def attempt(kept: int, named: int) -> bytes:
        chosen = set(order[:kept])
        omitted = [name for name in outputs if name not in chosen][:named]
        return _json.dumps({**record, "outputs": {n: v for n, v in outputs.items() if n in chosen}, "omitted": omitted, **tail})

    for named in (len(outputs), 0):
        low, high = 0, len(order)
        while low < high:  # more outputs take more room, but for those whose names alone are as long
            middle = (low + high + 1) // 2
            low, high = (middle, high) if len(attempt(middle, named)) <= most else (low, middle - 1)
        content = attempt(low, named)
        if len(content) <= most:
            return content
    return _json.dumps(record)


def _write_message(places: _settings.Places, content: bytes) -> None:
    """Writes the message into the file that the kubelet has made, and nowhere else."""
    try:
        with os.fdopen(os.open(places.termination_log, os.O_WRONLY | os.O_TRUNC), "wb") as file:
            file.write(content)
    except FileNotFoundError:
        return
    except OSError as error:
        say(f"the termination message was not written to {places.termination_log}: {error.strerror}")


def say(text: str) -> None:
    """Writes a line to stderr."""
    try:
        sys.stderr.write(f"maregister: {text}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass  # closed by the task


def show(outputs: Optional[Dict[str, Any]]) -> None:
    """Writes outputs to stdout, as a line of JSON."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(_json.dumps(outputs) + b"\n")
    except (OSError, ValueError, AttributeError):
        pass  # closed by the task, or by who reads it
