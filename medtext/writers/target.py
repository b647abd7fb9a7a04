"""Where records or redacted notes go, and what may be overwritten there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from medtext.errors import UsageError
from medtext.schema import Note, Record

FORMATS = ("json", "jsonl", "parquet")
STDOUT = "-"

Write = Callable[[Record | Note], None]
"""Writes one record, or one redacted note."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where records go, and in which of `FORMATS`; or redacted notes, as text files, JSON Lines or Parquet.

    Args:
        path: a folder, a file that ends in .jsonl or .parquet, or "-" for standard output.
        format: what is written into a folder; None for a file a note.
        force: overwrite what is there. Other files in a folder stay.
        resume: go on with what is there.
        notes: whether it is redacted notes that are written.

    Raises:
        UsageError: where these contradict each other.
    """

    path: str
    format: str | None = None
    force: bool = False
    resume: bool = False
    notes: bool = False

    def __post_init__(self) -> None:
        if self.format not in (None, *FORMATS):
            raise UsageError(f"There is no format {self.format!r}; there are {', '.join(FORMATS)}.")
        named = "parquet" if self.path.endswith(".parquet") else "jsonl" if self.path.endswith(".jsonl") else None
        if self.path == STDOUT and self.format not in (None, "jsonl"):
            raise UsageError("Standard output takes JSON Lines only; leave --format out.")
        if named and self.format not in (None, named):
            raise UsageError(f"{self.path} is named for another format than {self.format}; change one of them.")
        if self.force and self.resume:
            raise UsageError("--force starts again and --resume goes on; choose one.")
        if self.resume and self.kind == "parquet":
            raise UsageError("A Parquet file cannot be resumed; write .jsonl or a folder, or start again with --force.")

    @property
    def kind(self) -> str:
        """Which of `FORMATS` is written."""
        if self.path == STDOUT or self.path.endswith(".jsonl"):
            return "jsonl"
        return "parquet" if self.path.endswith(".parquet") else self.format or "json"

    @property
    def file(self) -> Path:
        """The one file that is written, unless there is one for each note."""
        path = Path(self.path)
        return path if path.suffix in (".jsonl", ".parquet") else path / f"{self.what}.{self.kind}"

    @property
    def what(self) -> str:
        return "notes" if self.notes else "records"


def part(path: Path) -> Path:
    """Where a file is written before it is whole."""
    return path.with_name(path.name + ".part")


def refuse(path: Path, target: Target) -> None:
    """Raises `UsageError` where `path` would be overwritten unasked."""
    if path.exists() and not (target.force or target.resume):
        raise UsageError(f"{path} exists; --force overwrites it and --resume goes on with it.")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to; it takes the place of `path` when the block ends well."""
    temporary = part(path)
    try:
        yield temporary
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
