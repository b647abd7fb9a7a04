"""What a job did: which notes there were, under which names, and what was found in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from medtext.hashing import hash_id
from medtext.schema import Failure, Note, Record


def with_hashed_id(item: Note | Record) -> Note | Record:
    """The item under the hash of its id."""
    if isinstance(item, Record):
        return replace(item, document_id=hash_id(item.document_id))
    return replace(item, id=hash_id(item.id))


class Before(Protocol):
    """What says how many notes were done before, and which of them failed."""

    @property
    def before(self) -> int: ...

    @property
    def failed_before(self) -> Sequence[tuple[str, Failure]]: ...


class Tally:
    """Counts what was found, for the lines at the end; what was done before is the output's to say."""

    def __init__(self, output: Before) -> None:
        self._output = output
        self.notes = 0
        self.characters = 0
        self.failed = 0
        self._failures: list[tuple[str, Failure]] = []
        self._types: Counter[tuple[str, str]] = Counter()

    def add(self, record: Record) -> None:
        self.notes += 1
        self.characters += record.characters
        if record.error:
            self.failed += 1
            self._failures.append((record.document_id, record.error))
        for entity in record.entities:
            self._types[entity.category, entity.type] += 1

    @property
    def before(self) -> int:
        """How many notes need not be read again, those that failed among them."""
        return self._output.before

    @property
    def failures(self) -> list[tuple[str, Failure]]:
        """The notes that failed, before and now."""
        return [*self._output.failed_before, *self._failures]

    def report(self, place: str, what: str = "records") -> Iterator[str]:
        """Lines that say what was done and what is in `place`; ids are the only words of the user's in them."""
        if self.before:
            yield f"{self.before - len(self._output.failed_before)} notes were done before."
        for (category, kind), number in sorted(self._types.items()):
            yield f"{number:7} {category:32} {kind}"
        yield f"{self.notes} notes read, {self.notes - self.failed} done, {self.failed} failed; {what} in {place}"
        for name, error in self.failures:
            yield f"failed: {name}: {error.code}: {error.message}"
