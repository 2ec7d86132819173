"""The exceptions that users of the package meet."""


class TaskNotFoundError(LookupError):
    """No task of that name is registered, in this process or in the published registry."""

    __module__ = "maregister"


class Retry(Exception):
    """A task raises this when the same call may succeed later: its node ends with exit code 75."""

    __module__ = "maregister"
