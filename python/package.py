#!/usr/bin/env python3
"""Builds the sdist, the wheel and the zipapp of maregister, and tests what was built. `make python` calls it.

    python3 package.py --out ../dist

It reaches no network: the wheel is built by the setuptools that some Python of this machine has.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipapp

HERE = pathlib.Path(__file__).resolve().parent
INSTALL = "apt-get install python3-setuptools python3-wheel python3-venv, or: pip install setuptools wheel"
BUILD = "from setuptools import build_meta; build_meta.build_sdist({0!r}); build_meta.build_wheel({0!r})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the folder for what is built")
    out = parser.parse_args().out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        source = copied(pathlib.Path(temporary, "source"))
        app = build_zipapp(source / "src", out / "maregister.pyz")
        sdist, wheel = build_distributions(source, out)
        python = installed(wheel, pathlib.Path(temporary, "venv"))
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MAZE_"))}
        run([python, "-m", "unittest", "discover", "-s", HERE / "tests"], cwd=temporary, env=clean)
        run([python, app, "--version"], cwd=temporary, env=clean)
        run([python.parent / "maregister", "--version"], cwd=temporary, env=clean)
    for built in (sdist, wheel, app):
        print(f"{built}: {built.stat().st_size} bytes")


def copied(target: pathlib.Path) -> pathlib.Path:
    """Returns a copy of the sources with the license, in which all files have one time, so that two builds give the same zipapp."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist", ".mypy_cache")
    shutil.copytree(HERE, target, ignore=ignored)
    shutil.copy(HERE.parent / "LICENSE", target)
    time = max(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), 315_532_800)  # zip files know no time before 1980
    for path in target.rglob("*"):
        os.utime(path, (time, time))
        path.chmod(0o755 if path.is_dir() else 0o644)
    return target


def build_zipapp(source: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    zipapp.create_archive(source, target, "/usr/bin/env python3", "maregister.__main__:main", compressed=True)
    return target


def build_distributions(source: pathlib.Path, out: pathlib.Path) -> "tuple[pathlib.Path, pathlib.Path]":
    """Builds sdist and wheel with the first Python that can: the one that runs this, or the system's."""
    for old in (*out.glob("maregister-*.tar.gz"), *out.glob("maregister-*.whl")):
        old.unlink()
    for python in dict.fromkeys((sys.executable, "/usr/bin/python3")):
        if subprocess.run([python, "-c", "import setuptools.build_meta, wheel"], stderr=subprocess.DEVNULL).returncode == 0:
            run([python, "-c", BUILD.format(str(out))], cwd=source, stdout=subprocess.DEVNULL)
            return next(out.glob("maregister-*.tar.gz")), next(out.glob("maregister-*.whl"))
    sys.exit(f"package.py: no Python here has setuptools and wheel: {INSTALL}")


def installed(wheel: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    """Returns the Python of a new virtual environment that has the wheel, and nothing else."""
    run([sys.executable, "-m", "venv", target])
    python = target / "bin" / "python3"
    run([python, "-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check", wheel])
    return python


def run(command: "list[object]", **options: object) -> None:
    words = [str(word) for word in command]
    print("+", " ".join(words), flush=True)
    subprocess.run(words, check=True, **options)  # type: ignore[call-overload]


if __name__ == "__main__":
    main()
