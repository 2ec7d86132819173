"""Ends a task that takes too long, or that is to end, as it wants to or not.

A signal raises Stopped in the main thread, so that the task's finally blocks run. If it does not end within the grace, because it caught
that or because it is in code that never returns to Python, a thread writes the record and ends the process.
"""

import faulthandler
import os
import select
import signal
import sys
import threading
import time
from typing import Any, Callable, Dict, Optional

from maregister._failure import CODES
from maregister._records import say


class Stopped(BaseException):
    """The task has to end now. It is no Exception, so that few catch it by mistake."""

    __module__ = "maregister"


# The kinds of failure by signal.
_KINDS = {"SIGALRM": "Timeout", "SIGTERM": "Terminated", "SIGINT": "Terminated"}


class Stopper:
    """Watches one run."""

    def __init__(self, grace: float, on_end: Callable[[str], int]) -> None:
        """on_end writes the record of a kind of failure, and returns the exit code."""
        self.grace, self._on_end = grace, on_end
        self._kinds = {int(getattr(signal, name)): kind for name, kind in _KINDS.items() if hasattr(signal, name)}
        # _facts gets each key once, by setdefault, which signal handlers and threads cannot interrupt.
        self._facts: Dict[str, Any] = {}
        self._armed = self._raised = False
        self._cancel: Optional[Callable[[], object]] = None
        self._code: Optional[int] = None
        self._timeout_at: Optional[float] = None
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)

    @property
    def kind(self) -> Optional[str]:
        """Returns why the task is being stopped; None if it is not."""
        kind: Optional[str] = self._facts.get("kind")
        return kind

    def install(self) -> None:
        """Takes the signals, and starts the thread. Process 1 does not even get SIGTERM without a handler."""
        for number in self._kinds:
            signal.signal(number, self._on_signal)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)  # tells the thread, even while the main thread is in foreign code
        os.register_at_fork(after_in_child=self._forget)
        threading.Thread(target=self._watch, name="maregister-watchdog", daemon=True).start()

    def _forget(self) -> None:
        """Gives a forked child the usual signals: those that a pool sends to its workers are not for this process."""
        try:
            signal.set_wakeup_fd(-1)
            for number in self._kinds:
                signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        except ValueError:
            pass  # it was not forked by the main thread
        os.close(self._reader)
        os.close(self._writer)

    def limit(self, timeout: float) -> None:
        """Sets the timeout, in seconds from now on. 0 is none."""
        if timeout:
            self._facts.setdefault("timeout_at", time.monotonic() + timeout)

    def arm(self, cancel: Optional[Callable[[], object]] = None) -> None:
        """From now on, a signal raises Stopped, and so does the end of the timeout.

        In an event loop, cancel cancels the main task: what is raised in the loop's own code would lose the task that it was about to
        run, and its finally blocks. In the task's code, Stopped is raised nevertheless, as that may not return to the loop for long.
        """
        self._armed, self._cancel = True, cancel
        if self.kind:
            self._raise()
        ends: Optional[float] = self._facts.get("timeout_at")
        if ends is not None:
            self._timeout_at = ends
            self._wake()
            if hasattr(signal, "setitimer"):
                signal.setitimer(signal.ITIMER_REAL, max(ends - time.monotonic(), 1e-6))

    def disarm(self) -> None:
        """From now on, nothing is raised. The thread goes on watching."""
        self._armed, self._cancel = False, None
        self._timeout_at = None
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)

    def leave(self, code: int) -> None:
        """Says that the records are written. Threads of the task have the rest of the grace to end."""
        self._code = code
        self._facts.setdefault("end_at", time.monotonic() + self.grace)
        self._wake()

    def _on_signal(self, number: int, frame: Any) -> None:
        self._note(self._kinds[number])
        if not self._armed or self._raised:
            return
        if self._cancel is not None:
            self._cancel()
            if _is_of_a_loop(frame):
                return
        self._raise()

    def _raise(self) -> None:
        self._raised = True
        raise Stopped(self.kind)

    def _note(self, kind: str) -> None:
        if self._code is None:
            self._facts.setdefault("kind", kind)
        self._facts.setdefault("end_at", time.monotonic() + self.grace)
        self._wake()

    def _wake(self) -> None:
        try:
            os.write(self._writer, b"\0")
        except OSError:
            pass  # full: the thread is awake

    def _watch(self) -> None:
        while True:
            ends = self._facts.get("end_at", self._timeout_at)
            wait = None if ends is None else max(0.0, ends - time.monotonic())
            if select.select([self._reader], [], [], wait)[0]:
                for number in os.read(self._reader, 4096):
                    if number in self._kinds and (number != signal.SIGALRM or self._timeout_at):
                        self._note(self._kinds[number])
            elif "end_at" not in self._facts:
                self._note("Timeout")  # which the signal should have told
            elif time.monotonic() >= self._facts["end_at"]:
                self._end()

    def _end(self) -> None:
        """Ends the process, whatever it does."""
        if self._code is not None:
            left = [thread.name for thread in threading.enumerate() if not thread.daemon and thread is not threading.main_thread()]
            say(f"threads of the task are still running, and are ended: {', '.join(left) or 'none of Python'}")
            os._exit(self._code)
        kind = self.kind or "Terminated"
        say(f"{kind}: the task has not ended within {self.grace:g} s; this is what it does:")
        try:
            faulthandler.dump_traceback(file=2, all_threads=True)
        except (OSError, ValueError):
            pass
        # The record is written by a thread of its own: a volume that does not answer must not keep the process.
        writing = threading.Thread(target=self._on_end, args=(kind,), daemon=True)
        writing.start()
        writing.join(5)
        os._exit(CODES[kind])


def _is_of_a_loop(frame: Any) -> bool:
    """Reports whether a frame is of an event loop's own code, or of what that calls."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", "")).split(".")[0]
        if module not in _OF_LOOPS:
            return module in ("asyncio", "selectors", "uvloop")
        frame = frame.f_back
    return False


# What an event loop's code calls.
_OF_LOOPS = ("_weakrefset", "collections", "contextvars", "heapq", "logging", "socket", "threading", "weakref")


def flush() -> None:
    """Writes what the task has printed. If nobody reads it, Python is kept from telling so at the end by an exit code of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            try:
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            except (OSError, ValueError, AttributeError):
                pass
