"""Notes that are too long to be read at once: cut into windows, and the windows' records into one.

Windows end between paragraphs where they can. What later windows are told of earlier ones is in `findings.Carried`; whatever
else a note says of itself in another window (an abbreviation that it defines, a name that is told from its title further on,
that an open section's heading stood within a line) is not seen. The record is the one that the note would have if it were
read at once: offsets, ids and order are the note's.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from operator import eq
from typing import Any, Generic, TypeVar, overload

from medtext.schema import Attribute, Entity, Record

LONG = 200_000
"""Characters; a longer note is read in windows."""
WINDOW = 50_000
"""Characters of a window, at most."""
ENDS = ("\n\n", "\n\r\n", "\n", ". ", " ")
"""What a window ends with: the first of these that its second half holds."""

Span = TypeVar("Span", Entity, Attribute)


def windows(text: str) -> Iterator[tuple[int, int]]:
    """Begin and end of each window; together they are the text, except for windows of blanks only."""
    begin = 0
    while begin < len(text):
        end = _end(text, begin)
        if not text[begin:end].isspace():
            yield begin, end
        begin = end


def _end(text: str, begin: int) -> int:
    last = begin + WINDOW
    if last >= len(text):
        return len(text)
    for mark in ENDS:
        place = text.rfind(mark, begin + WINDOW // 2, last)
        if place >= 0:
            return place + len(mark)
    return last


@dataclass(frozen=True, slots=True)
class Part:
    """A window's entities or unmapped attributes, pickled, and what makes them the note's.

    `begin` is where the window begins, `number` how many mentions there were before it, `own` how many are in it, `again` how
    many ids were given before it to dates that stand twice (those come after all mentions).
    """

    begin: int
    number: int
    own: int
    again: int
    count: int
    data: bytes


class Windowed(Sequence[Span], Generic[Span]):
    """Entities of all windows, in little memory: they are made when they are asked for. Iterate; indexing takes time."""

    def __init__(self, parts: Iterable[Part], mentions: int) -> None:
        self._parts = tuple(parts)
        self._mentions = mentions

    def __len__(self) -> int:
        return sum(part.count for part in self._parts)

    def __iter__(self) -> Iterator[Span]:
        for part in self._parts:
            for span in pickle.loads(part.data):
                yield moved(span, part.begin, self._renumbered(part))

    def _renumbered(self, part: Part) -> Callable[[int], int]:
        after = self._mentions + part.again - part.own
        return lambda number: number + (part.number if number <= part.own else after)

    @overload
    def __getitem__(self, place: int) -> Span: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Span]: ...
    def __getitem__(self, place: int | slice) -> Span | Sequence[Span]:
        return next(islice(self, place, None)) if isinstance(place, int) and place >= 0 else tuple(self)[place]

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(eq, self, other))


def moved(span: Span, begin: int, renumbered: Callable[[int], int]) -> Span:
    """The span further on in the note, under another number."""
    changes: dict[str, Any] = {"id": renumbered(span.id), "begin": span.begin + begin, "end": span.end + begin}
    if isinstance(span, Entity):
        if span.attributes:
            changes["attributes"] = tuple(moved(below, begin, renumbered) for below in span.attributes)
        if span.sig and span.sig.as_needed_for:
            first, last = span.sig.as_needed_for
            changes["sig"] = replace(span.sig, as_needed_for=(first + begin, last + begin))
    return replace(span, **changes)


class Merger:
    """Puts the records of a note's windows together."""

    def __init__(self) -> None:
        self._entities: list[Part] = []
        self._unmapped: list[Part] = []
        self._mentions = 0
        self._again = 0
        self._version = ""

    def add(self, begin: int, record: Record, mentions: int, again: int) -> None:
        """The record of the window that begins at `begin`; what the numbers are stands in `Part`."""
        for parts, spans in ((self._entities, record.entities), (self._unmapped, record.unmapped_attributes)):
            data = pickle.dumps(tuple(spans), pickle.HIGHEST_PROTOCOL)
            parts.append(Part(begin, self._mentions, mentions, self._again, len(spans), data))
        self._mentions += mentions
        self._again += again
        self._version = record.model_version

    def record(self, document_id: str, characters: int) -> Record:
        """The record of the whole note."""
        entities: Windowed[Entity] = Windowed(self._entities, self._mentions)
        unmapped: Windowed[Attribute] = Windowed(self._unmapped, self._mentions)
        return Record(document_id, characters, self._version, entities, unmapped)
