"""Says of workflows whether Maze refuses them when they are submitted, by the table of docs/dag.md.

Each line of the standard input is a workflow in maze.workflow/v1, as JSON. Each line of the standard output has the numbers of the
rows of the table that the workflow breaks, or "accepted". It restates Maze's rules at commit 5643670 for the tests of mazectl dag,
and takes the standard library alone. Like the table, it takes a workflow without "run"."inputs" for a template, whose inputs come
when it is submitted.
"""

import json
import re
import sys
import urllib.parse
import uuid

KINDS = ("cpu", "gpu", "io")
ID = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")


class Broken(Exception):
    """A row of the table that a workflow breaks."""


def attempt(convert, value, row):
    """Returns the result of a conversion; whatever it raises breaks the row."""
    try:
        return convert(value)
    except (TypeError, ValueError, OverflowError):
        raise Broken(row) from None


def mapping(value, row, empty=True):
    """Returns an object; of what counts as false an empty one, unless that is not allowed."""
    if isinstance(value, dict):
        return value
    if empty and not value:
        return {}
    raise Broken(row)


def tags(value):
    if value is not None and not (isinstance(value, list) and all(isinstance(tag, str) for tag in value)):
        raise Broken("R14")


def whole(value, default):
    """int(float(value)), or the default for what is no number; infinity is an error."""
    try:
        return int(float(value))
    except (TypeError, ValueError):
        return default


def given(value, *names):
    return next((value[name] for name in names if value.get(name) is not None), None)


def chosen(value, *names):
    return next((value[name] for name in names if value.get(name)), None)


def code(node):
    if not node.get("code_str", node.get("code")) and not node.get("code_ser"):
        raise Broken("R5")


def outputs(node):
    """Returns the declared names."""
    declared = node.get("outputs")
    if not isinstance(declared, list) or not declared:
        raise Broken("R6")
    names = []
    for output in declared:
        if not isinstance(output, (str, dict)):
            raise Broken("R6")
        name = output if isinstance(output, str) else str(chosen(output, "name", "key") or "")
        if not name or name in names:
            raise Broken("R6")
        names.append(name)
    return names


def resources(node):
    wanted, anchor = mapping(node.get("resources"), "R7"), mapping(node.get("model_anchor"), "R7")

    def amount(default, *names):
        value = given(wanted, *names)
        return default if value is None else attempt(lambda v: whole(v, default), value, "R7")

    amounts = amount(1, "cpu_num", "cpu"), amount(0, "io_num"), amount(0, "gpu_mem", "gpu_memory_mb")
    if min(amounts) < 0:
        raise Broken("R7")
    memory = amounts[2]
    estimate = chosen(anchor, "estimated_gpu_mem_mb", "gpu_mem", "gpu_memory_mb")
    size = chosen(anchor, "estimated_weight_memory_bytes", "weight_bytes")
    for value in (estimate,) if estimate else (size,) if size else ():
        number = attempt(float, value, "R7")
        attempt(int, number, "R7")
        memory = max(memory, number)
    kind = node.get("task_kind")
    if kind is not None:
        kind = str(kind).strip().lower()
        if kind not in KINDS:
            raise Broken("R8")
        if kind != "gpu" and (memory > 0 or anchor.get("local_model")):
            raise Broken("R8")


def settings(node):
    if node.get("max_retries") is not None:
        attempt(int, node["max_retries"], "R9")
    attempt(float, node.get("retry_backoff_seconds") or 0, "R9")
    if node.get("timeout_seconds") is not None:
        attempt(float, node["timeout_seconds"], "R9")
    if node.get("retry_on") is not None and not isinstance(node["retry_on"], list):
        raise Broken("R9")
    mapping(node.get("metadata"), "R9")


