"""What a note may be, and the records of what is none."""

from __future__ import annotations

from medtext.errors import NoteError
from medtext.schema import Failure, Note, Record

LONGEST_NOTE = 100_000_000
"""Characters; a longer note is an error at once instead of an hour of work."""
LARGEST_FILE = 2 * LONGEST_NOTE
"""Bytes of a text file that are read at all."""
LONGEST_ROW = 2 * LONGEST_NOTE
"""Characters of a table's row that are read at all: enough to give the id of a note that is too long."""
START = 4096  # characters by which a binary file is told
CONTROLS = frozenset(map(chr, range(32))) - frozenset("\t\n\r\f\v\x1b")
BINARY_SHARE = 0.05  # of control characters at the start of a text: more is no text

Read = Note | Record
"""What readers give: a note, or the record that says why it is none."""


def failure(name: str, code: str, message: str) -> Record:
    """The record of what cannot be read."""
    return Record(name, error=Failure(code, message))


def checked(note: Note) -> Read:
    """The note, or why it is none."""
    try:
        check_text(note.text)
    except NoteError as error:
        return failure(note.id, error.code, str(error))
    return note


def check_text(text: str) -> None:
    """Raises `NoteError` for a text that is no note: no string, empty, too long, binary, or not Unicode."""
    if text is not None and not isinstance(text, str):
        raise NoteError("MissingText", f"The note is of type {type(text).__name__} and not a string.")
    if not text or text.isspace():
        raise NoteError("EmptyNote", "The note is empty.")
    if len(text) > LONGEST_NOTE:
        raise NoteError("TooLong", f"The note has {len(text):,} characters; the limit is {LONGEST_NOTE:,}.")
    start = text[:START]
    if sum(map(CONTROLS.__contains__, start)) > BINARY_SHARE * len(start):
        raise NoteError("BinaryFile", "This is binary data, not text.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        message = f"Character {error.start} is half of a surrogate pair and stands for nothing; mend the note's source."
        raise NoteError("LoneSurrogate", message) from None


def bad_byte(place: int, encoding: str) -> NoteError:
    """The error for a byte, counted from 0, that is not of the encoding."""
    return NoteError("InvalidEncoding", f"Byte {place} is not {encoding}; name the note's encoding with --encoding.")
