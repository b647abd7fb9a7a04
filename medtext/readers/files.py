"""Bytes from files: folders walked, gzip undone, and what is wrong with a whole file turned into one record."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from medtext.errors import NoteError
from medtext.readers.limits import LARGEST_FILE, START, Read, bad_byte, failure
from medtext.schema import Note, Record

TEXT_ENDS = (".txt", ".txt.gz")


def walk(folder: Path, below: str = "") -> Iterator[tuple[str, Path] | Record]:
    """The text files under a folder, each as its path below it and where it is, in the order of those paths.

    One folder's names are held at a time. A folder that cannot be listed is a record.
    """
    try:
        entries = sorted(os.scandir(folder), key=_in_order)
    except OSError as error:
        yield failure(below or f"{folder.name}/", "UnreadableFile", f"The folder cannot be read: {error.strerror}.")
        return
    for entry in entries:
        name = below + entry.name
        if _is_folder(entry):
            yield from walk(Path(entry.path), f"{name}/")
        elif entry.name.lower().endswith(TEXT_ENDS) and (entry.is_file() or not Path(entry.path).exists()):
            yield name, Path(entry.path)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _in_order(entry: os.DirEntry[str]) -> str:
    """What sorts the names of one folder as their whole paths would be sorted."""
    return entry.name + "/" if _is_folder(entry) else entry.name


def kind(path: Path) -> str:
    """The ending that says what a file holds, without `.gz`."""
    ending = path.suffix.lower()
    return path.with_suffix("").suffix.lower() if ending == ".gz" else ending


def open_bytes(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked where it is gzipped."""
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


@contextmanager
def reading(name: str, encoding: str) -> Iterator[list[Record]]:
    """Catches what can go wrong with a file; the list then holds the record that says so."""
    failures: list[Record] = []
    try:
        yield failures
    except NoteError as error:
        failures.append(failure(name, error.code, str(error)))
    except UnicodeDecodeError as error:
        failures.append(failure(name, "InvalidEncoding", str(bad_byte(error.start, encoding))))
    except UnicodeError:
        failures.append(failure(name, "InvalidEncoding", f"This is not {encoding}; name the encoding with --encoding."))
    except (EOFError, gzip.BadGzipFile, zlib.error):
        failures.append(failure(name, "TruncatedFile", "The gzip data end early or are damaged; pack the file again."))
    except OSError as error:
        failures.append(failure(name, "UnreadableFile", f"The file cannot be read: {error.strerror or 'damaged'}."))


def text_file(path: Path, name: str, encoding: str) -> Read:
    """The note that a text file is."""
    with reading(name, encoding) as failures, open_bytes(path) as stream:
        return one_note(stream, name, encoding)
    return failures[0]


def one_note(stream: IO[bytes], name: str, encoding: str) -> Note:
    """All of a stream as one note. Raises `NoteError` or `UnicodeError` for what is none."""
    data = stream.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise NoteError("TooLong", f"The file is larger than {LARGEST_FILE:,} bytes; split it into notes.")
    try:
        return Note(name, data.decode(encoding))
    except UnicodeDecodeError:
        if b"\0" not in data[:START]:
            raise
        said = "This is not text; if it is text of another encoding, such as utf-16, name that with --encoding."
        raise NoteError("BinaryFile", said) from None