def run_keys(value):
    """Returns the inputs of the run that a value mentions."""
    if isinstance(value, dict) and "__maze_run_input__" in value:
        if value["__maze_run_input__"] is not True or set(value) != {"__maze_run_input__", "key"}:
            raise Broken("R10")
        if not isinstance(value["key"], str) or not value["key"]:
            raise Broken("R10")
        return [value["key"]]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [key for item in inner for key in run_keys(item)]


def inputs(node):
    """Returns the inputs by name: where each comes from, and what it has."""
    found = {}
    for name, value in mapping(node.get("inputs"), "R4").items():
        if not isinstance(value, dict) or not {"from", "value", "data_type"} & set(value):
            found[name] = ("user", True)
            continue
        schema = value.get("input_schema")
        if schema == "from_run":
            keys = run_keys(value.get("value"))
            if not keys:
                raise Broken("R10")
            found[name] = ("run", keys)
        elif schema == "from_task":
            found[name] = ("task", str(chosen(value, "value", "from") or ""))
        elif schema == "from_user":
            found[name] = ("user", bool(value.get("has_value", "value" in value)))
        elif "from" in value:
            found[name] = ("task", str(value["from"]))
        else:
            found[name] = ("user", "value" in value)
    return found


def edge_ends(edge):
    mapping(edge, "R11", empty=False)
    if "from" in edge and "to" in edge:
        ends = []
        for field in ("from", "to"):
            parts = str(edge[field]).split(".")
            if len(parts) != 2 or not all(parts):
                raise Broken("R11")
            ends += parts
        return ends
    source = chosen(edge, "source", "source_task_id"), chosen(edge, "source_output", "output")
    target = chosen(edge, "target", "target_task_id"), chosen(edge, "target_input", "input")
    return [str(end or "") for end in source + target]


def edges(workflow, nodes):
    """Adds to the inputs what edges bring, and looks for circles."""
    listed = workflow.get("edges") or []
    if not isinstance(listed, list):
        raise Broken("R11")
    ends = [edge_ends(edge) for edge in listed]
    after = {name: set() for name in nodes}
    for source, output, target, parameter in ends:
        if source not in nodes or target not in nodes:
            raise Broken("R11")
        if not output or not parameter or output not in nodes[source]["outputs"]:
            raise Broken("R11")
        after[source].add(target)
    remaining = dict(after)
    while remaining:
        free = [name for name in remaining if not any(name in targets for targets in remaining.values())]
        if not free:
            raise Broken("R12")
        for name in free:
            del remaining[name]
    for source, output, target, parameter in ends:
        existing = nodes[target]["inputs"].get(parameter)
        reference = f"{source}.output.{output}"
        if existing == ("user", True):
            raise Broken("R13")
        if existing and existing[0] == "task" and existing[1] not in (reference, f"{source}.{output}"):
            raise Broken("R13")
        nodes[target]["inputs"][parameter] = ("task", reference)


def files(context):
    if context is None or context == "" or context == []:
        return
    if not isinstance(context, dict):
        raise Broken("R16")
    enabled, folder = context.get("enabled"), context.get("workspace_dir")
    store = context.get("artifact_store", {})
    if "enabled" in context and not isinstance(enabled, bool) or not isinstance(store, dict):
        raise Broken("R16")
    if enabled and not (isinstance(folder, str) and folder.strip()):
        raise Broken("R16")
    if folder is not None and not isinstance(folder, str):
        raise Broken("R16")
    if not isinstance(context.get("task_node_ids") or {}, dict) or context.get("task_node_ids") in ([], "", 0, False):
        raise Broken("R16")
    root = store.get("root")
    if root is not None and not (isinstance(root, str) and root.strip()):
        raise Broken("R16")
    if "base_url" in store:
        address = attempt(urllib.parse.urlsplit, store["base_url"] if isinstance(store["base_url"], str) else "", "R16")
        if address.scheme not in ("http", "https") or not address.hostname:
            raise Broken("R16")


