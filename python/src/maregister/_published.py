"""Reads a published registry: a folder where maze-registry is mounted, or a JSON file."""

import hashlib
import json
import logging
import math
import os
import re
from fractions import Fraction
from typing import Any, Dict, Iterable, List, Mapping

from maregister import _json

logger = logging.getLogger("maregister")

Entry = Dict[str, Any]

_LABEL = "registry.mazeagent.net/registry"
_GROUP = "registry.mazeagent.net/"
_NAME = "maze-registry"
_INDEX = ".index"
_FORMAT = 1


def read(path: str) -> Dict[str, Entry]:
    """Returns the published tasks by name.

    path is a folder with the ConfigMap maze-registry, mounted or as files, or a JSON file with ConfigMaps or MazeTasks as kubectl prints
    them, or with what mazectl discover -o task-meta prints. OSError: it cannot be read. ValueError: it is not whole, or none of these.
    """
    return _read_folder(path) if os.path.isdir(path) else _read_file(path)


def _read_folder(folder: str) -> Dict[str, Entry]:
    while True:
        version = _current(folder)
        try:
            data = {file.name: _text(file.path) for file in os.scandir(version) if file.is_file(follow_symlinks=False)}
        except FileNotFoundError:
            if version == _current(folder):
                raise
            continue  # the kubelet swapped the folder meanwhile: read the new one
        break
    if not data and version != folder:
        return {}  # an optional mount, of a ConfigMap that is not there yet
    return _read_configmaps({_NAME: data}, folder)


def _current(folder: str) -> str:
    """Returns the folder with the files: where the kubelet's link leads, which it swaps, or the folder itself."""
    link = os.path.join(folder, "..data")
    return os.path.realpath(link) if os.path.lexists(link) else folder


def _text(path: str) -> str:
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def _read_configmaps(data: Mapping[str, Mapping[str, str]], where: str) -> Dict[str, Entry]:
    """Returns the entries of ConfigMaps by name, checked against the index's digests."""
    if _INDEX not in data.get(_NAME, {}):
        raise ValueError(f"{where}: there is no ConfigMap {_NAME} with a key {_INDEX}")
    index = _object(_json.loads(data[_NAME][_INDEX]), f"{where}: the index")
    if index.get("format") != _FORMAT:
        raise ValueError(f"{where}: the registry has format {index.get('format')}; this version reads format {_FORMAT}")
    texts: Dict[str, str] = {}
    for shard in index.get("shards") or []:
        name = shard["name"]
        if name not in data:
            raise ValueError(f"{where}: ConfigMap {name} is missing. A registry of several ConfigMaps is read from a file, not from a mount: list them with kubectl")
        found = {key: text for key, text in data[name].items() if key != _INDEX}
        if digest(found) != shard["digest"]:
            raise ValueError(f"{where}: ConfigMap {name} is not what the index names: it was changed by hand, or read while it changed")
        texts.update(found)
    entries = {name: _object(_json.loads(text), f"{where}: the entry {name}") for name, text in texts.items()}
    for name, entry in entries.items():
        if entry.get("name") != name:
            raise ValueError(f"{where}: the entry {name} is called {entry.get('name')!r} inside")
    return entries


def digest(entries: Mapping[str, str]) -> str:
    """Returns what `sha256sum * | sha256sum` says in a folder with a file for each entry."""
    lines = [f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in sorted(entries.items(), key=lambda e: e[0].encode())]
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()


def _object(value: Any, what: str) -> Dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is no JSON object")
    return value


def _read_file(path: str) -> Dict[str, Entry]:
    try:
        document = json.loads(_text(path))
    except RecursionError:
        raise ValueError(f"{path} is nested too deep") from None
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}. Have kubectl print the objects with -o json") from None
    try:
        return _of_document(_object(document, path), path)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} is no registry: {type(error).__name__}: {error}") from None


