"""The executor: runs one task, as its variables say. docs/run.md is its contract."""

import copy
import datetime
import os
import re
import sys
import time
import traceback
from typing import Any, Dict, Mapping, Optional, Tuple

from maregister import _calling, _entrypoint, _paths, _records, _references, _schema, _settings, _stopping, _task, _validator
from maregister._errors import Retry, TaskNotFoundError
from maregister._failure import CODES, Failure, text_of
from maregister._records import Outcome, say
from maregister._registry import TaskRegistry
from maregister._stopping import Stopped


def run(argument: Optional[str], environ: Mapping[str, str], prints: bool = False) -> int:
    """Runs the task that the argument or the variables name, leaves the records, and returns the exit code.

    It is called once, in the main thread of a process: it takes the signals and changes the working folder. The process has to end
    after it. prints says that the outputs are written to stdout, too.
    """
    recorder, refused = _recorder(environ)
    stopper = _stopping.Stopper(_grace(environ), lambda kind: recorder.write(Outcome(failure=_stopped(kind))))
    stopper.install()
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)  # what is buffered is lost with SIGKILL
    try:
        if refused:
            raise refused
        outcome = Outcome(outputs=_Run(argument, environ, recorder, stopper).outputs())
    except Failure as failure:
        outcome = Outcome(failure=failure)
    except Stopped:
        outcome = Outcome(failure=_stopped(stopper.kind or "Terminated"))
    except Exception as error:  # a fault of the executor's own must leave a record, too
        outcome = Outcome(failure=Failure("Usage", f"the executor failed: {text_of(error)}", error))
    stopper.disarm()
    if outcome.failure:
        _tell(outcome.failure)
    code = recorder.write(outcome)
    if prints and code == 0:
        _records.show(outcome.outputs)
    _stopping.flush()
    stopper.leave(code)
    return code


def _recorder(environ: Mapping[str, str]) -> Tuple[_records.Recorder, Optional[Failure]]:
    """Returns what writes the records, and why it writes only a message, if it does."""
    started = time.monotonic()
    refused = None
    try:
        places = _settings.Places.of(environ)
    except Failure as failure:
        places, refused = _settings.Places.only_message(environ), failure
    recorder = _records.Recorder(places)
    now = datetime.datetime.now(datetime.timezone.utc)
    recorder.about["startedAt"] = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    recorder.about["durationSeconds"] = lambda: round(time.monotonic() - started, 3)
    return recorder, refused


def _grace(environ: Mapping[str, str]) -> float:
    try:
        return _settings.grace(environ)
    except Failure:
        return _settings.grace({})  # which Run tells


def _stopped(kind: str) -> Failure:
    return Failure(kind, "the task took longer than its timeout" if kind == "Timeout" else "the task was told to end")


class _Run:
    """One run, as far as its outputs."""

    def __init__(self, argument: Optional[str], environ: Mapping[str, str], recorder: _records.Recorder, stopper: _stopping.Stopper) -> None:
        _settings.grace(environ)
        self.settings = _settings.Settings.of(argument, environ)
        self.places, self.about, self.stopper = recorder.places, recorder.about, stopper
        self.about["task"] = self.settings.name
        self.work = self.places.work or os.getcwd()
        self.roots = _paths.Roots(self.places.shared, self.settings.roots)
        self.registry = TaskRegistry(environ.get("MAZE_REGISTRY") or None)
        self.function: Any = None

    def outputs(self) -> Dict[str, Any]:
        """Runs the task, in an order in which a mistake costs as little as possible."""
        settings = self.settings
        entry, entry_point = self._find()
        self.about["entryPoint"] = entry_point
        _check(entry_point, settings)
        if entry is None:  # the function's own declaration is all that there is
            self.function = self._load(entry_point, {})
            entry = {**(_task.complete(self.function) or {}), "run": getattr(self.function, "_task_run", None)}
            self.stopper.limit(self._timeout(entry))  # from now on, as it was not known before
            if self.about["task"] is None:
                self.about["task"] = entry.get("name")
        inputs, outputs = _parameters(entry, "input"), _parameters(entry, "output")
        arguments = settings.arguments
        if settings.resolves:
            arguments = _references.Outputs(settings.inputs, self.places).resolve(arguments)
        arguments = _with_defaults(arguments, inputs)
        _validate(arguments, inputs)
        _paths.check_inputs(inputs, arguments, self.roots, self.work)
        if self.function is None:
            self.function = self._load(entry_point, entry)
        result = self._call(_calling.bind(self.function, arguments))
        checked: Dict[str, Any] = _paths.check_outputs(outputs, _calling.outputs(result, outputs), self.roots, self.work)
        return checked

    def _find(self) -> Tuple[Optional[Dict[str, Any]], str]:
        """Returns the registry's entry, None if it does not count, and the entry point."""
        settings = self.settings
        given = settings.target if _entrypoint.is_entry_point(settings.target) else None
        try:
            if settings.name is None or (given and not self.registry.has_source()):
                return None, given or ""
            entry = self.registry.entry(settings.name)
        except (TaskNotFoundError, ValueError, OSError) as error:
            raise Failure("Usage", text_of(error)) from None
        entry_point = given or entry.get("entry_point")
        if not isinstance(entry_point, str) or not entry_point:
            raise Failure("Usage", f"task {settings.name} has no entry point: declare spec.entryPoint")
        return entry, entry_point

    def _load(self, entry_point: str, entry: Dict[str, Any]) -> Any:
        """Imports the function. The working folder is the task's from here on."""
        self._enter(entry)
        self.stopper.limit(self._timeout(entry))
        self.stopper.arm()
        try:
            return _entrypoint.load(entry_point, self.settings.packages)
        except Stopped:
            raise
        except _entrypoint.NotAllowed as error:
            raise Failure("Usage", text_of(error)) from None
        except _entrypoint.NoFunction as error:
            raise Failure("ImportFailed", text_of(error)) from None
        except BaseException as error:  # SystemExit, too: it is the module's, and not this program's
            self._end_if_stopped()
            raise Failure("ImportFailed", f"{entry_point} was not imported: {type(error).__name__}: {text_of(error)}", error) from None
        finally:
            self.stopper.disarm()

    def _enter(self, entry: Dict[str, Any]) -> None:
        """Gives the task its folder and Maze's own variables."""
        places = self.places
        variables = {"MAZE_RUN_ID": places.run, "MAZE_TASK_ID": places.node, "MAZE_MODEL_NAME": (entry.get("resources") or {}).get("model_name")}
        folder = os.getcwd()
        if folder not in sys.path and not getattr(sys.flags, "safe_path", False):
            sys.path.insert(0, folder)  # as python3 -m does, where a zipapp does not
        if places.work:
            try:
                os.makedirs(places.work, exist_ok=True)
                os.chdir(places.work)
            except OSError as error:
                raise Failure("WriteFailed", f"the task's folder {places.work} cannot be made: {error.strerror}") from None
            variables.update(dict.fromkeys(("MAZE_WORK_DIR", "MAZE_INPUT_DIR", "MAZE_OUTPUT_DIR"), places.work))
        os.environ.update({name: value for name, value in variables.items() if isinstance(value, str)})

    def _timeout(self, entry: Dict[str, Any]) -> float:
        if self.settings.timeout is not None:
            return self.settings.timeout
        declared = entry.get("run")
        return seconds(declared.get("timeout")) if isinstance(declared, dict) else 0

    def _call(self, arguments: Dict[str, Any]) -> Any:
        try:
            result = _calling.call(self.function, arguments, self.stopper)
        except Stopped:
            raise
        except BaseException as error:
            self.stopper.disarm()
            self._end_if_stopped()
            raise Failure("Retry" if isinstance(error, Retry) else "Raised", text_of(error), error) from None
        self._end_if_stopped()
        return result

    def _end_if_stopped(self) -> None:
        """Ends the run as stopped, whatever the task has made of that."""
        if self.stopper.kind is not None:
            raise _stopped(self.stopper.kind)


