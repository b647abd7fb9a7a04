"""Where notes come from: the sources that can be named, read one after the other."""

from __future__ import annotations

import io
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from medtext.errors import UsageError
from medtext.readers.files import kind, one_note, open_bytes, reading, text_file, walk
from medtext.readers.limits import Read, checked, failure
from medtext.readers.rows import TableColumns, csv_columns, csv_rows, json_lines, note_of
from medtext.schema import Note, Record

STDIN = "-"
TABLES = (".jsonl", ".csv", ".parquet")
TEXTS = (".txt", "")


USUAL = TableColumns()


@dataclass(frozen=True, slots=True)
class Source:
    """Where notes come from and how they are to be read. Raises `UsageError` for what cannot be meant."""

    paths: tuple[str, ...]
    columns: TableColumns = USUAL
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        try:
            "".encode(self.encoding)
        except LookupError:
            raise UsageError(f"There is no encoding {self.encoding!r}.") from None
        if self.columns.text and self.columns.text == self.columns.id:
            raise UsageError("The id column is the text column, and ids are written down; name another.")
        texts = [path for path in self.paths if path != STDIN and kind(Path(path)) not in TABLES]
        if self.columns.patient and texts:
            raise UsageError(f"{texts[0]} has no columns, and so none that holds the patient; name tables only.")


def read(source: Source) -> Iterator[Read]:
    """The notes of a source, in a fixed order; a note that cannot be read is a `Record` with an error.

    The ids that were read are kept in memory, and nothing else is. Raises `UsageError` as `check` does.
    """
    check(source)
    for item in _told_apart(map(_with_plain_id, _all(source))):
        yield checked(item) if isinstance(item, Note) else item


def check(source: Source) -> None:
    """Raises `UsageError` for what can be seen to be wrong before any note is read.

    That is a path that does not exist, a kind of file that is not known, or no path at all that has the columns; where
    some have them, the others leave a record each.
    """
    for path in source.paths:
        if path != STDIN and not Path(path).exists():
            raise UsageError(f"There is no {path}.")
        if not path:
            raise UsageError("One of the notes' paths is empty; name them all.")
        if path != STDIN and not Path(path).is_dir() and kind(Path(path)) not in TABLES + TEXTS:
            raise UsageError(f"medtext does not read {path}; it reads .txt, .jsonl, .csv, .parquet and .gz of these.")
    missing = [_missing_column(path, source) for path in source.paths]
    if all(missing) and missing[0]:
        raise UsageError(f"{source.paths[0]}: {missing[0]}")


def count(source: Source) -> int | None:
    """How many notes there are to read, where that is known without reading them."""
    paths = [Path(path) for path in source.paths if path != STDIN]
    if len(paths) < len(source.paths) or any(kind(path) in TABLES for path in paths if not path.is_dir()):
        return None
    return sum(sum(1 for _ in walk(path)) if path.is_dir() else 1 for path in paths)


def _missing_column(path: str, source: Source) -> str | None:
    """What is wrong with the columns of a table, if anything; what is damaged shows when it is read."""
    columns: list[str] = []
    if path != STDIN and kind(Path(path)) in (".csv", ".parquet") and not Path(path).is_dir():
        with reading(path, source.encoding):
            columns = _columns(Path(path), source.encoding)
    return source.columns.missing(columns) if columns else None


def _columns(path: Path, encoding: str) -> list[str]:
    if kind(path) == ".parquet":
        from medtext.readers.parquet import parquet_columns

        return parquet_columns(path)
    with open_bytes(path) as stream:
        return csv_columns(stream, encoding)


def _all(source: Source) -> Iterator[Read]:
    for path in source.paths:
        if path == STDIN:
            yield from _reported("stdin", _standard_input(source), source)
        elif Path(path).is_dir():
            for found in walk(Path(path)):
                yield found if isinstance(found, Record) else text_file(found[1], found[0], source.encoding)
        elif kind(Path(path)) in TEXTS:
            yield text_file(Path(path), Path(path).name, source.encoding)
        else:
            yield from _reported(Path(path).name, _table(Path(path), source), source)


def _reported(name: str, items: Iterable[Read], source: Source) -> Iterator[Read]:
    """The items, and a record where something is wrong with all that follows."""
    with reading(name, source.encoding) as failures:
        yield from items
    yield from failures


def _standard_input(source: Source) -> Iterator[Read]:
    if sys.stdin is None:  # it was closed
        raise UsageError("There is no standard input to read.")
    stream = cast(io.BufferedReader, sys.stdin.buffer)
    start = stream.peek().removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] in (b"{", b""):
        yield from json_lines(stream, "stdin", source.columns, source.encoding)
    elif source.columns.patient:
        yield failure("stdin", "MissingPatient", "One note on standard input has no column that holds the patient.")
    else:
        yield one_note(stream, "stdin", source.encoding)


def _table(path: Path, source: Source) -> Iterator[Read]:
    if kind(path) == ".parquet":
        from medtext.readers.parquet import parquet_rows

        for number, row in enumerate(parquet_rows(path, source.columns), 1):
            yield note_of(row, f"{path.name}:{number}", source.columns, source.encoding)
        return
    reader = json_lines if kind(path) == ".jsonl" else csv_rows
    with open_bytes(path) as stream:
        yield from reader(stream, path.name, source.columns, source.encoding)


def _name(item: Read) -> str:
    return item.id if isinstance(item, Note) else item.document_id


def _renamed(item: Read, name: str) -> Read:
    return replace(item, id=name) if isinstance(item, Note) else replace(item, document_id=name)


def _with_plain_id(item: Read) -> Read:
    """The item with an id that can be written down: lone surrogates, as in old file names, are spelled out."""
    plain = _name(item).encode("utf-8", "backslashreplace").decode()
    return item if plain == _name(item) else _renamed(item, plain)


def _told_apart(items: Iterable[Read]) -> Iterator[Read]:
    """The items; a note whose id occurred before is a record with an id of its own (`name#2`), so that neither hides
    the other in what is written."""
    seen: set[str] = set()
    again: Counter[str] = Counter()
    for item in items:
        given = name = _name(item)
        while name in seen:
            again[given] += 1
            name = f"{given}#{again[given] + 1}"
        seen.add(name)
        if name == given:
            yield item
        elif isinstance(item, Record):
            yield _renamed(item, name)
        else:
            yield failure(name, "DuplicateId", "The id before the # occurred before; only its first note was read.")