def _of_document(document: Dict[str, Any], path: str) -> Dict[str, Entry]:
    if "kind" not in document or "apiVersion" not in document:
        return _of_task_meta(document, path)
    objects = document["items"] if str(document["kind"]).endswith("List") else [document]
    configmaps, tasks = [], []
    for one in objects or []:
        labels = one["metadata"].get("labels") or {}
        if one.get("kind") == "ConfigMap" and labels.get(_LABEL) in ("index", "shard"):
            configmaps.append(one)
        elif one.get("kind") == "MazeTask" and str(one.get("apiVersion")).startswith(_GROUP):
            tasks.append(one)
    namespaces = sorted({one["metadata"].get("namespace", "") for one in configmaps + tasks})
    if len(namespaces) > 1:
        raise ValueError(f"{path} has tasks of the namespaces {', '.join(namespaces)}: have kubectl print those of one, by -n")
    entries = _of_mazetasks(tasks)
    if configmaps:
        entries.update(_read_configmaps({one["metadata"]["name"]: one.get("data") or {} for one in configmaps}, path))
    return entries


def _of_task_meta(document: Dict[str, Any], path: str) -> Dict[str, Entry]:
    for name, meta in document.items():
        if not isinstance(meta, dict) or meta.get("name") != name:
            raise ValueError(f"{path} has neither ConfigMaps, nor MazeTasks, nor what mazectl discover -o task-meta prints")
    return document


def _of_mazetasks(tasks: Iterable[Dict[str, Any]]) -> Dict[str, Entry]:
    """Returns entries of MazeTasks. Of two with one name the newer one counts, as in the registry; a refused one counts for nothing."""
    entries: Dict[str, Entry] = {}
    for one in sorted(tasks, key=lambda task: (task["metadata"].get("creationTimestamp") or "", task["metadata"]["name"])):
        conditions = (one.get("status") or {}).get("conditions") or []
        refused = [c.get("message") for c in conditions if c.get("type") == "Accepted" and c.get("status") == "False"]
        if refused:
            logger.warning("MazeTask %s is left out: %s", one["metadata"]["name"], refused[0])
            continue
        spec = one["spec"]
        entries[spec["name"]] = {
            "name": spec["name"],
            "description": spec.get("description") or None,
            "input_parameters": spec.get("inputParameters") or {},
            "output_parameters": spec.get("outputParameters") or {},
            "resources": _resources(spec.get("resources") or {}),
            "entry_point": spec.get("entryPoint") or None,
            "predictor": spec.get("predictor") or None,
            **{name: spec[name] for name in ("run", "deprecated") if spec.get(name)},
        }
    return entries


def _resources(spec: Dict[str, Any]) -> Dict[str, Any]:
    mebibyte = 1 << 20
    return {
        "type": spec.get("type") or "cpu",
        "cpu_num": math.ceil(quantity(spec.get("cpu", 1))),
        "mem": math.ceil(quantity(spec.get("memory", "1Gi")) / mebibyte),
        "gpu_mem": math.ceil(quantity(spec.get("gpuMemory", 0)) / mebibyte),
        "model_name": spec.get("modelName") or None,
        "backend": spec.get("backend") or None,
    }


_QUANTITY = re.compile(r"([+-]?[0-9]{0,20}\.?[0-9]{0,20})(?:([eE][+-]?[0-9]{1,2})|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?\Z", re.ASCII)
_DECIMAL: List[str] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"]
_BINARY: List[str] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]


def quantity(written: Any) -> Fraction:
    """Returns the value of a Kubernetes quantity. ValueError: it is none."""
    match = _QUANTITY.match(str(written))
    if not match or not any(character.isdigit() for character in match[1]):
        raise ValueError(f"{written!r} is no quantity")
    number = Fraction(match[1].strip(".") + (match[2] or "") if match[1].strip("+-.") else "0")
    suffix = match[3] or ""
    if suffix in _BINARY:
        return number * Fraction(1024) ** _BINARY.index(suffix)
    return number * Fraction(1000) ** (_DECIMAL.index(suffix) - 3)
