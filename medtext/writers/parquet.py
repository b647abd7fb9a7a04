"""Records as Parquet: one row a note, with the names of the JSON; entities are a list of structs.

That keeps a note and what was found in it together, failed notes included, and is one `explode` of `Entities` away
from a row an entity, in Spark and in pandas.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from medtext.schema import CONCEPT_LISTS, Note, Record
from medtext.writers.encoding import is_large
from medtext.writers.shards import ShardFiles
from medtext.writers.target import Write

ROWS = 512  # records of a row group

TRAIT = pa.struct([("Name", pa.string()), ("Score", pa.float64())])
VALUE = pa.struct(
    [
        ("Low", pa.float64()),
        ("High", pa.float64()),
        ("Comparator", pa.string()),
        ("Unit", pa.string()),
        ("Scale", pa.int32()),
        ("Grade", pa.int32()),
        ("Systolic", pa.int32()),
        ("Diastolic", pa.int32()),
        ("Interpretation", pa.string()),
        ("ReferenceLow", pa.float64()),
        ("ReferenceHigh", pa.float64()),
        ("Abnormal", pa.bool_()),
        ("Duration", pa.string()),
        ("Date", pa.string()),
    ]
)
ATTRIBUTE = pa.struct(
    [
        ("Id", pa.int32()),
        ("Type", pa.string()),
        ("Category", pa.string()),
        ("BeginOffset", pa.int32()),
        ("EndOffset", pa.int32()),
        ("Score", pa.float64()),
        ("RelationshipType", pa.string()),
        ("RelationshipScore", pa.float64()),
        ("Value", VALUE),
        ("Traits", pa.list_(TRAIT)),
        ("Source", pa.string()),
    ]
)
SIG = pa.struct(
    [
        ("DoseLow", pa.float64()),
        ("DoseHigh", pa.float64()),
        ("DoseUnit", pa.string()),
        ("PerDayLow", pa.float64()),
        ("PerDayHigh", pa.float64()),
        ("Route", pa.string()),
        ("AsNeeded", pa.bool_()),
        ("AsNeededForBeginOffset", pa.int32()),
        ("AsNeededForEndOffset", pa.int32()),
        ("DurationDays", pa.float64()),
    ]
)
CONCEPTS = pa.list_(pa.struct([("Code", pa.string()), ("Description", pa.string()), ("Score", pa.float64())]))
ENTITY = pa.struct(
    [
        ("Id", pa.int32()),
        ("BeginOffset", pa.int32()),
        ("EndOffset", pa.int32()),
        ("Score", pa.float64()),
        ("Category", pa.string()),
        ("Type", pa.string()),
        ("Subtype", pa.string()),
        ("Value", VALUE),
        ("Traits", pa.list_(TRAIT)),
        ("Attributes", pa.list_(ATTRIBUTE)),
        ("Sig", SIG),
        *((name, CONCEPTS) for name in CONCEPT_LISTS.values()),
        ("Section", pa.string()),
        ("Source", pa.string()),
    ]
)
SCHEMA = pa.schema(
    [
        ("DocumentId", pa.string()),
        ("Characters", pa.int32()),
        ("ModelVersion", pa.string()),
        ("Entities", pa.list_(ENTITY)),
        ("UnmappedAttributes", pa.list_(pa.struct([("Type", pa.string()), ("Attribute", ATTRIBUTE)]))),
        ("Error", pa.struct([("Code", pa.string()), ("Message", pa.string())])),
    ]
)


NOTES = pa.schema([("id", pa.string()), ("text", pa.string())])


class ParquetShards(ShardFiles):
    """A row a record, of `SCHEMA`."""

    ending = "parquet"

    @contextmanager
    def writing(self, path: Path) -> Iterator[Write]:
        waiting: list[dict[str, Any]] = []
        with _opened(path) as out:

            def flush() -> None:
                if waiting:
                    out.write_table(pa.Table.from_pylist(waiting, schema=SCHEMA))
                waiting.clear()

            def write(record: Record) -> None:
                if is_large(record):
                    flush()
                    out.write_table(_table(record))
                    return
                waiting.append(record.to_json())
                if len(waiting) >= ROWS:
                    flush()

            yield write
            flush()

    def read(self, number: int, ids: Sequence[str]) -> Iterator[Record]:  # noqa: ARG002 - they are in the rows
        with pq.ParquetFile(self.path(number)) as shard:
            for batch in shard.iter_batches(batch_size=ROWS):
                yield from map(from_row, batch.to_pylist())

    def join(self, count: int, path: Path) -> None:
        with _opened(path) as out:
            for number in range(count):
                with pq.ParquetFile(self.path(number)) as shard:
                    for group in range(shard.num_row_groups):
                        out.write_table(shard.read_row_group(group))


def to_batch(records: Iterable[Record]) -> pa.RecordBatch:
    """Records as an Arrow batch of `SCHEMA`."""
    return pa.RecordBatch.from_pylist([record.to_json() for record in records], schema=SCHEMA)


def lines_batch(records: Iterable[Record]) -> pa.RecordBatch:
    """Records as an Arrow batch of one column, `value`: each the line of JSON that it is in JSON Lines."""
    lines = [json.dumps(record.to_json(), ensure_ascii=False) for record in records]
    return pa.RecordBatch.from_arrays([pa.array(lines, pa.string())], ["value"])


@contextmanager
def notes_writer(path: Path, rows: int) -> Iterator[Callable[[Note], None]]:
    """A function that writes one note as a row of `id` and `text`, `rows` at a time."""
    waiting: list[dict[str, str]] = []
    with _opened(path, NOTES) as out:

        def flush() -> None:
            out.write_table(pa.Table.from_pylist(waiting, schema=NOTES))
            waiting.clear()

        def write(note: Note) -> None:
            waiting.append({"id": note.id, "text": note.text})
            if len(waiting) >= rows:
                flush()

        yield write
        flush()


def _opened(path: Path, schema: pa.Schema = SCHEMA) -> Any:
    return pq.ParquetWriter(path, schema, compression="zstd")


def _table(record: Record) -> pa.Table:
    """One row, put together a few members of its lists at a time."""
    lists = {"Entities": record.entity_rows(), "UnmappedAttributes": record.unmapped_rows()}
    head = replace(record, entities=(), unmapped_attributes=()).to_json()
    columns = [
        _list(lists[column.name], column.type)
        if column.name in lists
        else pa.array([head.get(column.name)], column.type)
        for column in SCHEMA
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def _list(rows: Iterator[dict[str, Any]], kind: pa.ListType) -> pa.Array:
    parts = [pa.array([], kind.value_type)]
    while few := list(islice(rows, ROWS)):
        parts.append(pa.array(few, kind.value_type))
    members = pa.concat_arrays(parts)
    return pa.ListArray.from_arrays(pa.array([0, len(members)], pa.int32()), members, type=kind)


def from_row(row: dict[str, Any]) -> Record:
    """The record of a row of `SCHEMA`, in which what a record lacks is null."""
    return Record.from_json(row if row["Error"] else {name: cell for name, cell in row.items() if name != "Error"})