def _check(entry_point: str, settings: _settings.Settings) -> None:
    try:
        _entrypoint.check(entry_point, settings.packages)
    except _entrypoint.NotAllowed as error:
        raise Failure("Usage", str(error)) from None


def _parameters(entry: Mapping[str, Any], side: str) -> _schema.Schema:
    """Returns an entry's schema: the normalised one, or what is declared."""
    normalised = entry.get("schema")
    try:
        if isinstance(normalised, dict) and isinstance(normalised.get(side), dict):
            return _schema.normalise(normalised[side])
        return _schema.normalise(entry.get(f"{side}_parameters"))
    except (ValueError, RecursionError) as error:
        raise Failure("Usage", f"the {side} parameters of task {entry.get('name')} are no schema: {error}") from None


def _with_defaults(arguments: Dict[str, Any], schema: _schema.Schema) -> Dict[str, Any]:
    """Returns the arguments, with the schema's defaults for those that are not given."""
    filled = dict(arguments)
    for name, declared in _schema.properties(schema).items():
        for one in declared:
            if name not in filled and isinstance(one, dict) and "default" in one:
                filled[name] = copy.deepcopy(one["default"])
    return filled


def _validate(arguments: Dict[str, Any], schema: _schema.Schema) -> None:
    verdict = _validator.Judging(schema).judge(arguments)
    if isinstance(verdict, _validator.Mismatch):
        where = f"argument {verdict.pointer[1:]}" if verdict.pointer else "the arguments"
        raise Failure("InvalidArguments", f"{where}: {verdict.why}")


_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(duration: Any) -> float:
    """Returns the seconds of a duration as Kubernetes writes it, such as 1m30s; 0 for what is none."""
    if not isinstance(duration, str) or not re.fullmatch(r"([0-9]{1,12}(\.[0-9]{1,9})?(ns|us|µs|ms|s|m|h))+", duration):
        return 0
    parts = re.findall(r"([0-9.]+)(ns|us|µs|ms|s|m|h)", duration)
    return min(sum(float(number) * _UNITS[unit] for number, unit in parts), 1e8)


def _tell(failure: Failure) -> None:
    """Writes to stderr why a run failed, with the traceback from the first frame of the user's on."""
    say(f"{failure.kind}: {failure.error()['message']} (exit code {CODES[failure.kind]})")
    cause = failure.cause
    if cause is None:
        return
    own, frames = os.path.dirname(os.path.abspath(__file__)), cause.__traceback__
    while frames is not None and _is_machinery(frames.tb_frame, own):
        frames = frames.tb_next
    try:
        traceback.print_exception(type(cause), cause, frames, file=sys.stderr)
        sys.stderr.flush()
    except Exception:  # stderr is closed, or the exception's own text cannot be made
        pass


def _is_machinery(frame: Any, own: str) -> bool:
    module = str(frame.f_globals.get("__name__", "")).split(".")[0]
    return module in ("asyncio", "importlib", "_frozen_importlib", "_frozen_importlib_external") or frame.f_code.co_filename.startswith(own + os.sep)
