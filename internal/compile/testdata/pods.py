"""Runs workflows of Maze's description as a scheduler with Pods does: each node by the executor, with the outputs of others over a folder.

    python3 pods.py FOLDER < workflows > results

Each line of the standard input is a workflow, as JSON, and each line of the standard output tells of each node what runner.py tells; "kind" is the
executor's. Paths among outputs are told relative to the node's folder. The first few nodes are run by the command, all others in a child that
has imported the package already, which takes a tenth of the time. FOLDER is shared; MAZE_REGISTRY has the tasks.
"""

import json
import os
import subprocess
import sys

import asyncio  # noqa: F401 - so that children need not import it

from maregister import _command, _references

BY_COMMAND = 20


def references(value):
    """Yields the nodes that an argument refers to."""
    for one in value if isinstance(value, list) else [value]:
        match = isinstance(one, str) and _references._REFERENCE.match(one)
        if match:
            yield match[1]


def waits(workflow):
    """Returns the nodes that each node waits for."""
    before = {node["id"]: [found for value in node.get("args", {}).values() for found in references(value)] for node in workflow["nodes"]}
    for edge in workflow.get("edges", ()):
        before[edge["target"]].append(edge["source"])
    return before


ran = 0


def run_node(node, variables):
    """Runs a node with the executor, and returns the exit code."""
    global ran
    ran += 1
    sys.stdout.flush()
    if ran <= BY_COMMAND:
        command = [sys.executable, "-m", "maregister", "run", node["func"]]
        return subprocess.run(command, env={**os.environ, **variables}, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
    child = os.fork()
    if child == 0:
        os.environ.update(variables)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        os.dup2(null, 2)
        code = 1
        try:
            code = _command.main(["run", node["func"]])
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def relative(value, work):
    if isinstance(value, str) and value.startswith(work + os.sep):
        return os.path.relpath(value, work)
    if isinstance(value, list):
        return [relative(item, work) for item in value]
    if isinstance(value, dict):
        return {name: relative(member, work) for name, member in value.items()}
    return value


def run(workflow, shared, name):
    told, before = {node["id"]: None for node in workflow["nodes"]}, waits(workflow)
    left = list(workflow["nodes"])
    while left:
        ready = [node for node in left if all((told[one] or {}).get("outputs") is not None for one in before[node["id"]])]
        if not ready:
            break
        left = [node for node in left if node not in ready]
        for node in ready:
            variables = {"MAZE_SHARED": shared, "MAZE_RUN": name, "MAZE_NODE": node["id"], "MAZE_ARGS": json.dumps(node.get("args", {})), "MAZE_GRACE": "1"}
            code = run_node(node, variables)
            folder = os.path.join(shared, name, node["id"])
            with open(os.path.join(folder, "result.json"), encoding="utf-8") as file:
                result = json.load(file)
            if (code == 0) != (result["status"] == "succeeded"):
                sys.exit(f"exit code {code}, and {result}")
            told[node["id"]] = {"outputs": relative(result["outputs"], os.path.join(folder, "work"))} if code == 0 else {"error": result["error"]}
    return told


def main():
    shared = os.path.abspath(sys.argv[1])
    sys.stdin.reconfigure(encoding="utf-8")
    for number, line in enumerate(sys.stdin):
        print(json.dumps(run(json.loads(line), shared, str(number))), flush=True)


if __name__ == "__main__":
    main()
