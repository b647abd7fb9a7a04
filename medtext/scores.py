"""Counts what was found against what was wanted: precision, recall and F1.

Spans are counted exactly (same begin, end and type) and by overlap (same type and a character in common, each gold
span and each found one counted once, in the order of the text). Traits and links are counted on spans that were found
exactly, and over all gold ones: a trait or link is right when the spans it stands on are found exactly and it is the
gold one. Protected health information is counted once more as a de-identifier is judged: how many identifiers are
touched by anything found, how many are covered to the last letter, and how much of what is found touches one, whatever
the types.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from medtext.schema import CATEGORIES

Place = tuple[int, int, str]  # begin, end, type


PHI = frozenset(CATEGORIES["PROTECTED_HEALTH_INFORMATION"])
ALL = "ALL"
"""The key of the sum over all types or traits (micro average)."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A note's spans in the shape of gold: the traits of each, and what each hangs on."""

    traits: Mapping[Place, frozenset[str]]
    links: Mapping[Place, Place]
    subtypes: Mapping[Place, str] = field(default_factory=dict)
    codes: Mapping[Place, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    """By terminology: in gold the codes that are right, in a record those that were given, the likeliest first."""


@dataclass(slots=True)
class Count:
    """How many were right, found and wanted."""

    right: int = 0
    found: int = 0
    wanted: int = 0

    def add(self, right: int, found: int, wanted: int) -> None:
        self.right += right
        self.found += found
        self.wanted += wanted

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.wanted if self.wanted else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.right / (self.found + self.wanted) if self.found + self.wanted else 0.0

    def to_json(self) -> dict[str, float]:
        return {
            "precision": round(self.precision, 4),
            "recall": round(self.recall, 4),
            "f1": round(self.f1, 4),
            "gold": self.wanted,
            "found": self.found,
        }


@dataclass(slots=True)
class Identifiers:
    """What a de-identifier leaves and takes: `right` of the `found` touch one that is `wanted`.

    `named` are those found exactly whose subtype gold tells, `known` those of them whose subtype is right.
    """

    wanted: int = 0
    touched: int = 0
    covered: int = 0
    found: int = 0
    right: int = 0
    named: int = 0
    known: int = 0

    def to_json(self) -> dict[str, float]:
        return {
            "touched": _share(self.touched, self.wanted),
            "covered": _share(self.covered, self.wanted),
            "precision": _share(self.right, self.found),
            "subtype": _share(self.known, self.named),
            "gold": self.wanted,
            "found": self.found,
        }


@dataclass(slots=True)
class Coding:
    """Of the spans that gold has codes for and that were found exactly (`wanted`): how often the `first` code is right, how
    often it is right to its category (before the dot), and how often one of those given is right (`among`)."""

    wanted: int = 0
    first: int = 0
    category: int = 0
    among: int = 0

    def add(self, right: Sequence[str], given: Sequence[str]) -> None:
        self.wanted += 1
        self.first += bool(given) and given[0] in right
        self.category += bool(given) and _category(given[0]) in set(map(_category, right))
        self.among += not set(right).isdisjoint(given)

    def to_json(self) -> dict[str, float]:
        shares = {name: _share(getattr(self, name), self.wanted) for name in ("first", "category", "among")}
        return {**shares, "gold": self.wanted}


def _category(code: str) -> str:
    return code.partition(".")[0]


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _identifiers() -> defaultdict[str, Identifiers]:
    return defaultdict(Identifiers)


def _codings() -> defaultdict[str, Coding]:
    return defaultdict(Coding)


def _counts() -> defaultdict[str, Count]:
    return defaultdict(Count)


@dataclass(slots=True)
class Scores:
    """Counts by type or trait, and of `ALL`."""

    notes: int = 0
    exact: defaultdict[str, Count] = field(default_factory=_counts)
    overlap: defaultdict[str, Count] = field(default_factory=_counts)
    traits: defaultdict[str, Count] = field(default_factory=_counts)
    traits_of_found: defaultdict[str, Count] = field(default_factory=_counts)
    links: defaultdict[str, Count] = field(default_factory=_counts)
    links_of_found: defaultdict[str, Count] = field(default_factory=_counts)
    identifiers: defaultdict[str, Identifiers] = field(default_factory=_identifiers)
    codes: defaultdict[str, Coding] = field(default_factory=_codings)

    def to_json(self) -> dict[str, Any]:
        tables = ("exact", "overlap", "traits", "traits_of_found", "links", "links_of_found", "identifiers", "codes")
        return {
            "notes": self.notes,
            **{name: {key: count.to_json() for key, count in _sorted(getattr(self, name))} for name in tables},
        }

    def table(self) -> str:
        """The scores as lines of text."""
        lines = [
            f"{self.notes} notes",
            "",
            f"{'spans':22} {'exact P':>8} {'R':>6} {'F1':>6} {'overlap F1':>11} {'gold':>6}",
        ]
        for name, count in _sorted(self.exact):
            lines.append(
                f"{name:22} {count.precision:8.3f} {count.recall:6.3f} {count.f1:6.3f} "
                f"{self.overlap[name].f1:11.3f} {count.wanted:6}"
            )
        for title, whole, part in (
            ("traits", self.traits, self.traits_of_found),
            ("links", self.links, self.links_of_found),
        ):
            lines += ["", f"{title:22} {'P':>8} {'R':>6} {'F1':>6} {'on found F1':>11} {'gold':>6}"]
            for name, count in _sorted(whole):
                lines.append(
                    f"{name:22} {count.precision:8.3f} {count.recall:6.3f} {count.f1:6.3f} "
                    f"{part[name].f1:11.3f} {count.wanted:6}"
                )
        if self.identifiers:
            lines += ["", f"{'identifiers':22} {'touched':>8} {'covered':>8} {'P':>6} {'subtype':>8} {'gold':>6}"]
            for name, of_type in _sorted(self.identifiers):
                row = of_type.to_json()
                lines.append(
                    f"{name:22} {row['touched']:8.3f} {row['covered']:8.3f} {row['precision']:6.3f} "
                    f"{row['subtype']:8.3f} {of_type.wanted:6}"
                )
        if self.codes:
            lines += ["", f"{'codes':22} {'first':>8} {'category':>8} {'among':>6} {'gold':>6}"]
            for name, coding in _sorted(self.codes):
                row = coding.to_json()
                lines.append(
                    f"{name:22} {row['first']:8.3f} {row['category']:8.3f} {row['among']:6.3f} {coding.wanted:6}"
                )
        return "\n".join(lines)


Counted = TypeVar("Counted", Count, Identifiers, Coding)


def _sorted(counts: Mapping[str, Counted]) -> list[tuple[str, Counted]]:
    """The sum first, then the most frequent."""
    return sorted(counts.items(), key=lambda item: (item[0] != ALL, -item[1].wanted, item[0]))


def add(scores: Scores, gold: Marked, found: Marked, text: str) -> None:
    """Counts one note."""
    _add_identifiers(scores.identifiers, gold, found, text)
    for place, codes in gold.codes.items():
        for terminology, allowed in codes.items():
            if place in found.traits:
                scores.codes[terminology].add(allowed, list(found.codes.get(place, {}).get(terminology, ())))
    scores.notes += 1
    both = gold.traits.keys() & found.traits.keys()
    for kind in sorted({place[2] for place in (*gold.traits, *found.traits)}):
        wanted = [place for place in gold.traits if place[2] == kind]
        given = [place for place in found.traits if place[2] == kind]
        right = sum(place in both for place in wanted)
        for key in (kind, ALL):
            scores.exact[key].add(right, len(given), len(wanted))
            scores.overlap[key].add(overlapping(wanted, given), len(given), len(wanted))
    for place in sorted(gold.traits.keys() | found.traits.keys()):
        wanted_traits = gold.traits.get(place, frozenset())
        given_traits = found.traits.get(place, frozenset())
        for trait in sorted(wanted_traits | given_traits):
            hit = (trait in wanted_traits & given_traits, trait in given_traits, trait in wanted_traits)
            for key in (trait, ALL):
                scores.traits[key].add(*hit)
                if place in both:
                    scores.traits_of_found[key].add(*hit)
    for place in sorted(gold.links.keys() | found.links.keys()):
        want, have = gold.links.get(place), found.links.get(place)
        link = (want is not None and want == have, have is not None, want is not None)
        for key in (place[2], ALL):
            scores.links[key].add(*link)
            if place in both and (want is None or want in both):
                scores.links_of_found[key].add(*link)


def _add_identifiers(counts: defaultdict[str, Identifiers], gold: Marked, found: Marked, text: str) -> None:
    wanted = [place for place in gold.traits if place[2] in PHI]
    given = [place for place in found.traits if place[2] in PHI]
    hidden = {at for begin, end, _ in given for at in range(begin, end)}
    secret = {at for begin, end, _ in wanted for at in range(begin, end)}
    for place in wanted:
        letters = [at for at in range(place[0], place[1]) if text[at].isalnum()]
        told = gold.subtypes.get(place) if place in found.traits else None
        for key in (place[2], ALL):
            count = counts[key]
            count.wanted += 1
            count.touched += any(at in hidden for at in letters)
            count.covered += all(at in hidden for at in letters)
            count.named += told is not None
            count.known += told is not None and told == found.subtypes.get(place)
    for begin, end, kind in given:
        for key in (kind, ALL):
            counts[key].found += 1
            counts[key].right += any(at in secret for at in range(begin, end))


def overlapping(gold: Iterable[Place], found: Iterable[Place]) -> int:
    """How many gold spans share a character with a found one, each used once, from the left."""
    waiting = sorted(found)
    hits = 0
    for begin, end, _ in sorted(gold):
        partner = next((place for place in waiting if place[0] < end and begin < place[1]), None)
        if partner:
            waiting.remove(partner)
            hits += 1
    return hits
