"""Where records go, what may be overwritten there, and how a file appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from medtext.errors import UsageError
from medtext.schema import Record

FORMATS = ("json", "jsonl", "parquet")
STDOUT = "-"
NO_FOLDERS = (".jsonl", ".parquet", ".json", ".csv", ".tsv", ".txt", ".gz", ".html", ".xlsx")
"""What ends the name of a file and hardly that of a folder that is to be made."""
META = ".medtext"
"""The folder, in the output's, of what is needed to go on with a job."""

Write = Callable[[Record], None]
"""Writes one record."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where records go, and in which of `FORMATS`.

    Args:
        path: a folder, a file that ends in .jsonl or .parquet, or "-" for standard output.
        format: what is written into a folder; None for a JSON file a note.
        force: overwrite what is there. Other files in a folder stay.
        resume: go on with what is there.

    Raises:
        UsageError: where these contradict each other.
    """

    path: str
    format: str | None = None
    force: bool = False
    resume: bool = False

    def __post_init__(self) -> None:
        if self.format not in (None, *FORMATS):
            raise UsageError(f"There is no format {self.format!r}; there are {', '.join(FORMATS)}.")
        if self.path == STDOUT and self.format not in (None, "jsonl"):
            raise UsageError("Standard output takes JSON Lines only; leave --format out.")
        if self.is_file and self.format not in (None, self.kind):
            raise UsageError(f"{self.path} is named for another format than {self.format}; change one of them.")
        if self.force and self.resume:
            raise UsageError("--force starts again and --resume goes on; choose one.")
        if self.path != STDOUT and not self.is_file:
            check_folder(self.path)

    @property
    def kind(self) -> str:
        """Which of `FORMATS` is written."""
        if self.path == STDOUT or self.path.endswith(".jsonl"):
            return "jsonl"
        return "parquet" if self.path.endswith(".parquet") else self.format or "json"

    @property
    def is_file(self) -> bool:
        """Whether all records go into one file."""
        return self.path.endswith((".jsonl", ".parquet"))

    @property
    def can_resume(self) -> bool:
        """Whether a job that breaks off can be gone on with."""
        return self.path != STDOUT

    @property
    def folder(self) -> Path:
        """Where shards are written: the folder, or what stands beside the one file until that is whole."""
        return part(Path(self.path)) if self.is_file else Path(self.path)


def check_folder(path: str) -> None:
    """Raises `UsageError` for what cannot be meant for a folder."""
    if not path:
        raise UsageError("The output has no name; name a folder, something.jsonl, something.parquet, or -.")
    if path.lower().endswith(NO_FOLDERS) and not Path(path).is_dir():
        raise UsageError(f"No {path} can be written; name a folder, something.jsonl, something.parquet, or -.")


def part(path: Path) -> Path:
    """Where something is written before it is whole."""
    return path.with_name(path.name + ".part")


@contextmanager
def replacing(path: Path, beside: Path | None = None) -> Iterator[Path]:
    """A name to write to, `beside` or one beside `path`; it takes the place of `path` when the block ends well.

    What was written is on the disk before it is there under its name, and the name before this returns.
    """
    temporary = beside or part(path)
    try:
        yield temporary
        _sync(temporary, os.O_RDWR)
        temporary.replace(path)
        if os.name != "nt":  # Windows opens no folders
            _sync(path.parent, os.O_RDONLY)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _sync(path: Path, how: int) -> None:
    number = os.open(path, how)
    try:
        os.fsync(number)
    finally:
        os.close(number)
