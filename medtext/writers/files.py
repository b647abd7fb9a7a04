"""A file a note, in folders that mirror the ids: JSON for a record, text for a redacted note."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from medtext.errors import UsageError
from medtext.schema import Note, Record
from medtext.writers.target import Target, Write, refuse, replacing

UNSAFE = re.compile(r"[\x00-\x1f\x7f<>:\"|?*\\\ud800-\udfff]")
LONGEST_NAME = 200  # bytes; file systems take 255, and ".json.part" is to fit


@contextmanager
def folder_writer(target: Target) -> Iterator[Write]:
    """A function that writes one record or note to its own file below `target.path`."""
    root = Path(target.path)
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is a file; name a folder.")
    if root.is_dir() and any(root.iterdir()):
        refuse(root, target)
    root.mkdir(parents=True, exist_ok=True)
    (root / ".medtext").touch()  # a folder that cannot be written to is told before any note is read
    (root / ".medtext").unlink()

    written: set[Path] = set()

    def write(item: Record | Note) -> None:
        path = root / (text_name(item.id) if isinstance(item, Note) else file_name(item.document_id))
        if target.notes and path in written:  # "a" beside "a.txt"
            raise UsageError(f"Two notes would be the same file in {root}; write a .jsonl file instead.")
        written.add(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(_content(item).encode())

    yield write


def _content(item: Record | Note) -> str:
    return item.text if isinstance(item, Note) else json.dumps(item.to_json(), ensure_ascii=False, indent=1) + "\n"


def folder_done(target: Target) -> Callable[[str], bool]:
    """What says of an id whether its file is there and holds no error."""
    if target.notes:
        return lambda document_id: (Path(target.path) / text_name(document_id)).is_file()

    def is_done(document_id: str) -> bool:
        try:
            row = json.loads((Path(target.path) / file_name(document_id)).read_bytes())
        except (OSError, ValueError):
            return False
        return isinstance(row, dict) and "Error" not in row

    return is_done


def text_name(document_id: str) -> PurePosixPath:
    """Where a redacted note lies: "ward-3/b.txt" under its own name, and "17" as `17.txt`."""
    return file_name(document_id.removesuffix(".txt"), ".txt")


def file_name(document_id: str, ending: str = ".json") -> PurePosixPath:
    """Where a note's record lies below the output folder. An id cannot lead out of it, nor be too long for a name."""
    parts = [UNSAFE.sub("_", part) for part in document_id.split("/") if part not in ("", ".", "..")]
    # No folder takes a name that a file may have.
    parts[:-1] = [f"{part}_" if part.endswith(ending) else part for part in parts[:-1]]
    plain = "/".join(parts)
    if not parts or plain != document_id or any(len(part.encode()) > LONGEST_NAME for part in parts):
        digest = hashlib.sha256(document_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        parts = [*(part[:40] for part in parts[:-1]), f"{parts[-1][:40] if parts else 'note'}-{digest}"]
    return PurePosixPath(*parts[:-1], parts[-1] + ending)
