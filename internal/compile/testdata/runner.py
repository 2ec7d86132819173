"""Runs workflows in maze.workflow/v1 as Maze does, as far as docs/dag.md tells what Maze does with them.

    python3 runner.py FOLDER < workflows > results

Each line of the standard input is a workflow, as JSON. Each line of the standard output tells of each node, by its id: "outputs", or "error"
with "kind", "type" and "message"; of a node that never ran, null. FOLDER is for files. It restates what was seen of Maze at commit
5643670 for the tests of mazectl dag compile, and takes the standard library alone. All nodes run in one process, as in one of Maze's workers.
"""

import ast
import json
import os
import pickle
import re
import shutil
import sys
import traceback

ID = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")
KEPT = ("__maze_metrics__", "__maze_invocation_task__")


class Refused(Exception):
    """What Maze's API answers to a workflow."""


def normalised_input(value):
    """Returns where an input comes from: ("from_task", reference), ("from_user", value), or None if nothing is passed."""
    if not isinstance(value, dict) or not {"from", "value", "data_type"} & set(value):
        return "from_user", value
    schema = value.get("input_schema")
    if schema == "from_task" or schema is None and "from" in value:
        return "from_task", str(value.get("value") or value.get("from"))
    if schema not in (None, "from_user"):
        raise Refused(f"this runner has no inputs of the run: {value}")
    return ("from_user", value.get("value")) if value.get("has_value", "value" in value) else None


def normalised_edge(edge):
    """Returns an edge as source, output, target and input."""
    if "from" in edge and "to" in edge:
        ends = [part for end in (edge["from"], edge["to"]) for part in end.split(".")]
        if len(ends) != 4:
            raise Refused(f"an edge is written node.port: {edge}")
        return ends
    names = (("source", "source_task_id"), ("source_output", "output"), ("target", "target_task_id"), ("target_input", "input"))
    ends = [str(next((edge[name] for name in options if edge.get(name)), "")) for options in names]
    if "" in ends:
        raise Refused(f"an edge says which output feeds which input: {edge}")
    return ends


class Node:
    def __init__(self, spec):
        self.id = str(spec.get("id") or "").strip()
        if not ID.fullmatch(self.id):
            raise Refused(f"no id: {self.id!r}")
        self.code = spec.get("code_str") or spec.get("code")
        if not self.code:
            raise Refused(f"node {self.id} requires code_str/code or code_ser")
        self.outputs = [output if isinstance(output, str) else output["name"] for output in spec.get("outputs") or ()]
        if not self.outputs or len(set(self.outputs)) < len(self.outputs) or not isinstance(spec["outputs"], list):
            raise Refused(f"node {self.id} has no outputs, or one twice")
        if not isinstance(spec.get("inputs", {}), dict):
            raise Refused(f"the inputs of node {self.id} are no object")
        self.inputs = {name: normalised_input(value) for name, value in spec.get("inputs", {}).items()}
        self.before = []
        self.check_resources(spec)

    def check_resources(self, spec):
        resources, kind = spec.get("resources") or {}, spec.get("task_kind") or "cpu"
        memory = resources.get("gpu_mem") or 0
        if kind not in ("cpu", "gpu", "io") or (kind != "gpu" and memory):
            raise Refused(f"node {self.id} is {kind}, with {memory} MiB of GPU memory")
        cores = resources.get("cpu_num", 1)
        if cores != int(cores) or cores < 1:
            raise Refused(f"node {self.id} asks for {cores} cores")
        self.never_scheduled = kind == "gpu" and memory <= 0


def accepted(payload):
    """Returns the nodes of a workflow by id, or raises Refused."""
    if not isinstance(payload.get("nodes"), list) or not payload["nodes"]:
        raise Refused("no nodes")
    nodes = {}
    for spec in payload["nodes"]:
        node = Node(spec)
        if node.id in nodes:
            raise Refused(f"two nodes are called {node.id}")
        nodes[node.id] = node
    for edge in payload.get("edges") or ():
        source, output, target, name = normalised_edge(edge)
        if source not in nodes or target not in nodes or output not in nodes[source].outputs:
            raise Refused(f"an edge leads from or to nothing: {edge}")
        existing, reference = nodes[target].inputs.get(name), f"{source}.output.{output}"
        if existing and existing[0] == "from_user" or existing and existing[1] not in (reference, f"{source}.{output}"):
            raise Refused(f"input {name} of node {target} has two values")
        nodes[target].inputs[name] = ("from_task", reference)
        nodes[target].before.append(source)
    return nodes


