"""The readers behind `medtext.readers`."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from medtext.errors import NoteError, UsageError
from medtext.schema import Failure, Note, Record

LONGEST_NOTE = 1_000_000
"""Characters; a longer note is an error at once instead of minutes of work (spaCy's own limit)."""
LARGEST_FILE = 16 * LONGEST_NOTE
"""Bytes of a text file that are read at all."""
TEXT_NAMES = ("text", "note", "note_text", "body", "Text")
ID_NAMES = ("id", "document_id", "note_id", "DocumentId", "doc_id")
STDIN = "-"
CONTROLS = frozenset(map(chr, range(32))) - frozenset("\t\n\r\f\v\x1b")
BINARY_SHARE = 0.05  # of control characters in the first part of a text: more is no text
TABLES = (".jsonl", ".csv", ".parquet")

Read = Note | Record


@dataclass(frozen=True, slots=True)
class TableColumns:
    """The names of the columns that hold the text and the id; None looks for the usual names."""

    text: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where notes come from and how they are to be read."""

    paths: tuple[str, ...]
    columns: TableColumns = TableColumns()
    encoding: str = "utf-8"


def read(source: Source) -> Iterator[Read]:
    """The notes of a source, in a fixed order; a note that cannot be read is a `Record` with an error.

    Raises:
        UsageError: for a path that does not exist, a kind of file that is not known, or a table without a text column.
    """
    seen: set[str] = set()
    for item in map(_with_plain_id, _all(source)):
        name = item.id if isinstance(item, Note) else item.document_id
        if name in seen:
            yield _failure(name, "DuplicateId", "This id occurred before; only the first note with it was read.")
            continue
        seen.add(name)
        yield _checked(item) if isinstance(item, Note) else item


def _with_plain_id(item: Read) -> Read:
    """The item with an id that can be written down: halves of surrogate pairs, as in file names of old, are spelled out."""
    name = item.id if isinstance(item, Note) else item.document_id
    plain = name.encode("utf-8", "backslashreplace").decode()
    if plain == name:
        return item
    return replace(item, id=plain) if isinstance(item, Note) else replace(item, document_id=plain)


def count(source: Source) -> int | None:
    """How many notes there are to read, where that is known without reading them."""
    paths = [Path(path) for path in source.paths if path != STDIN]
    if len(paths) < len(source.paths) or any(_kind(path) in TABLES for path in paths if not path.is_dir()):
        return None
    return sum(len(_text_files(path)) if path.is_dir() else 1 for path in paths)


def check(source: Source) -> None:
    """Raises `UsageError` for what can be seen to be wrong before any note is read."""
    for path in source.paths:
        if path != STDIN and not Path(path).exists():
            raise UsageError(f"There is no {path}.")
    try:
        "".encode(source.encoding)
    except LookupError:
        raise UsageError(f"There is no encoding {source.encoding!r}.") from None


def _all(source: Source) -> Iterator[Read]:
    for path in source.paths:
        if path == STDIN:
            yield from _json_lines(sys.stdin.buffer, "stdin", source)
        elif Path(path).is_dir():
            yield from (_text_file(file, file.relative_to(path).as_posix(), source) for file in _text_files(Path(path)))
        else:
            yield from _file(Path(path), source)


def _text_files(folder: Path) -> list[Path]:
    files = (path for path in folder.rglob("*") if path.name.endswith((".txt", ".txt.gz")) and path.is_file())
    return sorted(files, key=lambda path: path.relative_to(folder).as_posix())


def _kind(path: Path) -> str:
    return path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix


def _file(path: Path, source: Source) -> Iterator[Read]:
    kind = _kind(path)
    if kind == ".jsonl":
        yield from _opened(path, _json_lines, source)
    elif kind == ".csv":
        yield from _opened(path, _csv, source)
    elif kind == ".parquet":
        from medtext.readers.parquet import parquet_rows

        yield from _table(path.name, parquet_rows(path), source)
    elif kind in (".txt", ""):
        yield _text_file(path, path.name, source)
    else:
        raise UsageError(f"medtext does not read {kind} files; use .txt, .jsonl, .csv or .parquet (or .gz of these).")


def _opened(path: Path, reader: Any, source: Source) -> Iterator[Read]:
    with _unreadable(path.name) as failures, _bytes(path) as stream:
        yield from reader(stream, path.name, source)
    yield from failures


@contextmanager
def _unreadable(name: str) -> Iterator[list[Record]]:
    """Turns what goes wrong with a whole file into one record."""
    failures: list[Record] = []
    try:
        yield failures
    except UnicodeDecodeError as error:
        failures.append(_failure(name, "InvalidEncoding", _decoding(error)))
    except (EOFError, gzip.BadGzipFile, zlib.error):
        failures.append(_failure(name, "TruncatedFile", "The gzip data end early or are damaged; pack the file again."))
    except OSError as error:
        failures.append(_failure(name, "UnreadableFile", f"The file cannot be read: {error.strerror}."))


def _bytes(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _text_file(path: Path, name: str, source: Source) -> Read:
    with _unreadable(name) as failures:
        with _bytes(path) as stream:
            data = stream.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            return _failure(name, "TooLong", f"The file is larger than {LARGEST_FILE:,} bytes; split it into notes.")
        if b"\0" in data[:4096] and source.encoding == "utf-8":
            return _failure(name, "BinaryFile", "This is a binary file, not text.")
        return Note(name, data.decode(source.encoding))
    return failures[0]


def _json_lines(stream: IO[bytes], name: str, source: Source) -> Iterator[Read]:
    for number, line in enumerate(stream, 1):
        place = f"{name}:{number}"
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode(source.encoding))
        except UnicodeDecodeError as error:
            yield _failure(place, "InvalidEncoding", _decoding(error))
            continue
        except (ValueError, RecursionError):
            yield _failure(place, "InvalidJson", "This line is not valid JSON.")
            continue
        if not isinstance(row, dict):
            yield _failure(place, "InvalidJson", "This line is not a JSON object.")
            continue
        yield _row(row, place, source.columns)


def _csv(stream: IO[bytes], name: str, source: Source) -> Iterator[Read]:
    csv.field_size_limit(LARGEST_FILE)
    text = io.TextIOWrapper(stream, encoding=source.encoding, newline="")
    try:
        yield from _table(name, csv.DictReader(text, strict=True), source)
    except csv.Error:
        yield _failure(f"{name}:end", "InvalidCsv", "The table breaks off or is malformed here; the rows before it were read.")


def _table(name: str, rows: Iterable[Mapping[str, Any]], source: Source) -> Iterator[Read]:
    try:
        for number, row in enumerate(rows, 1):
            if number == 1:
                _require(row, name, source.columns)
            yield _row(row, f"{name}:{number}", source.columns)
    except NoteError as error:
        yield _failure(name, error.code, str(error))


def _require(row: Mapping[str, Any], name: str, columns: TableColumns) -> None:
    for wanted, usual, what in ((columns.text, TEXT_NAMES, "text"), (columns.id, ID_NAMES, "id")):
        if wanted is None and what == "id":
            continue
        if not any(key in row for key in ([wanted] if wanted else usual)):
            option = f"There is no column {wanted!r}" if wanted else f"None of the columns is called {' or '.join(usual)}"
            raise UsageError(f"{option} in {name}; name the {what} column with --{what}-column.")


def _row(row: Mapping[str, Any], place: str, columns: TableColumns) -> Read:
    """The note of one row; `place` is its id where it has none."""
    name = _first(row, [columns.id] if columns.id else ID_NAMES)
    document_id = place if name is None or name == "" else str(name)
    text = _first(row, [columns.text] if columns.text else TEXT_NAMES)
    if text is None:
        return _failure(document_id, "MissingText", "This row has no text.")
    if not isinstance(text, str):
        return _failure(document_id, "MissingText", "The text of this row is not a string.")
    return Note(document_id, text)


def _first(row: Mapping[str, Any], names: Iterable[str | None]) -> Any:
    return next((row[name] for name in names if name in row), None)


def _checked(note: Note) -> Read:
    """The note, or why it is none."""
    try:
        check_text(note.text)
    except NoteError as error:
        return _failure(note.id, error.code, str(error))
    return note


def check_text(text: str) -> None:
    """Raises `NoteError` for a text that is no note: empty, too long, binary, or not Unicode."""
    if not text or text.isspace():
        raise NoteError("EmptyNote", "The note is empty.")
    if len(text) > LONGEST_NOTE:
        raise NoteError("TooLong", f"The note has {len(text):,} characters; the limit is {LONGEST_NOTE:,}.")
    start = text[:4096]
    if sum(map(CONTROLS.__contains__, start)) > BINARY_SHARE * len(start):
        raise NoteError("BinaryFile", "This is binary data, not text.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        message = f"Character {error.start} is half of a surrogate pair and stands for nothing; mend the note's source."
        raise NoteError("LoneSurrogate", message) from None


def _decoding(error: UnicodeDecodeError) -> str:
    return f"Byte {error.start} is not {error.encoding}; name the note's encoding with --encoding."


def _failure(name: str, code: str, message: str) -> Record:
    return Record(name, error=Failure(code, message))
