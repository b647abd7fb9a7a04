"""Records as JSON: at once, or piece by piece where they are as large as those of very long notes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from medtext.schema import Record

LARGE = 20_000  # entities, or unmapped attributes
HERE = '"@"'  # where the members of a list go: the last of these are ours, since ids come first


def is_large(record: Record) -> bool:
    """Whether the record's JSON is not to be in memory at once."""
    return len(record.entities) + len(record.unmapped_attributes) >= LARGE


def encoded(record: Record, indent: int | None = None) -> Iterator[bytes]:
    """What `json.dumps` makes of the record, a member of its lists at a time where these are long."""
    if not is_large(record):
        yield _dumps(record.to_json(), indent).encode()
        return
    row = replace(record, entities=(), unmapped_attributes=()).to_json()
    lists = []
    for name, rows in (("Entities", record.entity_rows()), ("UnmappedAttributes", record.unmapped_rows())):
        if (first := next(rows, None)) is not None:
            row[name] = ["@"]
            lists.append((first, rows))
    start, *ends = _dumps(row, indent).rsplit(HERE, len(lists))
    yield start.encode()
    for (first, rows), end in zip(lists, ends, strict=True):
        yield from _members(first, rows, indent)
        yield end.encode()


def _members(first: object, rows: Iterable[object], indent: int | None) -> Iterator[bytes]:
    new_line = "\n" if indent is None else "\n" + 2 * indent * " "
    between = ", " if indent is None else "," + new_line
    yield _dumps(first, indent).replace("\n", new_line).encode()
    for row in rows:
        yield (between + _dumps(row, indent).replace("\n", new_line)).encode()


def _dumps(row: Any, indent: int | None) -> str:
    return json.dumps(row, ensure_ascii=False, indent=indent)