def in_order(nodes):
    """Returns the nodes so that each comes after those that edges lead from; nothing else orders nodes."""
    done, left = [], list(nodes.values())
    while left:
        ready = [node for node in left if all(nodes[before] in done for before in node.before)]
        if not ready:
            raise Refused("the edges lead in a circle")
        done += ready
        left = [node for node in left if node not in ready]
    return done


def function_of(code):
    """Returns the function that Maze runs: the first def from the top down, once all imports have run. All else of the code is nothing."""
    tree, namespace = ast.parse(code), {}
    definition = None
    for node in ast.walk(tree):  # breadth first
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            run_alone(node, namespace)
        elif isinstance(node, ast.FunctionDef) and definition is None:
            definition = node
    if definition is None:
        raise ValueError("None disallowed in statement list")
    run_alone(definition, namespace)
    return namespace[definition.name]


def run_alone(statement, namespace):
    exec(compile(ast.Module(body=[statement], type_ignores=[]), "<maze>", "exec"), namespace)


def resolved(node, results):
    """Returns the arguments of a node, by name. A reference that does not have three parts is cut there; a missing output is None."""
    given = {}
    for name, found in node.inputs.items():
        if found is None:
            continue
        source, value = found
        if source == "from_task":
            parts = value.split(".")
            value = results[parts[0]].get(parts[2])  # IndexError: it was written node.output
            value = pickle.loads(pickle.dumps(value))
        given[name] = value
    return given


def call(node, given):
    """Returns what a node returns, as Maze hands it on."""
    result = function_of(node.code)(**given)
    if not isinstance(result, dict):
        raise TypeError(f"the function returns {type(result).__name__}, and Maze takes only a dict")
    result = pickle.loads(pickle.dumps(dict(result)))
    return {name: value for name, value in result.items() if name not in KEPT}


def kind_of(error):
    """Returns the kind of an error: what says so is a lack of resources, which Maze repeats."""
    return "resource_insufficient" if "CUDA out of memory" in str(error) else "user_code"


class Files:
    """The files of a run with a workspace: each node works in a folder of its own, and finds what its direct parents changed."""

    def __init__(self, folder, workspace):
        self.folder, self.workspace, self.changed = folder, workspace, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.chdir(self.folder)
        os.environ.pop("MAZE_WORK_DIR", None)

    def enter(self, node):
        if self.workspace is None:
            return
        work = os.path.join(self.folder, node.id)
        os.makedirs(work)
        shared = os.path.join(self.workspace, "files")
        for source in [shared] * os.path.isdir(shared) + [self.changed[before] for before in node.before]:
            shutil.copytree(source, work, dirs_exist_ok=True)
        self.before = {path: os.stat(path).st_mtime_ns for path in files_below(work)}
        os.chdir(work)
        os.environ["MAZE_WORK_DIR"] = work

    def leave(self, node):
        """Keeps what a node changed. Its folder is gone after that: an absolute path leads nowhere."""
        if self.workspace is None:
            return
        work, kept = os.path.join(self.folder, node.id), os.path.join(self.folder, node.id + ".changed")
        os.makedirs(kept)
        for path in files_below(work):
            if self.before.get(path) != os.stat(path).st_mtime_ns:
                target = os.path.join(kept, os.path.relpath(path, work))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy2(path, target)
        self.changed[node.id] = kept
        os.chdir(self.folder)
        shutil.rmtree(work)


def files_below(folder):
    return [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]


def run(payload, folder):
    """Returns what became of each node."""
    order = in_order(accepted(payload))
    results, told = {}, {node.id: None for node in order}
    os.makedirs(folder)
    with Files(folder, (payload.get("run") or {}).get("workspace_dir")) as files:
        for node in order:
            if node.never_scheduled or any(before not in results for before in node.before):
                continue
            files.enter(node)
            try:
                results[node.id] = call(node, resolved(node, results))
                told[node.id] = {"outputs": results[node.id]}
            except Exception as error:  # SystemExit and the like end the worker
                told[node.id] = {"error": {"kind": kind_of(error), "type": f"{type(error).__module__}.{type(error).__qualname__}", "message": str(error)}}
                if os.environ.get("RUNNER_TRACEBACKS"):
                    traceback.print_exc()
            files.leave(node)
    return told


def main():
    folder = os.path.abspath(sys.argv[1])
    sys.stdin.reconfigure(encoding="utf-8")
    results, sys.stdout = sys.stdout, sys.stderr  # what tasks print is no result
    for number, line in enumerate(sys.stdin):
        try:
            told = run(json.loads(line), os.path.join(folder, str(number)))
        except Refused as refused:
            told = {"refused": str(refused)}
        print(json.dumps(told), file=results, flush=True)


if __name__ == "__main__":
    main()
