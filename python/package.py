#!/usr/bin/env python3
"""Builds the sdist, the wheel and the zipapp of maregister, and tests what was built. `make python` calls it.

    python3 package.py --out ../dist
    python3 package.py --check # reports whether it could, by its exit status

It reaches no network: the distributions are built by the setuptools that some Python of this machine has. The wheel is built from the
sdist, and the tests are run by a Python that has nothing but the wheel.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipapp

HERE = pathlib.Path(__file__).resolve().parent
INSTALL = "apt-get install python3-setuptools python3-wheel python3-venv, or: pip install setuptools wheel"
BUILD = "from setuptools import build_meta; build_meta.build_{0}({1!r})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=pathlib.Path, help="the folder for what is built")
    what.add_argument("--check", action="store_true", help="build nothing, and fail if something is missing for it")
    options = parser.parse_args()
    builder = found_builder()
    if options.check:
        return
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        source = copied(pathlib.Path(temporary, "source"))
        app = build_zipapp(source / "src", out / "maregister.pyz")
        sdist, wheel = build_distributions(builder, source, out)
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


def found_builder() -> str:
    """Returns the first Python that can build distributions: the one that runs this, or the system's."""
    if subprocess.run([sys.executable, "-c", "import ensurepip, venv"], stderr=subprocess.DEVNULL).returncode != 0:
        sys.exit(f"package.py: {sys.executable} cannot make virtual environments: {INSTALL}")
    for python in dict.fromkeys((sys.executable, "/usr/bin/python3")):
        if os.path.exists(python) and subprocess.run([python, "-c", "import setuptools.build_meta, wheel"], stderr=subprocess.DEVNULL).returncode == 0:
            return python
    sys.exit(f"package.py: no Python here has setuptools and wheel: {INSTALL}")


def build_distributions(builder: str, source: pathlib.Path, out: pathlib.Path) -> "tuple[pathlib.Path, pathlib.Path]":
    """Builds the sdist, which has all tests, and of that the wheel."""
    for old in (*out.glob("maregister-*.tar.gz"), *out.glob("maregister-*.whl")):
        old.unlink()
    run([builder, "-c", BUILD.format("sdist", str(out))], cwd=source, stdout=subprocess.DEVNULL)
    sdist = next(out.glob("maregister-*.tar.gz"))
    with tarfile.open(sdist) as archive:
        archive.extractall(source.parent)  # our own
    unpacked = source.parent / sdist.name[: -len(".tar.gz")]
    lacking = {path.name for path in (HERE / "tests").glob("*.py")} - {path.name for path in (unpacked / "tests").glob("*.py")}
    if lacking:
        sys.exit(f"package.py: the sdist lacks the tests {', '.join(sorted(lacking))}: see MANIFEST.in")
    run([builder, "-c", BUILD.format("wheel", str(out))], cwd=unpacked, stdout=subprocess.DEVNULL)
    return sdist, next(out.glob("maregister-*.whl"))


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
