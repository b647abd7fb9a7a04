"""Everything medtext raises on purpose.

    MedtextError
    ├── UsageError      the call or the command line is wrong (exit status 2)
    ├── RuleError       a file in rules/ does not say what it should
    ├── ModelError      a model cannot be found or does not fit this version
    ├── WorkerError     the worker processes cannot do their work
    └── NoteError       one note cannot be read or processed; the rest of the job goes on

Messages are made by medtext and never quote a note.
"""


class MedtextError(Exception):
    """Base of medtext's errors; `str()` of one is a sentence for the user."""


class UsageError(MedtextError):
    """Wrong arguments: says what to change."""


class RuleError(MedtextError):
    """A rule file is wrong: names the file, the line and the key."""


class ModelError(MedtextError):
    """A model is missing or unusable."""


class WorkerError(MedtextError):
    """No worker process stays alive: says what they may need."""


class NoteError(MedtextError):
    """One note failed. `code` is the record's `Error.Code`; the message holds no note text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type["NoteError"], tuple[str, str]]:
        return type(self), (self.code, str(self))
