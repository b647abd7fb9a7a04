"""Rows of tables, each a note: JSON Lines, CSV, and what Parquet gives."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any

from medtext.errors import NoteError
from medtext.readers.limits import LONGEST_ROW, Read, bad_byte, failure
from medtext.schema import Note

TEXT_NAMES = ("text", "note_text", "note", "body")
ID_NAMES = ("id", "document_id", "documentid", "note_id", "doc_id", "row_id")
BAD_BYTE = re.compile("[\udc80-\udcff]")  # what Python makes of a byte that is not of the encoding (surrogateescape)
SEPARATOR = re.compile(r"[;|\t]")  # what some programs write in the place of a comma

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TableColumns:
    """The names of the columns that hold the text and the id; None looks for the usual names, in capitals or not.

    `patient` is the column that says whose note it is, where it is to be read.
    """

    text: str | None = None
    id: str | None = None
    patient: str | None = None

    def text_in(self, names: Collection[str]) -> str | None:
        """Which of these columns holds the text."""
        return _column(names, self.text, TEXT_NAMES)

    def id_in(self, names: Collection[str]) -> str | None:
        """Which of these columns holds the id."""
        return _column(names, self.id, ID_NAMES)

    def missing(self, names: Collection[str]) -> str | None:
        """What is wrong with a table of these columns, in a sentence, if anything."""
        if len(names) == 1 and any(map(SEPARATOR.search, names)):
            return "There is one column only; separate columns by commas."
        if self.text_in(names) is None:
            wanted = f"no column {self.text!r}" if self.text else f"no column called {' or '.join(TEXT_NAMES)}"
            return f"There is {wanted}; name the one that holds the text with --text-column."
        if self.id and self.id_in(names) is None:
            return f"There is no column {self.id!r}; name the one that holds the id with --id-column."
        if self.patient and self.patient not in names:
            return f"There is no column {self.patient!r}; name the one that holds the patient with --patient-column."
        return None

    def found_in(self, names: Collection[str]) -> list[str]:
        """The columns among these that are to be read. Raises `NoteError` where one is missing."""
        if missing := self.missing(names):
            raise NoteError("MissingColumn", missing)
        found = (self.text_in(names), self.id_in(names), self.patient)
        return list(dict.fromkeys(name for name in found if name))


def _column(names: Collection[str], wanted: str | None, usual: Collection[str]) -> str | None:
    if wanted:
        return wanted if wanted in names else None
    spelled = {name.lower(): name for name in names if name}
    return next((spelled[name] for name in usual if name in spelled), None)


def note_of(row: Row, place: str, columns: TableColumns, encoding: str) -> Read:
    """The note of one row; `place` is its id where it has none."""
    name = row.get(columns.id_in(row) or "")
    document_id = str(name) if isinstance(name, str | int | float) and name != "" else place
    text = row.get(columns.text_in(row) or "")
    if isinstance(text, bytes):
        try:
            text = text.decode(encoding)
        except UnicodeDecodeError as error:
            return failure(document_id, "InvalidEncoding", str(bad_byte(error.start, encoding)))
    if not isinstance(text, str):
        said = "This row has no text." if text is None else "The text of this row is not a string."
        return failure(document_id, "MissingText", said)
    if not columns.patient:
        return Note(document_id, text)
    patient = row.get(columns.patient)
    if not isinstance(patient, str | int | float) or patient == "":
        return failure(document_id, "MissingPatient", "This row does not say whose note it is.")
    return Note(document_id, text, str(patient))


def json_lines(stream: IO[bytes], name: str, columns: TableColumns, encoding: str) -> Iterator[Read]:
    """The notes of JSON Lines; a line that is wrong is a record, and the next is read."""
    with _decoded(stream, encoding) as text:
        for number, line in enumerate(_lines(text), 1):
            place = f"{name}:{number}"
            try:
                if line.strip():
                    yield note_of(_parsed(line, encoding), place, columns, encoding)
            except NoteError as error:
                yield failure(place, error.code, str(error))


def _lines(text: io.TextIOBase) -> Iterator[str]:
    """The lines; one that is too long to be a note's is cut, which no JSON survives, and the rest of it is skipped."""
    while line := text.readline(LONGEST_ROW):
        rest = line
        while len(rest) == LONGEST_ROW and not rest.endswith("\n"):
            rest = text.readline(LONGEST_ROW)
        yield line


def _parsed(line: str, encoding: str) -> Row:
    if bad := BAD_BYTE.search(line):
        raise bad_byte(_bytes_before(line, bad.start(), encoding), encoding)
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise NoteError("InvalidJson", "This line is not valid JSON.") from None
    if not isinstance(row, dict):
        raise NoteError("InvalidJson", "This line is not a JSON object.")
    return row


def csv_rows(stream: IO[bytes], name: str, columns: TableColumns, encoding: str) -> Iterator[Read]:
    """The notes of a CSV table with a line of column names. Raises `NoteError` for a table that is none."""
    with _decoded(stream, encoding, newline="") as text:
        reader = _csv_reader(text)
        try:
            if not reader.fieldnames:
                raise NoteError("EmptyTable", "The table is empty; it has no line of column names.")
            columns.found_in(reader.fieldnames)
            for number, row in enumerate(reader, 1):
                yield _csv_note(row, f"{name}:{number}", columns, encoding)
        except csv.Error:
            where = f"The table is malformed near line {reader.reader.line_num}; the rows before it were read."
            yield failure(f"{name}:end", "InvalidCsv", where)


def csv_columns(stream: IO[bytes], encoding: str) -> list[str]:
    """The names of a CSV table's columns; none where it is malformed."""
    with _decoded(stream, encoding, newline="") as text, suppress(csv.Error):
        return list(_csv_reader(text).fieldnames or ())
    return []


def _csv_reader(text: io.TextIOBase) -> csv.DictReader[str]:
    csv.field_size_limit(LONGEST_ROW)  # the module's own, 131,072, is shorter than many notes
    return csv.DictReader(text, strict=True)


def _csv_note(row: dict[Any, Any], place: str, columns: TableColumns, encoding: str) -> Read:
    """A row with a comma too many would lose the end of its note without a word."""
    if None in row:
        return failure(place, "InvalidCsv", "This row has more fields than there are columns; put its text in quotes.")
    item = note_of(row, place, columns, encoding)
    if isinstance(item, Note) and (bad := BAD_BYTE.search(item.text)):
        error = bad_byte(_bytes_before(item.text, bad.start(), encoding), encoding)
        return failure(item.id, error.code, str(error))
    return item


def _bytes_before(text: str, place: int, encoding: str) -> int:
    return len(text[:place].encode(encoding, "surrogateescape"))


@contextmanager
def _decoded(stream: IO[bytes], encoding: str, newline: str = "\n") -> Iterator[io.TextIOWrapper]:
    """The characters of a table, line ends as they are, without a byte order mark; bad bytes match `BAD_BYTE`."""
    marked = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    text = io.TextIOWrapper(stream, encoding=marked, errors="surrogateescape", newline=newline)
    try:
        yield text
    finally:
        text.detach()
