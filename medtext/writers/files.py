"""A JSON file a note, in folders that mirror the ids."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from medtext.schema import Record
from medtext.writers.encoding import encoded
from medtext.writers.target import META, Write, replacing

UNSAFE = re.compile(r"[\x00-\x1f\x7f<>:\"|?*\\\ud800-\udfff]")
LONGEST_NAME = 200  # bytes; file systems take 255, and ".json.part" is to fit


class NoteFiles:
    """A file a record; a shard is whole when all of its are. What other notes left stays."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def name(self, number: int, document_id: str) -> str:  # noqa: ARG002 - the id alone says where
        return str(file_name(document_id))

    @contextmanager
    def open(self, number: int) -> Iterator[Write]:  # noqa: ARG002 - the ids alone say where
        yield self._write

    def _write(self, record: Record) -> None:
        path = self._path(record.document_id)
        for folder in list(path.relative_to(self.folder).parents)[-2::-1]:
            (self.folder / folder).mkdir(
                exist_ok=True
            )  # never the output folder: what was removed is not to rise again
        with replacing(path) as temporary, temporary.open("wb") as out:
            out.writelines(encoded(record, indent=1))
            out.write(b"\n")

    def holds(self, number: int, ids: Sequence[str]) -> bool:  # noqa: ARG002
        return all(self._path(document_id).is_file() for document_id in ids)

    def read(self, number: int, ids: Sequence[str]) -> Iterator[Record]:  # noqa: ARG002
        for document_id in ids:
            yield Record.from_json(json.loads(self._path(document_id).read_bytes()))

    def clear(self, first: int) -> None:
        """What is no longer among the notes may have been written by others."""

    def _path(self, document_id: str) -> Path:
        return self.folder / file_name(document_id)


def file_name(document_id: str, ending: str = ".json") -> PurePosixPath:
    """Where a note's record lies below the output folder. An id cannot lead out of it, nor be too long for a name."""
    parts = [UNSAFE.sub("_", part) for part in document_id.split("/") if part not in ("", ".", "..")]
    # No folder takes a name that a file may have.
    parts[:-1] = [f"{part}_" if part.endswith(ending) else part for part in parts[:-1]]
    plain = "/".join(parts)
    if (
        not parts
        or plain != document_id
        or parts[0] == META
        or any(len(part.encode()) > LONGEST_NAME for part in parts)
    ):
        digest = hashlib.sha256(document_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        parts = [*(part[:40] for part in parts[:-1]), f"{parts[-1][:40] if parts else 'note'}-{digest}"]
    return PurePosixPath(*parts[:-1], parts[-1] + ending)
