"""A text with stretches of it replaced, and where its offsets went. presidio-anonymizer does the replacing.

Its engine works through a whole text for each replacement, so that many in a long note would take time that grows with
the square of their number: it gets a note in pieces of `AT_ONCE` replacements. Its logger gets no say: it may hold text.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from presidio_anonymizer import AnonymizerEngine
from presidio_anonymizer.entities import OperatorConfig, RecognizerResult

logging.getLogger("presidio-anonymizer").disabled = True

AT_ONCE = 100


@dataclass(frozen=True, slots=True, order=True)
class Replaced:
    """`[begin, end)` of the original became `[new_begin, new_end)`. It holds nothing of either text."""

    begin: int
    end: int
    new_begin: int
    new_end: int
    type: str
    subtype: str = ""

    def to_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {"Type": self.type, "BeginOffset": self.begin, "EndOffset": self.end}
        if self.subtype:
            row["Subtype"] = self.subtype
        return {**row, "NewBeginOffset": self.new_begin, "NewEndOffset": self.new_end}


@dataclass(frozen=True, slots=True)
class Redacted:
    """A note without its identifiers, and what was replaced, in order."""

    text: str
    replaced: tuple[Replaced, ...] = ()

    def to_new(self, offset: int) -> int:
        """Where an offset of the original is in the new text; one inside of what was replaced is at its begin."""
        return _moved(offset, [(one.begin, one.end, one.new_begin, one.new_end) for one in self.replaced])

    def to_old(self, offset: int) -> int:
        """Where an offset of the new text was in the original; one inside of a replacement is at its begin."""
        return _moved(offset, [(one.new_begin, one.new_end, one.begin, one.end) for one in self.replaced])


def _moved(offset: int, stretches: Sequence[tuple[int, int, int, int]]) -> int:
    place = bisect_right(stretches, offset, key=lambda stretch: stretch[0]) - 1
    if place < 0:
        return offset
    begin, end, other_begin, other_end = stretches[place]
    if offset == begin:
        return other_begin
    return other_end + offset - end if offset >= end else other_begin


@dataclass(frozen=True, slots=True)
class Replacement:
    """What takes the place of `[begin, end)`."""

    begin: int
    end: int
    type: str
    subtype: str
    new: str


def replace(text: str, replacements: Sequence[Replacement]) -> Redacted:
    """The text with these replacements, which are sorted and do not overlap."""
    parts: list[str] = []
    replaced: list[Replaced] = []
    start = length = 0
    for first in range(0, len(replacements), AT_ONCE):
        some = replacements[first : first + AT_ONCE]
        new, spans = _anonymized(text[start : some[-1].end], some, start)
        for one, (begin, end) in zip(some, spans, strict=True):
            replaced.append(Replaced(one.begin, one.end, length + begin, length + end, one.type, one.subtype))
        parts.append(new)
        start = some[-1].end
        length += len(new)
    return Redacted("".join((*parts, text[start:])), tuple(replaced))


def _anonymized(piece: str, some: Iterable[Replacement], start: int) -> tuple[str, list[tuple[int, int]]]:
    """The piece with its replacements, and where they are. Each is a type of its own, so that Presidio merges none."""
    results, operators = [], {}
    for number, one in enumerate(some):
        results.append(RecognizerResult(str(number), one.begin - start, one.end - start, 1.0))
        operators[str(number)] = OperatorConfig("replace", {"new_value": one.new})
    done = _engine().anonymize(piece, results, operators)
    spans = {int(item.entity_type): (item.start, item.end) for item in done.items}
    return done.text, [spans[number] for number in range(len(results))]


@cache
def _engine() -> AnonymizerEngine:
    return AnonymizerEngine()


def apart(spans: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """Spans `(begin, end, which)` in order, those that overlap as one, which is the first's."""
    current: tuple[int, int, int] | None = None
    for begin, end, which in sorted(spans):
        if current and begin < current[1]:
            current = (current[0], max(current[1], end), current[2])
        else:
            if current:
                yield current
            current = (begin, end, which)
    if current:
        yield current
