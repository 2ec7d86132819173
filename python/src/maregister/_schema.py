"""Schemas as they are declared, and as the operator normalises them: JSON Schema 2020-12 of an object."""

import copy
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple
from urllib.parse import unquote

Schema = Dict[str, Any]

# What the names of types stand for: the type in JSON Schema, None for any, and a format.
_TYPES: Dict[str, Tuple[Optional[str], Optional[str]]] = {
    **{name: (name, None) for name in ("array", "boolean", "integer", "null", "number", "object", "string")},
    "filepath": ("string", "filepath"),
    "folderpath": ("string", "folderpath"),
    "Any": (None, None),
    "any": (None, None),
    "None": ("null", None),
    "NoneType": ("null", None),
    "bool": ("boolean", None),
    "dict": ("object", None),
    "float": ("number", None),
    "int": ("integer", None),
    "list": ("array", None),
    "str": ("string", None),
    "tuple": ("array", None),
}

# The keywords that hold schemas: one, a list, or a map by name.
_ONE = (
    "not", "if", "then", "else", "additionalProperties", "unevaluatedProperties", "propertyNames", "items", "additionalItems",
    "unevaluatedItems", "contains", "contentSchema",
)  # fmt: skip
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS = ("$defs", "definitions", "dependentSchemas", "dependencies", "properties", "patternProperties")


def _is_text_or_list(value: Any) -> bool:
    return isinstance(value, (str, list))


def _is_schema(value: Any) -> bool:
    return isinstance(value, (dict, bool))


# The members that make a document a full schema and no map of name to property schema, if their value fits.
_FULL: Dict[str, Callable[[Any], bool]] = {
    "type": _is_text_or_list,
    "properties": lambda value: isinstance(value, dict) and not _is_text_or_list(value.get("type")),
    **dict.fromkeys(("required", "allOf", "anyOf", "oneOf"), lambda value: isinstance(value, list)),
    **dict.fromkeys(("additionalProperties", "patternProperties", "propertyNames", "unevaluatedProperties"), _is_schema),
}


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# What the values of keywords have to be, for those that are looked into.
_SHAPES: Dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(_ONE, _is_schema),
    **dict.fromkeys(_LISTS, lambda value: isinstance(value, list) and all(map(_is_schema, value))),
    **dict.fromkeys(_MAPS, lambda value: isinstance(value, dict) and all(_is_schema(one) or _is_names(one) for one in value.values())),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"), _is_number),
    **dict.fromkeys(("minItems", "maxItems", "minContains", "maxContains", "minProperties", "maxProperties"), _is_number),
    **dict.fromkeys(("$ref", "$dynamicRef", "$anchor", "$dynamicAnchor", "format"), lambda value: isinstance(value, str)),
    "required": _is_names,
    "dependentRequired": lambda value: isinstance(value, dict) and all(map(_is_names, value.values())),
    "enum": lambda value: isinstance(value, list),
}


def normalise(declared: Any) -> Schema:
    """Returns a full schema with JSON Schema's own types, of a full schema or a map of name to property schema.

    Keywords of older drafts stay as they are: the operator translates them, and the validator leaves them open.

    ValueError: it is neither. What the operator refuses besides is not looked for.
    """
    if declared is None:
        declared = {}
    if not isinstance(declared, dict):
        raise ValueError("parameters are declared by an object")
    root = copy.deepcopy(declared)
    if root and not any(name.startswith("$") or (name in _FULL and _FULL[name](value)) for name, value in root.items()):
        for name, value in root.items():
            if not isinstance(value, (dict, bool, str)):
                raise ValueError(f"the parameter {name} is declared by no schema")
        root = {"type": "object", "properties": {name: {"type": v} if isinstance(v, str) else v for name, v in root.items()}}
    for schema in every(root):
        for keyword, value in schema.items():
            if keyword in _SHAPES and not _SHAPES[keyword](value):
                raise ValueError(f"the keyword {keyword} has a value that it cannot have")
        _normalise_type(schema)
    for identity in ("$schema", "$id"):
        root.pop(identity, None)
    if root.setdefault("type", "object") == ["object"]:
        root["type"] = "object"
    return root


def _normalise_type(schema: Schema) -> None:
    declared = schema.get("type")
    if declared is None:
        return
    names = declared if isinstance(declared, list) else [declared]
    kinds: List[Optional[str]] = []
    for name in names:
        if not isinstance(name, str) or name not in _TYPES:
            raise ValueError(f"{name!r} is no type")
        kind, form = _TYPES[name]
        if form:
            schema.setdefault("format", form)
        if kind not in kinds:
            kinds.append(kind)
    if None in kinds:
        del schema["type"]
    else:
        schema["type"] = kinds if isinstance(declared, list) else kinds[0]


def below(schema: Schema) -> Iterator[Tuple[str, Any]]:
    """Yields the schemas in the keywords of a schema, each with its JSON pointer."""
    for keyword in _ONE:
        if _is_schema(schema.get(keyword)):
            yield "/" + keyword, schema[keyword]
    for keyword in _LISTS:
        if isinstance(schema.get(keyword), list):
            for i, one in enumerate(schema[keyword]):
                yield f"/{keyword}/{i}", one
    for keyword in _MAPS:
        if isinstance(schema.get(keyword), dict):
            for name, one in schema[keyword].items():
                yield f"/{keyword}/" + name.replace("~", "~0").replace("/", "~1"), one


def every(root: Any) -> Iterator[Schema]:
    """Yields a schema and all those within it that are objects."""
    left = [root]
    while left:
        schema = left.pop()
        if isinstance(schema, dict):
            yield schema
            left.extend(one for _, one in below(schema))


def targets(root: Schema) -> Dict[str, Any]:
    """Returns the schemas that references can lead to, by JSON pointer and by anchor, the root by ""."""
    found: Dict[str, Any] = {}
    left: List[Tuple[str, Any]] = [("", root)]
    while left:
        pointer, schema = left.pop()
        found[pointer] = schema
        if isinstance(schema, dict):
            for keyword in ("$anchor", "$dynamicAnchor"):
                if isinstance(schema.get(keyword), str):
                    found[schema[keyword]] = schema
            left.extend((pointer + step, one) for step, one in below(schema))
    return found


def target(found: Mapping[str, Any], reference: Any) -> Any:
    """Returns the schema that a reference leads to; None if there is none."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    return found.get(unquote(reference[1:]))


def unconditional(root: Schema) -> List[Schema]:
    """Returns the schemas that apply to every instance: the root, and what it applies by allOf and $ref."""
    found, out, seen = targets(root), [], set()
    left: List[Any] = [root]
    while left:
        schema = left.pop(0)
        if isinstance(schema, dict) and id(schema) not in seen:
            seen.add(id(schema))
            out.append(schema)
            left.extend(schema.get("allOf", ()))
            left.extend(target(found, schema[keyword]) for keyword in ("$ref", "$dynamicRef") if keyword in schema)
    return out


def properties(root: Schema) -> Dict[str, List[Any]]:
    """Returns the schemas of each declared parameter, by its name."""
    named: Dict[str, List[Any]] = {}
    for schema in unconditional(root):
        for name, one in (schema.get("properties") or {}).items():
            named.setdefault(name, []).append(one)
    return named


def required(root: Schema) -> List[str]:
    """Returns the names that every instance must have."""
    return sorted({name for schema in unconditional(root) for name in schema.get("required", ())})