def run(workflow):
    settings_of_run = mapping(workflow.get("run"), "R14")
    tags(workflow.get("tags"))
    tags(settings_of_run.get("tags"))
    mapping(workflow.get("metadata"), "R14")
    mapping(settings_of_run.get("metadata"), "R14")
    if settings_of_run.get("timeout_seconds") is not None:
        attempt(float, settings_of_run["timeout_seconds"], "R14")
    if not isinstance(settings_of_run.get("artifact_mode", True), bool):
        raise Broken("R14")
    name = workflow.get("workflow_id")
    if name is not None and not (isinstance(name, str) and name and name == name.strip()):
        raise Broken("R15")
    if "run_id" in settings_of_run:
        value = settings_of_run["run_id"]
        if not isinstance(value, str) or str(attempt(uuid.UUID, value, "R15")) != value:
            raise Broken("R15")
    if {"idempotency_key", "idempotency_fingerprint"} & set(settings_of_run):
        raise Broken("R15")
    files(settings_of_run.get("file_context"))
    folder = chosen(settings_of_run, "workspace_dir", "workspace")
    if settings_of_run.get("file_context") is None and folder is not None and not str(folder).strip():
        raise Broken("R16")
    if settings_of_run.get("inputs") is not None and not isinstance(settings_of_run["inputs"], dict):
        raise Broken("R18")


def contract(workflow, nodes):
    runtime, constants = {}, []
    declared = workflow.get("input_contract")
    if declared is not None:
        mapping(declared, "R17", empty=False)
        runtime, constants = declared.get("runtime"), declared.get("constants")
        if not isinstance(runtime, dict) or not isinstance(constants, list) or not all(isinstance(c, str) for c in constants):
            raise Broken("R17")
        if len(set(constants)) != len(constants) or set(constants) & set(runtime):
            raise Broken("R17")
        for spec in runtime.values():
            required = isinstance(spec, dict) and spec.get("required")
            if not isinstance(required, bool) or not isinstance(spec, dict):
                raise Broken("R17")
            if set(spec) != ({"required"} if required else {"required", "default"}):
                raise Broken("R17")
    keys = {key for node in nodes.values() for source, has in node["inputs"].values() if source == "run" for key in has}
    if keys != set(runtime):
        raise Broken("R18")
    values = (workflow.get("run") or {}).get("inputs")
    if values is None:
        return
    if set(values) - set(runtime) or any(spec["required"] and key not in values for key, spec in runtime.items()):
        raise Broken("R18")


def finals(value, nodes):
    if isinstance(value, dict) and "__maze_output_ref__" in value:
        if value["__maze_output_ref__"] is not True or set(value) != {"__maze_output_ref__", "task_id", "output_key"}:
            raise Broken("R19")
        if not isinstance(value["task_id"], str) or value["task_id"] not in nodes:
            raise Broken("R19")
        if not isinstance(value["output_key"], str) or value["output_key"] not in nodes[value["task_id"]]["outputs"]:
            raise Broken("R19")
        return
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        finals(item, nodes)


def judge(workflow):
    listed = workflow.get("nodes")
    if not isinstance(listed, list) or not listed:
        raise Broken("R1")
    nodes = {}
    for node in listed:
        mapping(node, "R1", empty=False)
        name = str(node.get("id") or "").strip()
        if not ID.fullmatch(name):
            raise Broken("R2")
        if name in nodes:
            raise Broken("R3")
        if str(node.get("type") or "code") not in ("code", "python_task", "task"):
            raise Broken("R4")
        code(node)
        nodes[name] = {"outputs": outputs(node), "inputs": inputs(node)}
        resources(node)
        settings(node)
    edges(workflow, nodes)
    run(workflow)
    contract(workflow, nodes)
    finals(workflow.get("final_output_refs"), nodes)


for line in sys.stdin:
    try:
        judge(json.loads(line))
        print("accepted")
    except Broken as broken:
        print(broken)
