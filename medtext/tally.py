"""What a job did: which notes there were, under which names, and what was found in them."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from medtext.schema import Note, Record

KEY = "MEDTEXT_HASH_KEY"


def with_hashed_id(item: Note | Record) -> Note | Record:
    """The item under the hash of its id."""
    name = hash_id(_name(item))
    return replace(item, document_id=name) if isinstance(item, Record) else replace(item, id=name)


def hash_id(name: str) -> str:
    """A name that stands for `name`: the same one each time.

    It is 96 bits of BLAKE2b, keyed by the environment variable MEDTEXT_HASH_KEY. Without a key, whoever can guess a
    name can check the guess.
    """
    key = os.environ.get(KEY, "").encode()[: hashlib.blake2b.MAX_KEY_SIZE]
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=12, key=key).hexdigest()


def _name(item: Note | Record) -> str:
    return item.document_id if isinstance(item, Record) else item.id


class Tally:
    """Counts what was found, for the lines at the end."""

    def __init__(self) -> None:
        self.before = 0
        self.notes = 0
        self.failed: list[tuple[str, str]] = []
        self.types: Counter[tuple[str, str]] = Counter()

    def not_yet(self, is_done: Callable[[str], bool], items: Iterable[Note | Record]) -> Iterator[Note | Record]:
        """The items without those that were done before."""
        for item in items:
            if is_done(_name(item)):
                self.before += 1
            else:
                yield item

    def add(self, record: Record) -> None:
        self.notes += 1
        if record.error:
            self.failed.append((record.document_id, f"{record.error.code}: {record.error.message}"))
        for entity in record.entities:
            self.types[entity.category, entity.type] += 1

    def report(self, place: str, what: str = "records") -> Iterator[str]:
        """Lines that say what was done and what is in `place`; ids are the only words of the user's in them."""
        if self.before:
            yield f"{self.before} notes were done before."
        for (category, kind), number in sorted(self.types.items()):
            yield f"{number:7} {category:32} {kind}"
        failed = len(self.failed)
        yield f"{self.notes} notes read, {self.notes - failed} done, {failed} failed; {what} in {place}"
        for name, message in self.failed:
            yield f"failed: {name}: {message}"
