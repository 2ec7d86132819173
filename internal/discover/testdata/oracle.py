"""What Python itself makes of a tree of modules with tasks: the other side of TestCPython.

    python3 oracle.py ROOT

imports every module below ROOT, with stand-ins for Maze's modules, and prints the tasks as JSON, by name. It shares nothing
with discovery: values are what the interpreter evaluates them to, and types are those that the typing module reports.
"""

import ast
import dataclasses
import importlib
import importlib.abc
import importlib.machinery
import inspect
import json
import math
import os
import pathlib
import sys
import types
import typing
import collections.abc

UNKNOWN = object()

if sys.version_info < (3, 11): # where get_type_hints makes a type Optional for a default of None, even one that has None
    typing._get_defaults = lambda function: {}


# Stand-ins for Maze's modules: any module below these names, each with the decorators and the constants.

PARAMETERS_A = ("name", "description", "input_parameters", "output_parameters", "task_type",
                "cpu_num", "mem", "gpu_mem", "model_name", "backend")


def mark(function, declaration):
    function.declaration = declaration
    return function


def task(*args, **kwargs):
    if len(args) == 1 and not kwargs and inspect.isfunction(args[0]):
        return mark(args[0], ("signature", {}))
    if "inputs" in kwargs or "outputs" in kwargs or (args and isinstance(args[0], (list, tuple))):
        arguments = dict(zip(("inputs", "outputs", "resources", "data_types"), args), **kwargs)
        return lambda function: mark(function, ("lists", arguments))
    if args or set(kwargs) & set(PARAMETERS_A):
        return tool(*args, **kwargs)
    return lambda function: mark(function, ("signature", kwargs))


def tool(*args, **kwargs):
    arguments = dict(zip(PARAMETERS_A, args), **kwargs)
    assert set(arguments) <= set(PARAMETERS_A), arguments
    return lambda function: mark(function, ("explicit", arguments))


def cpu(cpu_num=1, mem=1):
    return lambda function: mark(function, ("scheduler", {"type": "cpu", "cpu": cpu_num, "memory": mem or None}))


def io(mem=1):
    return lambda function: mark(function, ("scheduler", {"type": "io", "cpu": 0, "memory": mem or None}))


def gpu(mem=0, gpu_mem=1, model_name="", backend="huggingface"):
    return lambda function: mark(function, ("scheduler", {
        "type": "gpu", "cpu": 0, "memory": mem or None, "gpuMemory": gpu_mem or None, "modelName": model_name, "backend": backend}))


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname, path=None, target=None):
        if fullname.split(".")[0] in ("maze", "agentos", "agent"):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.__dict__.update(task=task, tool=tool, cpu=cpu, gpu=gpu, io=io, TYPE_FILEPATH="filepath", TYPE_FOLDERPATH="folderpath")
        module.__all__ = ["task", "tool", "cpu", "gpu", "io", "TYPE_FILEPATH", "TYPE_FOLDERPATH"]


# Schemas of types.

SIMPLE = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null", None: "null"}
ARRAYS = (list, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection)
SETS = (set, frozenset, collections.abc.Set)
OBJECTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
REQUIRED = tuple(getattr(typing, name) for name in ("Required", "NotRequired") if hasattr(typing, name))


def schema_of(hint, module, inside=()):
    """Give the JSON Schema of a type, as seen in a module, inside of some classes."""
    if isinstance(hint, typing.ForwardRef):  # typing leaves some within a class that names itself
        hint = eval(hint.__forward_arg__, vars(sys.modules[module]))
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    base = origin or hint
    if isinstance(base, typing.Hashable) and base in SIMPLE:
        return {"type": SIMPLE[base]}
    if hint is typing.Any or hint is object:
        return {}
    if origin is typing.Annotated or origin is typing.Final or origin in REQUIRED:
        return schema_of(args[0], module, inside)
    if origin is typing.Literal:
        return {"enum": list(args)}
    if origin is typing.Union or (hasattr(types, "UnionType") and origin is types.UnionType):
        return union(*(schema_of(arg, module, inside) for arg in args))
    if base in ARRAYS:
        return unless_any({"type": "array"}, "items", args[:1], module, inside)
    if base in SETS:
        return unless_any({"type": "array", "uniqueItems": True}, "items", args[:1], module, inside)
    if base is tuple:
        return schema_of_tuple(args, module, inside)
    if base in OBJECTS:
        return unless_any({"type": "object"}, "additionalProperties", args[1:], module, inside)
    if base is os.PathLike or (inspect.isclass(base) and issubclass(base, pathlib.PurePath)):
        return {"type": "filepath"}
    if is_record(hint, module) and hint not in inside:
        return schema_of_record(hint, module, inside + (hint,))
    return {}


