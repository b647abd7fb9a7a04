"""JSON Lines: shards, one file of them, or standard output."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from medtext.schema import Record
from medtext.writers.encoding import encoded
from medtext.writers.shards import ShardFiles
from medtext.writers.target import Write


class LineShards(ShardFiles):
    """A line a record."""

    ending = "jsonl"

    @contextmanager
    def writing(self, path: Path) -> Iterator[Write]:
        with path.open("wb") as out:

            def write(record: Record) -> None:
                out.writelines(encoded(record))
                out.write(b"\n")

            yield write

    def read(self, number: int, ids: Sequence[str]) -> Iterator[Record]:  # noqa: ARG002 - they are in the lines
        with self.path(number).open("rb") as lines:
            yield from (Record.from_json(json.loads(row)) for row in lines)

    def join(self, count: int, path: Path) -> None:
        with path.open("wb") as out:
            for number in range(count):
                with self.path(number).open("rb") as shard:
                    shutil.copyfileobj(shard, out)


def write_to_stdout(record: Record) -> None:
    """One record to standard output, in UTF-8 whatever the terminal's encoding."""
    sys.stdout.buffer.writelines(encoded(record))
    sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()
