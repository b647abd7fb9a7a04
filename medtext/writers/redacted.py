"""Redacted notes into files: a text file a note, JSON Lines, Parquet, or JSON Lines on standard output; and where offsets went.

A file appears under its name only when it is whole and on the disk. Unlike records, of which a job's every byte can be made
again, redacted notes are taken as they are when a job is resumed: what is there is done.
"""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import Any

from medtext.deid.replacing import Replaced
from medtext.errors import UsageError
from medtext.readers.limits import Read
from medtext.schema import Failure, Note
from medtext.writers.files import file_name
from medtext.writers.target import STDOUT, check_folder, part, replacing

ROWS = 512  # notes of a row group

WriteNote = Callable[[Note], None]
WriteMap = Callable[[str, Iterable[Replaced]], None]


@dataclass(frozen=True, slots=True)
class RedactedTarget:
    """Where redacted notes go.

    Args:
        path: a folder, a file that ends in .jsonl or .parquet, or "-" for standard output.
        force: overwrite what is there. Other files in a folder stay.
        resume: go on with what is there.

    Raises:
        UsageError: where these contradict each other.
    """

    path: str
    force: bool = False
    resume: bool = False

    def __post_init__(self) -> None:
        if self.force and self.resume:
            raise UsageError("--force starts again and --resume goes on; choose one.")
        if self.resume and self.path.endswith(".parquet"):
            raise UsageError("Redacted notes in Parquet cannot be resumed; write .jsonl or a folder, or use --force.")
        if self.is_folder:
            check_folder(self.path)

    @property
    def is_folder(self) -> bool:
        return self.path != STDOUT and not self.path.endswith((".jsonl", ".parquet"))

    @property
    def can_resume(self) -> bool:
        """Whether a job that breaks off can be gone on with."""
        return self.path != STDOUT and not self.path.endswith(".parquet")

    def passed(self) -> Passed:
        """What passes by the notes that are there already."""
        return Passed(self._done())

    def _done(self) -> Callable[[str], bool]:
        """What says of an id whether its note is there already, where the job is resumed."""
        if not self.resume or self.path == STDOUT:
            return lambda _document_id: False
        if self.is_folder:
            return lambda document_id: (Path(self.path) / text_name(document_id)).is_file()
        return frozenset(name for name, _ in _done_lines(Path(self.path))).__contains__


class Passed:
    """Passes by notes that were done before, and counts them; what an `Output` is to records."""

    failed_before: tuple[tuple[str, Failure], ...] = ()

    def __init__(self, done: Callable[[str], bool]) -> None:
        self.before = 0
        self._done = done

    def todo(self, items: Iterable[Read]) -> Iterator[Read]:
        """The notes that are still to be redacted."""
        for item in items:
            if isinstance(item, Note) and self._done(item.id):
                self.before += 1
            else:
                yield item


@contextmanager
def open_redacted(target: RedactedTarget) -> Iterator[WriteNote]:
    """A function that writes one note; all are in place when the block ends.

    Raises:
        UsageError: where something would be overwritten unasked, or the place cannot be written to.
        OSError: where the disk fills up; what was written before stays, for `resume`.
    """
    with ExitStack() as stack:
        try:
            write = stack.enter_context(_writer(target))
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise
            raise UsageError(f"{target.path} cannot be written to: {error.strerror}.") from None
        yield write


@contextmanager
def maps_writer(path: Path | None, target: RedactedTarget) -> Iterator[WriteMap]:
    """A function that writes where one note's offsets went as a line of `path`: numbers and types, no text.

    It does nothing where there is no path.
    """
    if path is None:
        yield lambda _document_id, _replaced: None
        return
    _refuse(path, target)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("wb") as out:

        def write(document_id: str, replaced: Iterable[Replaced]) -> None:
            out.write(_line({"DocumentId": document_id, "Replaced": [one.to_json() for one in replaced]}))

        yield write
        out.flush()


def _writer(target: RedactedTarget) -> AbstractContextManager[WriteNote]:
    if target.path == STDOUT:
        return _standard_output()
    if target.is_folder:
        return _folder(target)
    return _parquet(target) if target.path.endswith(".parquet") else _lines(target)


@contextmanager
def _standard_output() -> Iterator[WriteNote]:
    def write(note: Note) -> None:
        sys.stdout.buffer.write(_row(note))
        sys.stdout.buffer.flush()

    yield write


@contextmanager
def _folder(target: RedactedTarget) -> Iterator[WriteNote]:
    root = Path(target.path)
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is a file; name a folder.")
    if root.is_dir() and any(root.iterdir()):
        _refuse(root, target)
    root.mkdir(parents=True, exist_ok=True)
    TemporaryFile(dir=root).close()  # a folder that cannot be written to is told before any note is read
    written: set[Path] = set()

    def write(note: Note) -> None:
        path = root / text_name(note.id)
        if path in written:  # "a" beside "a.txt"
            raise UsageError(f"Two notes would be the same file in {root}; write a .jsonl file instead.")
        written.add(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(note.text.encode())

    yield write


def text_name(document_id: str) -> PurePosixPath:
    """Where a redacted note lies: "ward-3/b.txt" under its own name, and "17" as `17.txt`."""
    return file_name(document_id.removesuffix(".txt"), ".txt")


@contextmanager
def _lines(target: RedactedTarget) -> Iterator[WriteNote]:
    """Where the job breaks off its `.part` stays, for `resume`."""
    path = Path(target.path)
    _refuse(path, target)
    if part(path).exists() and part(path).stat().st_size and not (target.force or target.resume):
        raise UsageError(f"{part(path)} was left by a job that broke off; --resume goes on, --force starts again.")
    path.parent.mkdir(parents=True, exist_ok=True)
    if target.resume:
        _keep_what_is_done(path)
    with part(path).open("ab" if target.resume else "wb") as out:

        def write(note: Note) -> None:
            out.write(_row(note))

        yield write
    with replacing(path):
        pass  # what was written aside is put in its place


def _keep_what_is_done(path: Path) -> None:
    """Gathers the lines of notes that are done, of the whole file and of a broken-off one, to go on behind them."""
    kept: set[str] = set()
    with replacing(part(path)) as gathered, gathered.open("wb") as out:
        for name, line in _done_lines(path):
            if name not in kept:
                kept.add(name)
                out.write(line)


def _done_lines(path: Path) -> Iterator[tuple[str, bytes]]:
    for file in (path, part(path)):
        if file.exists():
            with file.open("rb") as lines:
                yield from ((name, line) for line in lines if (name := _id_in(line)) is not None)


def _id_in(line: bytes) -> str | None:
    """The id in a note's line; None where the line is torn or no note's."""
    try:
        row = json.loads(line)
        return str(row["id"]) if line.endswith(b"\n") and "text" in row else None
    except (ValueError, TypeError, KeyError):
        return None


@contextmanager
def _parquet(target: RedactedTarget) -> Iterator[WriteNote]:
    from medtext.writers.parquet import notes_writer

    path = Path(target.path)
    _refuse(path, target)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, notes_writer(temporary, ROWS) as write:
        yield write


def _refuse(path: Path, target: RedactedTarget) -> None:
    """Raises `UsageError` where `path` would be overwritten unasked."""
    if path.exists() and not (target.force or target.resume):
        raise UsageError(f"{path} exists; --force overwrites it and --resume goes on with it.")


def _row(note: Note) -> bytes:
    return _line({"id": note.id, "text": note.text})


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"
