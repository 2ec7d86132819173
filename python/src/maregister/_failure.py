"""How a run can fail, and the exit codes of that."""

from typing import Any, Dict, Optional

# Exit codes by kind. A Job's podFailurePolicy can tell them apart.
CODES = {
    "Raised": 1,  # the task raised an exception
    "Usage": 64,  # no task, no entry point, a variable that is wrong
    "InvalidArguments": 65,  # they do not fit the schema, the signature or the roots
    "MissingInput": 66,  # an output of another node or a file is not there
    "ImportFailed": 69,
    "WriteFailed": 74,
    "Retry": 75,  # the task asks to be run again
    "InvalidResult": 76,
    "Timeout": 124,
    "Terminated": 143,
}

_MAX_MESSAGE = 1000


class Failure(Exception):
    """Ends a run. cause is the exception whose traceback helps the author of the task, if there is one."""

    def __init__(self, kind: str, message: str, cause: Optional[BaseException] = None) -> None:
        super().__init__(message)
        self.kind, self.message, self.cause = kind, message, cause
        self.code = CODES[kind]

    def error(self) -> Dict[str, Any]:
        """Returns the failure as result.json has it."""
        error = {"kind": self.kind}
        if self.cause is not None:
            error["type"] = type_name(self.cause)
        error["message"] = clip(self.message)
        return error


def clip(text: str) -> str:
    """Returns a text of at most 1000 characters, all of which UTF-8 has."""
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= _MAX_MESSAGE else text[: _MAX_MESSAGE - 1] + "…"


def type_name(error: BaseException) -> str:
    """Returns the full name of an exception's class."""
    return f"{type(error).__module__}.{type(error).__qualname__}"


def text_of(error: BaseException) -> str:
    """Returns the text of an exception, whose __str__ is the user's."""
    try:
        return str(error)
    except Exception as other:
        return f"its text could not be made: {type_name(other)}"