def unless_any(schema, keyword, args, module, inside):
    """Add what the one argument says, if there is one and it says something."""
    inner = schema_of(args[0], module, inside) if args else {}
    return dict(schema, **{keyword: inner}) if inner else schema


def schema_of_tuple(args, module, inside):
    if not args:
        return {"type": "array"}
    if len(args) == 2 and args[1] is Ellipsis:
        return unless_any({"type": "array"}, "items", args[:1], module, inside)
    return {"type": "array", "prefixItems": [schema_of(arg, module, inside) for arg in args], "minItems": len(args), "maxItems": len(args)}


def union(*schemas):
    flat = []
    for schema in schemas:
        for one in schema["anyOf"] if set(schema) == {"anyOf"} else [schema]:
            if not any(same(one, other) for other in flat):
                flat.append(one)
    return flat[0] if len(flat) == 1 else {"anyOf": flat}


def same(a, b):
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def is_typed_dict(hint):
    return inspect.isclass(hint) and issubclass(hint, dict) and hasattr(hint, "__required_keys__")


def is_record(hint, module):
    return inspect.isclass(hint) and hint.__module__ == module and (is_typed_dict(hint) or dataclasses.is_dataclass(hint))


def schema_of_record(cls, module, inside):
    hints = typing.get_type_hints(cls, include_extras=True)
    properties, required = {}, []
    if is_typed_dict(cls):
        for name, hint in hints.items():
            properties[name] = schema_of(hint, module, inside)
            needed = name in cls.__required_keys__
            if REQUIRED and typing.get_origin(hint) in REQUIRED: # not seen by the class itself where annotations are not evaluated
                needed = typing.get_origin(hint) is REQUIRED[0]
            if needed:
                required.append(name)
    else:
        for field in dataclasses.fields(cls):
            properties[field.name] = with_default(schema_of(hints[field.name], module, inside), field.default, dataclasses.MISSING)
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                required.append(field.name)
    return objects(properties, required)


def objects(properties, required, closed=False):
    schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    if closed:
        schema["additionalProperties"] = False
    return schema


def has_null(schema):
    return schema == {} or schema.get("type") == "null" or None in schema.get("enum", ()) or any(map(has_null, schema.get("anyOf", ())))


def with_default(schema, default, missing):
    if default is missing:
        return schema
    default = plain(default)
    if default is UNKNOWN:
        return schema
    if default is None and not has_null(schema):
        schema = union(schema, {"type": "null"})
    return dict(schema, default=default) if fits(default, schema) else schema


def fits(value, schema):
    """Say whether a value is of a schema's type, whatever is within it."""
    if "anyOf" in schema:
        return any(fits(value, option) for option in schema["anyOf"])
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return {
        "string": isinstance(value, str), "filepath": isinstance(value, str), "boolean": isinstance(value, bool), "null": value is None,
        "array": isinstance(value, list), "object": isinstance(value, dict), "number": number, "integer": number and value == int(value),
    }.get(schema.get("type"), True)


def plain(value):
    """Give a value as JSON has it, with the names of JSON Schema for Python's types; UNKNOWN if JSON has no such value."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else UNKNOWN
    if isinstance(value, (list, tuple)):
        values = [plain(one) for one in value]
        return UNKNOWN if UNKNOWN in values else values
    if isinstance(value, dict):
        values = {key: plain(one) for key, one in value.items()}
        return UNKNOWN if UNKNOWN in values.values() or not all(isinstance(key, str) for key in values) else values
    if inspect.isclass(value):
        return schema_of(value, None).get("type", UNKNOWN)
    return UNKNOWN


# Tasks.

def parameters(function, unannotated, data_types=None):
    hints = typing.get_type_hints(function, include_extras=True)
    properties, required = {}, []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            continue
        if name in (data_types or {}):
            schema = text_schema(data_types[name], function)
        elif parameter.annotation is parameter.empty:
            schema = unannotated
        else:
            schema = schema_of(hints[name], function.__module__)
        properties[name] = with_default(schema, parameter.default, parameter.empty)
        if parameter.default is parameter.empty:
            required.append(name)
    return objects(properties, required, closed=not inspect.signature(function).parameters)


def text_schema(text, function):
    if text == "any":
        return {}
    if text == "file" or text.startswith("file:"):
        return {"type": "filepath"}
    scope = dict(vars(typing), **vars(sys.modules[function.__module__]))
    return schema_of(eval(text, scope), function.__module__)


def output_of(function):
    hint = typing.get_type_hints(function).get("return")
    return schema_of(hint, function.__module__) if is_record(hint, function.__module__) else None


def returned_keys(function, tree):
    """Give the keys of the dict literals that a function returns; None where Maze's decorator raises an error, or each call does."""
    if inspect.isgeneratorfunction(inspect.unwrap(function)) or inspect.isasyncgenfunction(inspect.unwrap(function)):
        return None
    line = inspect.unwrap(function).__code__.co_firstlineno
    node = next(n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))
                and min([n.lineno] + [d.lineno for d in n.decorator_list]) == line)
    returns = []

    class Returns(ast.NodeVisitor):
        def skip(self, node):
            pass

        visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = skip

        def visit_Return(self, node):
            returns.append(node.value)

    for statement in node.body:
        Returns().visit(statement)
    keys = {}
    for value in returns:
        if value is None:
            continue
        if not isinstance(value, ast.Dict):
            return None
        for key in value.keys:
            if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                return None
            keys[key.value] = None
    return list(keys) or None


