"""A JSON file a note, in folders that mirror the ids."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from medtext.errors import UsageError
from medtext.schema import Record
from medtext.writers.target import Target, Write, refuse, replacing

UNSAFE = re.compile(r"[\x00-\x1f\x7f<>:\"|?*\\\ud800-\udfff]")
LONGEST_NAME = 200  # bytes; file systems take 255, and ".json.part" is to fit


@contextmanager
def folder_writer(target: Target) -> Iterator[Write]:
    """A function that writes one record to its own file below `target.path`."""
    root = Path(target.path)
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is a file; name a folder.")
    if root.is_dir() and any(root.iterdir()):
        refuse(root, target)
    root.mkdir(parents=True, exist_ok=True)
    (root / ".medtext").touch()  # a folder that cannot be written to is told before any note is read
    (root / ".medtext").unlink()

    def write(record: Record) -> None:
        path = root / file_name(record.document_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(record.to_json(), ensure_ascii=False, indent=1) + "\n"
        with replacing(path) as temporary:
            temporary.write_bytes(text.encode())

    yield write


def folder_done(target: Target) -> Callable[[str], bool]:
    """What says of an id whether its file is there and holds no error."""

    def is_done(document_id: str) -> bool:
        try:
            row = json.loads((Path(target.path) / file_name(document_id)).read_bytes())
        except (OSError, ValueError):
            return False
        return isinstance(row, dict) and "Error" not in row

    return is_done


def file_name(document_id: str) -> PurePosixPath:
    """Where a note's record lies below the output folder. An id cannot lead out of it, nor be too long for a name."""
    parts = [UNSAFE.sub("_", part) for part in document_id.split("/") if part not in ("", ".", "..")]
    # No folder takes a name that a file may have.
    parts[:-1] = [f"{part}_" if part.endswith(".json") else part for part in parts[:-1]]
    plain = "/".join(parts)
    if not parts or plain != document_id or any(len(part.encode()) > LONGEST_NAME for part in parts):
        digest = hashlib.sha256(document_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        parts = [*(part[:40] for part in parts[:-1]), f"{parts[-1][:40] if parts else 'note'}-{digest}"]
    return PurePosixPath(*parts[:-1], parts[-1] + ".json")
