"""The modes of redaction: what takes the place of each identifier that the record names.

mask        [NAME]               what kind of thing stood here
tag         [NAME-1]             the same number for the same person, place, date or number throughout the note
hash        [NAME-fkamhbdp…]     the same letters for the same value in every note, by the key
surrogate   Maria Ortega         something of the same form; dates shifted, ages over 89 as 90+, ZIP codes cut
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from medtext.deid.dates import Calendar
from medtext.deid.fakes import sex_of
from medtext.deid.keyed import Keyed
from medtext.deid.people import Name, People, plain, read_name
from medtext.deid.replacing import Redacted, Replacement, apart, replace
from medtext.deid.surrogates import Surrogates, shift
from medtext.errors import UsageError
from medtext.policy import PHI, Policy
from medtext.rulebook import load_words, rules_dir
from medtext.schema import Entity, Record

MODES = ("mask", "tag", "hash", "surrogate")
KEYED = ("hash", "surrogate")
KEY = "MEDTEXT_HASH_KEY"
WORD_LISTS = ("no_names.txt", "small_zips.txt", "institution_words.txt")
BEFORE = 20  # characters in which a title is looked for


@dataclass(frozen=True, slots=True)
class Redaction:
    """How notes are redacted.

    Args:
        mode: one of `MODES`.
        policy: what counts; the rest stays.
        key: the secret of hashes and surrogates; "" takes the environment variable MEDTEXT_HASH_KEY.
        rules: the folder of rules, where it is not the shipped one.

    Raises:
        UsageError: for a mode that there is not, or one that needs a key and has none.
    """

    mode: str
    policy: Policy
    key: str = field(default="", repr=False)
    rules: Path | None = None

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"There is no mode {self.mode!r}; there are {', '.join(MODES)}.")
        if self.mode in KEYED and not self.secret:
            raise UsageError(f"The mode {self.mode} needs a key; put a long random one into the variable {KEY}.")

    @property
    def secret(self) -> str:
        return self.key or os.environ.get(KEY, "")


@dataclass(frozen=True, slots=True)
class Item:
    """One identifier: what the record says of it, and its text."""

    entity: Entity
    text: str
    before: str


def redact_note(text: str, record: Record, how: Redaction, scope: str = "") -> Redacted:
    """The note without the identifiers of its record that count.

    Args:
        text: the note.
        record: what was found in it, of all types of protected health information.
        how: mode, policy and key.
        scope: what surrogates stay the same in: a patient's or a document's id; the text itself where it is "".
    """
    items = list(_items(text, record, how.policy))
    new = _replacements(items, how, scope or text)
    return replace(
        text,
        [
            Replacement(
                item.entity.begin, item.entity.begin + len(item.text), item.entity.type, item.entity.subtype, one
            )
            for item, one in zip(items, new, strict=True)
        ],
    )


def _items(text: str, record: Record, policy: Policy) -> Iterator[Item]:
    """What is to be replaced, in order. Where two overlap, both go, as one."""
    counted = [
        entity
        for entity in record.entities
        if entity.category == PHI and policy.includes(entity.type, entity.subtype, entity.score)
    ]
    for begin, end, which in apart((entity.begin, entity.end, place) for place, entity in enumerate(counted)):
        yield Item(counted[which], text[begin:end], text[max(0, begin - BEFORE) : begin])


def _replacements(items: Sequence[Item], how: Redaction, scope: str) -> list[str]:
    if how.mode == "mask":
        return [_mask(item) for item in items]
    names = {
        place: read_name(item.text, item.before, item.entity.subtype)
        for place, item in enumerate(items)
        if item.entity.type == "NAME"
    }
    people = People(names.values(), sex_of)
    if how.mode == "surrogate":
        return _surrogates(items, names, people, how, scope)
    values = [_value(item, names.get(place), people) for place, item in enumerate(items)]
    if how.mode == "tag":
        return _tags(items, values)
    keyed = Keyed(how.secret)
    return [
        f"[{item.entity.type}-{keyed.letters(item.entity.type, value)}]"
        for item, value in zip(items, values, strict=True)
    ]


def _mask(item: Item) -> str:
    return f"[{item.entity.type}]"


def _value(item: Item, name: Name | None, people: People) -> str:
    """What is the same for two identifiers that mean the same; of a person, the fullest name in the note."""
    if name is None:
        return plain(item.text) or item.text
    number = people.of[name]
    person = people.persons[number]
    whole = " ".join((*person.given[:1], *person.family[:1], *sorted(person.names)))
    return f"{whole} {number}" if not whole or _shared(people, number) else whole


def _shared(people: People, number: int) -> bool:
    """Whether another person of the note has the same names: a Mr. and a Mrs. Tolliver."""
    own = people.persons[number]
    return any(
        other.given[:1] == own.given[:1] and other.family[:1] == own.family[:1] and other.names == own.names
        for place, other in enumerate(people.persons)
        if place < number
    )


def _tags(items: Sequence[Item], values: Sequence[str]) -> list[str]:
    numbers: dict[str, dict[str, int]] = {}
    tags = []
    for item, value in zip(items, values, strict=True):
        known = numbers.setdefault(item.entity.type, {})
        tags.append(f"[{item.entity.type}-{known.setdefault(value, len(known) + 1)}]")
    return tags


def _surrogates(items: Sequence[Item], names: dict[int, Name], people: People, how: Redaction, scope: str) -> list[str]:
    keyed = Keyed(how.secret, scope)
    dates = [item.text for item in items if item.entity.type == "DATE" and item.entity.subtype != "BIRTH_DATE"]
    never, small_zips, generic = (_words(how.rules, name) for name in WORD_LISTS)
    making = Surrogates(keyed, how.policy, Calendar.of(dates, shift(keyed)), small_zips, never, generic)
    new = []
    for place, item in enumerate(items):
        name = names.get(place)
        one = making.name(item.text, name, people.person(name)) if name else making.of(item.entity, item.text)
        new.append(one or _mask(item))
    return new


@cache
def _words(rules: Path | None, name: str) -> frozenset[str]:
    return load_words(rules_dir(str(rules or "")) / name)
