#!/usr/bin/env python3
"""Prints the tasks of a published registry, one a line: name, GPU memory in MiB, placement as JSON.

    kubectl get configmaps -l 'registry.mazeagent.net/registry in (index,shard)' -o json | python3 read_registry.py
    python3 read_registry.py FILE...
    python3 read_registry.py FOLDER

The input is the ConfigMaps of one namespace, as kubectl prints them, or a folder that has the ConfigMap maze-registry, mounted or as
files. Needs nothing but Python 3.8.
"""

import argparse
import sys

# README: begin
import hashlib
import json


def read_registry(configmaps):
    """Returns a registry's tasks by name, from its namespace's ConfigMaps. ValueError: it is not as its index says."""
    label = "registry.mazeagent.net/registry"  # any other value is someone else's
    ours = [c for c in configmaps if (c["metadata"].get("labels") or {}).get(label) in ("index", "shard")]
    data = {c["metadata"]["name"]: c.get("data") or {} for c in ours}
    if not any(name.startswith("maze-registry") for name in data):
        return {}  # a namespace gets its registry with its first task
    if ".index" not in data.get("maze-registry", {}):
        raise ValueError("there is no ConfigMap maze-registry with a key .index")
    index = json.loads(data["maze-registry"][".index"])
    if index.get("format") != 1:
        raise ValueError(f"the registry has format {index.get('format')}; this reads format 1")
    entries = {}
    for shard in index["shards"]:  # while all fits into one ConfigMap, that is maze-registry itself
        found = {name: text for name, text in data.get(shard["name"], {}).items() if name != ".index"}
        if digest(found) != shard["digest"]:
            raise ValueError(f"ConfigMap {shard['name']} is not what the index names: list the ConfigMaps again")
        entries.update(found)
    return {name: json.loads(text) for name, text in entries.items()}


def digest(entries):
    """Returns what `sha256sum * | sha256sum` says in a folder with a file for each entry."""
    lines = [f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in sorted(entries.items())]
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()
# README: end


# docs: begin
import os


def read_folder(folder):
    """Returns the tasks by name, from a folder with the ConfigMap maze-registry, mounted or as files. ValueError: it is not as its index says."""
    while True:
        version = current(folder)
        try:
            data = {file.name: read(file) for file in os.scandir(version) if file.is_file(follow_symlinks=False)}
        except FileNotFoundError:
            if version == current(folder):
                raise
            continue  # swapped meanwhile: read the new one
        break
    if not data and version != folder:
        return {}  # an optional mount, of a ConfigMap that is not there yet
    shards = json.loads(data.get(".index", "{}")).get("shards") or []
    if any(shard["name"] != "maze-registry" for shard in shards):
        raise ValueError(f"the registry is in {len(shards)} ConfigMaps, and {folder} has only the index: read it from the API server")
    labels = {"registry.mazeagent.net/registry": "index"}  # who mounted it has chosen it
    return read_registry([{"metadata": {"name": "maze-registry", "labels": labels}, "data": data}])


def current(folder):
    """Returns the folder with the files: where the kubelet's link leads, which it swaps when the ConfigMap changes, or the folder itself."""
    link = os.path.join(folder, "..data")
    return os.path.realpath(link) if os.path.lexists(link) else folder


def read(file):
    with open(file.path, encoding="utf-8", newline="") as opened:
        return opened.read()
# docs: end


def load(paths):
    """Returns the ConfigMaps in the files, or on stdin where there are none."""
    documents = []
    for path in paths:
        with open(path, "rb") as file:
            documents.append(json.load(file))
    if not paths:
        documents.append(json.load(sys.stdin.buffer))
    configmaps = [c for document in documents for c in document.get("items", [document]) or []]
    namespaces = sorted({c["metadata"].get("namespace", "") for c in configmaps})
    if len(namespaces) > 1:
        raise ValueError(f"these are the registries of {', '.join(namespaces)}: have kubectl get those of one namespace, by -n")
    return configmaps


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", metavar="FILE|FOLDER", help="by default, stdin is read")
    paths = parser.parse_args().paths
    if not paths and sys.stdin.isatty():
        parser.error("name files or a folder, or pipe in what kubectl prints")
    try:
        tasks = read_folder(paths[0]) if len(paths) == 1 and os.path.isdir(paths[0]) else read_registry(load(paths))
    except (OSError, ValueError) as error:
        sys.exit(f"read_registry: {error}")
    if not tasks:
        print("read_registry: no tasks", file=sys.stderr)
    for name, task in sorted(tasks.items()):
        print(name, task["resources"]["gpu_mem"], json.dumps(task["kubernetes"]["placement"]), sep="\t")


if __name__ == "__main__":
    main()
