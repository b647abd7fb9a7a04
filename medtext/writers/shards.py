"""What a shard is in each format, and the forms of it that are a file."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ClassVar, Protocol

from medtext.schema import Record
from medtext.writers.target import Write, replacing

NAME = re.compile(r"records-(\d{5,})\.(?:jsonl|parquet)(\.part)?")


class Shards(Protocol):
    """The shards of an output, by their number from 0. `ids` are those of the notes in the shard, in order."""

    def name(self, number: int, document_id: str) -> str:
        """The file, below the output folder, that holds a note's record."""

    def open(self, number: int) -> AbstractContextManager[Write]:
        """A function that writes one record; the shard is whole and on the disk when the block ends well."""

    def holds(self, number: int, ids: Sequence[str]) -> bool:
        """Whether the shard is there."""

    def read(self, number: int, ids: Sequence[str]) -> Iterator[Record]:
        """The shard's records."""

    def clear(self, first: int) -> None:
        """Removes the shards from this one on, and what of them was left behind half written."""


class ShardFiles(ABC):
    """Shards that are a file each: `records-00000.jsonl`, `records-00001.jsonl` …"""

    ending: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def name(self, number: int, document_id: str = "") -> str:  # noqa: ARG002 - which note does not matter
        return f"records-{number:05}.{self.ending}"

    @contextmanager
    def open(self, number: int) -> Iterator[Write]:
        with replacing(self.path(number)) as temporary, self.writing(temporary) as write:
            yield write

    def holds(self, number: int, ids: Sequence[str]) -> bool:  # noqa: ARG002 - the file is whole or absent
        return self.path(number).is_file()

    def clear(self, first: int) -> None:
        for path in self.folder.iterdir():
            if (match := NAME.fullmatch(path.name)) and (int(match[1]) >= first or match[2]):
                path.unlink()

    def path(self, number: int) -> Path:
        return self.folder / self.name(number)

    @abstractmethod
    def writing(self, path: Path) -> AbstractContextManager[Write]:
        """A function that writes one record into the file."""

    @abstractmethod
    def read(self, number: int, ids: Sequence[str]) -> Iterator[Record]:
        """See `Shards`."""

    @abstractmethod
    def join(self, count: int, path: Path) -> None:
        """Writes the first `count` shards into one file."""
