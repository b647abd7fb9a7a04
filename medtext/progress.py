"""How far a job is, on standard error: a bar on a terminal, plain lines elsewhere, or JSON Lines for machines.

docs/batch.md lists the fields of the JSON Lines. Ids are the only words of the user's in any of these.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from tqdm import tqdm

from medtext.schema import Record
from medtext.tally import Tally

SECONDS = 15.0  # between lines where there is no bar


class Meter:
    """What there is to say of a job on its way, and whether it is time to say it."""

    def __init__(self, tally: Tally, total: int | None) -> None:
        self._tally = tally
        self._total = total
        self._start = self._said = time.monotonic()

    def is_due(self) -> bool:
        """Whether `SECONDS` have passed since this last was so."""
        due = time.monotonic() - self._said >= SECONDS
        if due:
            self._said = time.monotonic()
        return due

    def measured(self) -> dict[str, float | int | None]:
        """Counts, rates of this run and, where it can be told, the seconds left."""
        seconds = max(time.monotonic() - self._start, 1e-9)
        notes = self._tally.notes
        left = (
            None if self._total is None or not notes else (self._total - self._tally.before - notes) * seconds / notes
        )
        return {
            "notes": notes,
            "notes_before": self._tally.before,
            "notes_total": self._total,
            "failed": self._tally.failed,
            "characters": self._tally.characters,
            "seconds": round(seconds, 3),
            "notes_per_second": round(notes / seconds, 2),
            "characters_per_second": round(self._tally.characters / seconds),
            "seconds_left": None if left is None else round(max(left, 0.0)),
        }

    def line(self) -> str:
        """The same for people."""
        said = self.measured()
        left = "" if said["seconds_left"] is None else f", {tqdm.format_interval(said['seconds_left'])} left"
        failed = f", {said['failed']} failed" if said["failed"] else ""
        rates = f"{said['notes_per_second']:.1f} a second, {said['characters_per_second']:,} characters a second"
        return f"{said['notes']} notes, {rates}{failed}{left}"


def with_bar(records: Iterable[Record], tally: Tally, total: int | None) -> Iterator[Record]:
    """The records, counted and shown."""
    with tqdm(total=total, unit=" notes", file=sys.stderr, dynamic_ncols=True) as bar:
        meter = Meter(tally, total)
        for record in records:
            tally.add(record)
            bar.initial = tally.before  # these took no time, and are not to flatter the rate
            bar.set_postfix_str(
                f"{meter.measured()['characters_per_second']:,} characters/s, {tally.failed} failed", refresh=False
            )
            bar.update(tally.before + tally.notes - bar.n)
            yield record


def with_lines(records: Iterable[Record], tally: Tally, total: int | None) -> Iterator[Record]:
    """The records, counted, and a line now and then."""
    meter = Meter(tally, total)
    for record in records:
        tally.add(record)
        if meter.is_due():
            print(meter.line(), file=sys.stderr, flush=True)  # noqa: T201
        yield record


def with_events(records: Iterable[Record], tally: Tally, total: int | None) -> Iterator[Record]:
    """The records, counted, and a JSON line for each failure and now and then."""
    meter = Meter(tally, total)
    for record in records:
        tally.add(record)
        if record.error:
            event("failed", id=record.document_id, code=record.error.code, message=record.error.message)
        if meter.is_due():
            event("progress", **meter.measured())
        yield record
    event("read", **meter.measured())


def event(name: str, **fields: object) -> None:
    """One JSON line on standard error, in ASCII."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    print(json.dumps({"event": name, "time": now, **fields}), file=sys.stderr, flush=True)  # noqa: T201