def resources(kind, cpu, memory, gpu_memory, model_name=None, backend=None):
    return {"type": kind, "cpu": cpu, "memory": memory or None, "gpuMemory": (gpu_memory or None) if kind == "gpu" else None,
            "modelName": model_name or "", "backend": backend or ""}


def describe(function, tree):
    form, given = function.declaration
    meta = {"name": function.__name__, "description": inspect.getdoc(function) or ""}
    if form == "explicit":
        meta["name"] = given["name"]
        if given.get("description") is not None:
            meta["description"] = given["description"]
        declared = given.get("input_parameters"), given.get("output_parameters")
        meta["input_parameters"] = parameters(function, {}) if declared[0] is None else plain(declared[0])
        meta["output_parameters"] = output_of(function) if declared[1] is None else plain(declared[1])
        meta["resources"] = resources(given.get("task_type", "cpu"), given.get("cpu_num", 1), given.get("mem", 1024), given.get("gpu_mem", 0),
                                      given.get("model_name"), given.get("backend", "huggingface"))
    elif form == "scheduler":
        meta.update(input_parameters=parameters(function, {}), output_parameters=output_of(function),
                    resources=dict({"gpuMemory": None, "modelName": "", "backend": ""}, **given))
    else:
        wanted, data_types = given.get("resources") or {}, given.get("data_types") or {}
        kind = "gpu" if wanted.get("gpu_mem", 0) > 0 or wanted.get("gpu", 0) > 0 else "cpu"
        if given.get("task_kind"):
            kind = given["task_kind"].strip().lower()
        meta["resources"] = resources(kind, max(1, wanted.get("cpu_num", wanted.get("cpu", 1))), wanted.get("cpu_mem"), wanted.get("gpu_mem"))
        if form == "lists":
            typed = [{n: text_schema(data_types.get(n, "str"), function) for n in given.get(names) or []} for names in ("inputs", "outputs")]
            meta.update(input_parameters=objects(typed[0], list(typed[0]), closed=not typed[0]), output_parameters=objects(typed[1], []))
        else:
            keys = returned_keys(function, tree)
            if keys is None:
                return None
            outputs = objects({k: text_schema(data_types.get(k, "any"), function) for k in keys}, [])
            meta.update(input_parameters=parameters(function, {"type": "string"}, data_types), output_parameters=outputs)
    return meta


def tasks_of(module):
    """Give the tasks that are attributes of a module and were made in it, in the order of their places."""
    with open(module.__file__, "rb") as file:
        tree = ast.parse(file.read())
    found = {}
    for name, value in vars(module).items():
        if not inspect.isfunction(value) or not hasattr(value, "declaration") or value.__module__ != module.__name__ or value.__name__ != name:
            continue
        line = inspect.unwrap(value).__code__.co_firstlineno
        meta = describe(value, tree)
        if meta is not None:
            found[line] = dict(meta, line=line, entryPoint=module.__name__ + ":" + name)
    return [found[line] for line in sorted(found)]


def main(root):
    sys.dont_write_bytecode = True
    sys.meta_path.insert(0, StandIns())
    sys.path.insert(0, root)
    files = sorted(path.relative_to(root).as_posix() for path in pathlib.Path(root).rglob("*.py"))
    tasks = {}
    for file in files:
        for forget in typing._cleanups: # or two modules share Optional["Record"], which means another class in each
            forget()
        parts = file[:-len(".py")].split("/")
        module = importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
        for meta in tasks_of(module):
            tasks[meta["name"]] = dict(meta, file=file)
    json.dump(tasks, sys.stdout, ensure_ascii=True, allow_nan=False)


if __name__ == "__main__":
    main(sys.argv[1])
