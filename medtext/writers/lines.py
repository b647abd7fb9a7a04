"""JSON Lines: a file, written so that it can be gone on with, or standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from medtext.errors import UsageError
from medtext.schema import Note, Record
from medtext.writers.target import Target, Write, part, refuse


@contextmanager
def stdout_writer() -> Iterator[Write]:
    """A function that writes one record or note to standard output, in UTF-8 whatever the terminal's encoding."""

    def write(item: Record | Note) -> None:
        sys.stdout.buffer.write(_line(item))
        sys.stdout.buffer.flush()

    yield write


@contextmanager
def lines_writer(target: Target) -> Iterator[Write]:
    """A function that writes one record to `target.file`. Where the job breaks off its `.part` stays, for `resume`."""
    path = target.file
    refuse(path, target)
    if _holds_something(part(path)) and not (target.force or target.resume):
        raise UsageError(f"{part(path)} was left by a job that broke off; --resume goes on, --force starts again.")
    path.parent.mkdir(parents=True, exist_ok=True)
    if target.resume:
        _keep_what_is_done(path)
    with part(path).open("ab" if target.resume else "wb") as out:

        def write(item: Record | Note) -> None:
            out.write(_line(item))

        yield write
    part(path).replace(path)


def _holds_something(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def lines_done(target: Target) -> Callable[[str], bool]:
    """What says of an id whether there is a line for it that holds no error."""
    return frozenset(name for name, _ in _done_lines(target.file)).__contains__


def _keep_what_is_done(path: Path) -> None:
    """Gathers the lines of notes that are done, of the whole file and of a broken-off one, to go on behind them."""
    kept: set[str] = set()
    gathered = part(part(path))
    with gathered.open("wb") as out:
        for name, line in _done_lines(path):
            if name not in kept:
                kept.add(name)
                out.write(line)
    gathered.replace(part(path))


def _done_lines(path: Path) -> Iterator[tuple[str, bytes]]:
    for file in (path, part(path)):
        if file.exists():
            with file.open("rb") as lines:
                yield from ((name, line) for line in lines if (name := _id_in(line)) is not None)


def _id_in(line: bytes) -> str | None:
    """The id in a record's or a note's line; None where the note failed, or the line is torn or neither's."""
    try:
        row = json.loads(line)
        return (
            None
            if "Error" in row or not line.endswith(b"\n")
            else str(row["id"] if "text" in row else row["DocumentId"])
        )
    except (ValueError, TypeError, KeyError):
        return None


def _line(item: Record | Note) -> bytes:
    row = {"id": item.id, "text": item.text} if isinstance(item, Note) else item.to_json()
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"
