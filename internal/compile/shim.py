# The code of a compiled node. Maze runs the function alone, in a namespace of its own, and each import of it first: so only the standard
# library is imported by statements. PLAN stands for a JSON text, which shim.go describes; what is above the function is left out.

def maze_task(**given):
    import collections.abc, dataclasses, datetime, enum, importlib, inspect, json, math, os, pathlib, sys, typing, uuid

    def taken(source):
        if "items" in source:
            return [taken(item) for item in source["items"]]
        if "input" not in source:
            return source["value"]
        value, index = given[source["input"]], source.get("item")
        if index is None:
            return value
        if not isinstance(value, (list, tuple)) or len(value) <= index:
            raise LookupError(f"{source['input']}: the output has no item [{index}]")
        return value[index]

    def annotated(value, hint):
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        base = origin or hint
        union = origin is typing.Union or type(hint).__name__ == "UnionType"
        if isinstance(value, str):
            for option in () if union and str in args else args if union else (hint,):
                kind = typing.get_origin(option) or option
                if inspect.isclass(kind) and issubclass(kind, pathlib.PurePath):
                    return kind(value)
                if kind is os.PathLike:
                    return pathlib.Path(value)
        elif union:
            matching = [arg for arg in args if (typing.get_origin(arg) or arg) in (list, dict, tuple)]
            return annotated(value, matching[0]) if len(matching) == 1 else value
        elif isinstance(value, list) and args and inspect.isclass(base):
            if base is tuple and args[1:] != (Ellipsis,):
                return [annotated(item, arg) for item, arg in zip(value, args)] + value[len(args) :]
            if issubclass(base, collections.abc.Iterable):
                return [annotated(item, args[0]) for item in value]
        elif isinstance(value, dict) and len(args) == 2 and inspect.isclass(base) and issubclass(base, collections.abc.Mapping):
            return {name: annotated(member, args[1]) for name, member in value.items()}
        return value

    def plain(value, at="the result", depth=0):
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, enum.Enum):
            return plain(value.value, at, depth)
        if isinstance(value, (str, pathlib.PurePath, uuid.UUID)):
            value = str.__str__(value) if isinstance(value, str) else str(value)
            value.encode()
            return value
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float) and math.isfinite(value):
            return float(value)
        if isinstance(value, (datetime.date, datetime.time)):
            return value.isoformat()
        if depth < 100 and not isinstance(value, (float, type)):
            if dataclasses.is_dataclass(value):
                value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
            elif isinstance(value, tuple) and hasattr(value, "_asdict"):
                value = value._asdict()
            if isinstance(value, collections.abc.Mapping):
                members = {name.value if isinstance(name, enum.Enum) else name: member for name, member in value.items()}
                if all(isinstance(name, str) for name in members):
                    return {plain(name, at): plain(member, f"{at}/{name}", depth + 1) for name, member in members.items()}
                raise TypeError(f"{at} is a dict with a key that is no str: make its keys strings")
            if isinstance(value, (list, tuple)):
                return [plain(item, f"{at}/{i}", depth + 1) for i, item in enumerate(value)]
            if callable(getattr(value, "model_dump", None)):
                return plain(value.model_dump(), at, depth + 1)
            if getattr(value, "shape", None) is not None and tuple(value.shape) == () and callable(getattr(value, "item", None)):
                return plain(value.item(), at, depth + 1)
        raise TypeError(f"{at} is {value!r:.80}, which is no JSON: return a dict, list, str, int, float, bool or None")

    def relative(value, place):
        if not place:
            for folder in (work, os.path.realpath(work)):
                if isinstance(value, str) and os.path.normpath(value).startswith(folder.rstrip(os.sep) + os.sep):
                    return os.path.relpath(os.path.normpath(value), folder)
        elif isinstance(value, dict):
            return {name: relative(member, place[1:]) if place[0] in (None, name) else member for name, member in value.items()}
        elif isinstance(value, list):
            return [relative(item, place[1:]) if place[0] in (None, i) else item for i, item in enumerate(value)]
        return value

    plan = json.loads(PLAN)
    sys.path[:0] = [folder for folder in plan["path"] if folder not in sys.path]
    arguments = {name: taken(source) for name, source in plan["arguments"]}
    before = os.environ.get("MAZE_MODEL_NAME")
    try:
        if plan["model"] is not None:
            os.environ["MAZE_MODEL_NAME"] = plan["model"]
        module, names = plan["function"].split(":")
        function = importlib.import_module(module)
        for name in names.split("."):
            function = getattr(function, name)
        function = getattr(getattr(function, "_maze_task_metadata", None), "func", None) or function
        try:
            hints = typing.get_type_hints(function)
        except Exception:
            hints = {}
        result = function(**{name: annotated(value, hints.get(name)) for name, value in arguments.items()})
        if inspect.isawaitable(result):

            async def awaited():
                return await result

            result = importlib.import_module("asyncio").run(awaited())
    except SystemExit as error:
        raise RuntimeError(f"the task ended the process: SystemExit({error.code!r})") from None
    finally:
        if before is not None:
            os.environ["MAZE_MODEL_NAME"] = before
        elif plan["model"] is not None:
            del os.environ["MAZE_MODEL_NAME"]
    result, only = {} if result is None else plain(result), plan["only"] if result is not None else None
    if only is not None and not (isinstance(result, dict) and only in result):
        result = {only: result}
    if not isinstance(result, dict):
        raise TypeError(f"the task returns {type(result).__name__}: return a dict of outputs by name")
    missing = [name for name in plan["needed"] if name not in result]
    if missing:
        raise ValueError(f"the task does not return its output {', '.join(missing)}, which is needed: return it")
    work = os.environ.get("MAZE_WORK_DIR")
    for place in plan["paths"] if work else ():
        result = relative(result, place)
    for name in plan["none"]:
        result.setdefault(name, None)
    return result
