"""Which codes a mention may mean, by its words and by those of what hangs on it.

What a mention says is compared with the names of concepts (`medtext/terminology.py`); what hangs on it (the site of a pain, the
strength of a tablet) counts as well, but less. What clinicians write most often was coded by hand: `rules/concepts/everyday.tsv`.
Traits do not count: the codes of "no chest pain" are those of chest pain, as in Comprehend Medical.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from medtext.errors import RuleError
from medtext.products import strengths, strengths_of, written
from medtext.rulebook import load_table
from medtext.schema import CODED, Concept, Concepts
from medtext.terminology import Stems, Terminology

MOST = 5
"""Concepts of a terminology that an entity has at most, as in Comprehend Medical."""
LEAST, USUAL_LEAST = {"condition": 0.6}, 0.8
"""What is less like every name has no code, by kind: a condition, whose terminologies are whole, has one sooner."""
LIKELY = ((0.6, 0.85, 0.93, 1.0, 1.05), (0.25, 0.45, 0.65, 0.85, 0.9))
"""Of mentions that were not coded by hand, how like the likeliest name was, and how often its code was right."""
BESIDE, ELSE_BESIDE = {"SYSTEM_ORGAN_SITE": 1.0}, 0.3
"""What a word of an attribute counts, by its type, against one of the mention."""
BY_HAND, BY_TWO_LETTERS = 0.9, 0.75
"""How sure what was coded by hand is; two letters mean too much ("AD": of 22 that a second coder coded, 17 were right)."""
NAMED, OF_STRENGTH, OTHER = 0.95, 0.85, 0.5
"""How sure a medication is with just this name, a product of the strength that is told, and one that has more in it."""
CACHED = 20_000
"""Mentions whose concepts are kept: notes say the same again and again."""
DIGITS = 4  # of a score
SHORTEST = 4
"""Letters of a medication's name from which on it may be part of a longer one: "ns" is no "Mycocide NS"."""
MANY = 60
"""Names of medications looked at, to find those of the right strength."""
PRODUCT = re.compile(r"\d (?:MG|UNT|MEQ)\b")
"""What names of products have, and names of ingredients and brands have not."""
USUAL_FORM = [("FORM", "oral tablet")]
"""What is meant where nothing is said."""
SITE = "SYSTEM_ORGAN_SITE"
SIDE_OF = {
    **dict.fromkeys(("l", "lt", "left"), "left"),
    **dict.fromkeys(("r", "rt", "right"), "right"),
    **dict.fromkeys(("b/l", "bl", "bilat", "bilaterally", "both", "bilateral"), "bilateral"),
}
"""How sides are written; a lone letter only where it stands as a side."""
SIDE = re.compile(r"[a-z]+(?:/[a-z]+)?")
CONDITION, MEDICATION = "MEDICAL_CONDITION", "MEDICATION"
KINDS = {
    CONDITION: "condition",
    "TEST_TREATMENT_PROCEDURE": "procedure",
    "ANATOMY": "anatomy",
    MEDICATION: "medication",
}
"""What entities of a category are in `everyday.tsv`, and in the parts of SNOMED CT."""
NONE = "-"
"""What stands in `everyday.tsv` where there is no code, or no name."""
TELLING = {
    CONDITION: (SITE, "DIRECTION", "ACUITY", "QUALITY"),
    "TEST_TREATMENT_PROCEDURE": (SITE, "DIRECTION"),
    "ANATOMY": ("DIRECTION",),
    MEDICATION: ("STRENGTH", "DOSAGE", "FORM", "ROUTE_OR_MODE"),
}
"""The attributes that tell concepts apart, by the category of what they hang on."""
Beside = tuple[tuple[str, str], ...]
Key = tuple[str, tuple[str, ...]]  # kind, and the sorted stems of a mention


