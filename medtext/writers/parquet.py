"""Records as Parquet: one row a note, with the names of the JSON; entities are a list of structs.

That keeps a note and what was found in it together, failed notes included, and is one `explode` of `Entities` away
from a row an entity, in Spark and in pandas.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from medtext.schema import Record
from medtext.writers.target import Target, Write, refuse, replacing

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


def to_batch(records: Iterable[Record]) -> pa.RecordBatch:
    """Records as an Arrow batch of `SCHEMA`."""
    return pa.RecordBatch.from_pylist([record.to_json() for record in records], schema=SCHEMA)


def lines_batch(records: Iterable[Record]) -> pa.RecordBatch:
    """Records as an Arrow batch of one column, `value`: each the line of JSON that it is in JSON Lines."""
    lines = [json.dumps(record.to_json(), ensure_ascii=False) for record in records]
    return pa.RecordBatch.from_arrays([pa.array(lines, pa.string())], ["value"])


@contextmanager
def parquet_writer(target: Target) -> Iterator[Write]:
    """A function that writes one record to `target.file`."""
    path = target.file
    refuse(path, target)
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting: list[dict[str, Any]] = []
    with replacing(path) as temporary, pq.ParquetWriter(temporary, SCHEMA, compression="zstd") as out:

        def flush() -> None:
            out.write_table(pa.Table.from_pylist(waiting, schema=SCHEMA))
            waiting.clear()

        def write(record: Record) -> None:
            waiting.append(record.to_json())
            if len(waiting) >= ROWS:
                flush()

        yield write
        if waiting:
            flush()