@dataclass(frozen=True, slots=True)
class Everyday:
    """A mention as clinicians write it, and what it is called in full; of a condition also its code of ICD-10-CM.

    `kind` is condition, procedure (which tests and treatments are as well), anatomy or medication. `name` is empty where that is
    the mention itself; where there is no name or no code, "-" stands.
    """

    kind: str
    mention: str
    icd10cm: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS.values():
            raise ValueError(f"{self.kind!r} is no kind of mention; there are {', '.join(KINDS.values())}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked up: a name, its stems and those beside it, and a side.

    `row` is what was coded by hand, where that holds of all that is told; with `whole` nothing else is told.
    """

    kind: str
    name: str
    stems: Mapping[str, float]
    side: str
    row: Everyday | None
    whole: bool


class Coder:
    """Gives codes of ICD-10-CM and SNOMED CT to conditions, of RxNorm to medications, and of SNOMED CT to tests, procedures,
    treatments and anatomy. Mentions that it has seen cost nothing."""

    def __init__(self, stems: Stems, everyday: Iterable[Everyday], terminologies: Mapping[str, Terminology]) -> None:
        self._stems = stems
        self._terminologies = terminologies
        self._everyday = self._rows(tuple(everyday))
        self.concepts = lru_cache(CACHED)(self._concepts)

    @classmethod
    def of_rules(cls, rules: Path) -> Coder:
        """From a folder of rules. Raises `RuleError`."""
        folder = rules / "concepts"
        parts = ("icd10cm", "rxnorm", *(f"snomedct_{KINDS[category]}" for category in CODED["snomedct"]))
        terminologies = {part: Terminology.load(folder / f"{part}.npz") for part in parts}
        return cls(Stems.of_rules(rules), load_table(folder / "everyday.tsv", Everyday), terminologies)

    def _rows(self, everyday: Sequence[Everyday]) -> dict[Key, Everyday]:
        """The rows by their mentions, and by what those are called in full where that is no other's mention."""
        found: dict[Key, Everyday] = {}
        for row in everyday:
            if (other := found.setdefault((row.kind, self._key(row.mention)), row)) is not row:
                raise RuleError(f"everyday.tsv: {row.mention!r} and {other.mention!r} are the same {row.kind} twice.")
            if row.icd10cm not in ("", NONE) and row.icd10cm not in self._terminologies["icd10cm"].place_of:
                raise RuleError(
                    f"everyday.tsv: {row.icd10cm!r} of {row.mention!r} is no code of ICD-10-CM that can be billed."
                )
        for row in everyday:
            if len(key := self._key(row.name)) > 1:
                found.setdefault((row.kind, key), row)
        return found

    def _concepts(self, category: str, mention: str, beside: Beside = ()) -> Concepts:
        """The concepts of a mention of this category, with the type and the words of each of its attributes."""
        if category == MEDICATION:
            return Concepts(rxnorm=self._rxnorm(mention, beside))
        asked = self._asked(KINDS[category], mention, beside)
        return Concepts(self._icd10cm(asked) if category == CONDITION else (), (), self._snomedct(asked))

    def _asked(self, kind: str, mention: str, beside: Beside) -> Asked:
        row, left = self._by_hand(kind, mention, beside)
        holds = row if SITE not in dict(left) else None  # of a degree or a side what was said by hand is as true
        name = mention if row is None else row.name if holds and row.name not in ("", NONE) else row.mention
        return Asked(kind, name, self._weighed(name, left), side_of(mention, beside), holds, not left)

    def _icd10cm(self, asked: Asked) -> tuple[Concept, ...]:
        if asked.row and asked.row.icd10cm == NONE:
            return ()
        index = self._terminologies["icd10cm"]
        return self._likeliest(index, asked, index.place_of.get(asked.row.icd10cm) if asked.row else None)

    def _snomedct(self, asked: Asked) -> tuple[Concept, ...]:
        """Of what has a name by hand the concept of that name; where there is none, this part of SNOMED CT has none for it."""
        index = self._terminologies[f"snomedct_{asked.kind}"]
        named = index.named(self._stems(asked.name)) if asked.row and asked.row.name != NONE else None
        return () if asked.row and named is None else self._likeliest(index, asked, named)

    def _by_hand(self, kind: str, mention: str, beside: Beside) -> tuple[Everyday | None, Beside]:
        """The row of a mention with all that is told beside it, with its sites, or alone; and what is told besides."""
        for taken in (beside, tuple(part for part in beside if part[0] == SITE), ()):
            row = self._everyday.get((kind, self._key(" ".join([*(text for _, text in taken), mention]))))
            if row:
                return row, tuple(part for part in beside if part not in taken)
        return None, beside

    def _likeliest(self, index: Terminology, asked: Asked, by_hand: int | None) -> tuple[Concept, ...]:
        """The likeliest concepts, of the side that is told; that given by hand is sure, and first where nothing else is told."""
        least = LEAST.get(asked.kind, USUAL_LEAST)
        found = {place: likely(like) for place, like in index.search(asked.stems, MOST + 2, least)}
        sure = BY_TWO_LETTERS if asked.row and len(asked.row.mention) <= 2 else BY_HAND
        if by_hand is not None and (asked.whole or by_hand in found):
            found[by_hand] = sure
        if by_hand is not None and asked.whole:
            found = {by_hand: sure} | found
        of_side: dict[int, float] = {}
        for place, score in found.items():
            of_side.setdefault(index.of_side(place, asked.side), score)
        return ranked(index, list(of_side.items())[:MOST])

    def _rxnorm(self, name: str, beside: Beside) -> tuple[Concept, ...]:
        """What has this name: where a strength is told, products of that strength first; else ingredients and brands."""
        if row := self._everyday.get((KINDS[MEDICATION], self._key(name))):
            name = row.name or name
        if name == NONE:
            return ()
        index, drug = self._terminologies["rxnorm"], self._stems(name)
        amounts = strengths(text for kind, text in beside if kind == "STRENGTH")
        amounts = amounts or strengths((text for kind, text in beside if kind == "DOSAGE"), dose=True)
        told = [part for part in beside if part[0] in ("FORM", "ROUTE_OR_MODE")] or USUAL_FORM
        stems = self._weighed(name, (*told, *(("STRENGTH", written(amount)) for amount in sorted(amounts))))
        products: list[tuple[int, float]] = []
        names: list[tuple[int, float]] = []
        for place, _ in index.search(stems, MANY, every=True):
            just_so, product = index.sizes[place] == len(drug), PRODUCT.search(index.descriptions[place])
            if just_so and not product:
                names.insert(0, (place, NAMED))
            elif len(name) < SHORTEST:
                continue
            elif not product:
                names.append((place, OTHER))
            elif not amounts or strengths_of(index.descriptions[place]) == amounts:
                products.append((place, OF_STRENGTH if amounts else OTHER))
        return ranked(index, ([*products, *names] if amounts else [*names, *products])[:MOST])

    def _weighed(self, name: str, beside: Beside) -> dict[str, float]:
        """The stems of a name and of what is told beside it, weighed."""
        stems = dict.fromkeys(self._stems(name), 1.0)
        for kind, text in beside:
            for stem in self._stems(text):
                stems.setdefault(stem, BESIDE.get(kind, ELSE_BESIDE))
        return stems

    def _key(self, mention: str) -> tuple[str, ...]:
        return tuple(sorted(self._stems(mention)))


def side_of(mention: str, beside: Beside) -> str:
    """The side that is told, "bilateral" for both, or "" for none."""
    directions, sites = ([text for kind, text in beside if kind == wanted] for wanted in ("DIRECTION", SITE))
    words = {word for text in directions for word in SIDE.findall(text.lower())}
    words.update(word for text in (mention, *sites) for word in text.lower().split() if len(word) > 2)
    told = {SIDE_OF[word] for word in words if word in SIDE_OF}
    return told.pop() if len(told) == 1 else "bilateral" if told else ""


def likely(like: float) -> float:
    """How likely a concept is the one that is meant, by how like its name is; measured on mentions of conditions."""
    return float(np.interp(like, *LIKELY))


def ranked(index: Terminology, found: Iterable[tuple[int, float]]) -> tuple[Concept, ...]:
    """The concepts, in the order in which they come; none scores more than one before it."""
    concepts, most = [], 1.0
    for place, score in found:
        most = min(most, score)
        concepts.append(Concept(index.codes[place], index.descriptions[place], round(most, DIGITS)))
    return tuple(concepts)
