"""Which codes a mention may mean, by its words and by those of what hangs on it.

What a mention says is compared with the names of concepts (`medtext/terminology.py`); what hangs on it (the site of a pain, the
strength of a tablet) counts as well, but less. What clinicians write most often was coded by hand: `rules/concepts/everyday.tsv`.
Traits do not count: the codes of "no chest pain" are those of chest pain, as in Comprehend Medical.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from medtext.products import strengths, strengths_of, written
from medtext.rulebook import load_table
from medtext.schema import CODED, Concept, Concepts
from medtext.terminology import SIDES, Stems, Terminology

MOST = 5
"""Concepts of a terminology that an entity has at most, as in Comprehend Medical."""
LEAST, OF_CONDITION = 0.8, 0.6
"""What is less like every name has no code; a condition, whose terminologies are whole, has one sooner."""
LIKELY = ((0.6, 0.85, 0.93, 1.0, 1.05), (0.25, 0.45, 0.65, 0.85, 0.9))
"""Of mentions that were not coded by hand, how like the likeliest name was, and how often its code was right."""
BESIDE, ELSE_BESIDE = {"SYSTEM_ORGAN_SITE": 1.0}, 0.3
"""What a word of an attribute counts, by its type, against one of the mention."""
BY_HAND = 0.9
"""How sure what was coded by hand is."""
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
    "l": "left",
    "lt": "left",
    "r": "right",
    "rt": "right",
    "b": "bilateral",
    "bl": "bilateral",
    "both": "bilateral",
}
"""How sides are written short."""
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


class Coder:
    """Gives codes of ICD-10-CM and SNOMED CT to conditions, of RxNorm to medications, and of SNOMED CT to tests, procedures,
    treatments and anatomy. Mentions that it has seen cost nothing."""

    def __init__(self, stems: Stems, everyday: Iterable[Everyday], terminologies: Mapping[str, Terminology]) -> None:
        self._stems = stems
        self._terminologies = terminologies
        self._everyday: dict[tuple[str, tuple[str, ...]], Everyday] = {}
        rows = tuple(everyday)
        for said in ("mention", "name"):  # what a mention is called in full is as good, where it is no other's mention
            for row in rows:
                key = self._key(getattr(row, said))
                if said == "mention" or len(key) > 1:
                    self._everyday.setdefault((row.kind, key), row)
        self.concepts = lru_cache(CACHED)(self._concepts)

    @classmethod
    def of_rules(cls, rules: Path) -> Coder:
        """From a folder of rules."""
        folder = rules / "concepts"
        parts = ("icd10cm", "rxnorm", *(f"snomedct_{KINDS[category]}" for category in CODED["snomedct"]))
        return cls(
            Stems.of_rules(rules),
            load_table(folder / "everyday.tsv", Everyday),
            {part: Terminology.load(folder / f"{part}.npz") for part in parts},
        )

    def _concepts(self, category: str, mention: str, beside: Beside = ()) -> Concepts:
        """The concepts of a mention of this category, with the type and the words of each of its attributes."""
        if category == MEDICATION:
            return Concepts(rxnorm=self._medication(mention, beside))
        kind = KINDS[category]
        row, left = self._by_hand(kind, mention, beside)
        here = row if SITE not in dict(left) else None  # of a degree or a side what was said by hand is as true
        name = mention if row is None else row.name if here and row.name not in ("", NONE) else row.mention
        stems, side = self._weighed(name, left), side_of(mention, beside)
        least = OF_CONDITION if category == CONDITION else LEAST
        first = row is not None and not left
        found = Concepts()
        snomedct = self._terminologies[f"snomedct_{kind}"]
        named = snomedct.named(self._stems(name)) if here else None
        missing = here is not None and named is None  # it has a name, and no concept of that name is in this part
        if not missing and not (here and here.name == NONE):
            found = Concepts(snomedct=self._likeliest(snomedct, stems, side, named, first, least))
        if category == CONDITION and not (here and here.icd10cm == NONE):
            icd10cm = self._terminologies["icd10cm"]
            by_hand = icd10cm.place_of.get(here.icd10cm) if here else None
            found = replace(found, icd10cm=self._likeliest(icd10cm, stems, side, by_hand, first, least))
        return found

    def _by_hand(self, kind: str, mention: str, beside: Beside) -> tuple[Everyday | None, Beside]:
        """The row of a mention with all that is told beside it, with its sites, or alone; and what is told besides."""
        for taken in (beside, tuple(part for part in beside if part[0] == SITE), ()):
            row = self._everyday.get((kind, self._key(" ".join([*(text for _, text in taken), mention]))))
            if row:
                return row, tuple(part for part in beside if part not in taken)
        return None, beside

    def _likeliest(
        self, index: Terminology, stems: Mapping[str, float], side: str, by_hand: int | None, first: bool, least: float
    ) -> tuple[Concept, ...]:
        """The likeliest concepts, of this side; that given by hand is sure, and comes `first` where nothing is left to tell."""
        found = {place: likely(like) for place, like in index.search(stems, MOST + 2, least)}
        if by_hand is not None and (first or by_hand in found):
            found[by_hand] = BY_HAND
        if by_hand is not None and first:
            found = {by_hand: BY_HAND} | found
        of_side: dict[int, float] = {}
        for place, score in found.items():
            of_side.setdefault(index.of_side(place, side), score)
        return ranked(index, list(of_side.items())[:MOST])

    def _medication(self, name: str, beside: Beside) -> tuple[Concept, ...]:
        """What has this name: where a strength is told, products of that strength first; else ingredients and brands."""
        if row := self._everyday.get((KINDS[MEDICATION], self._key(name))):
            name = row.name or name
        if name == NONE:
            return ()
        index, drug = self._terminologies["rxnorm"], self._stems(name)
        amounts = strengths(text for kind, text in beside if kind in ("STRENGTH", "DOSAGE"))
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
    """The side that is told, or "" for none."""
    told = {word for kind, text in beside if kind == "DIRECTION" for word in text.lower().split()}
    told = {SIDE_OF.get(word, word) for word in told} | set(mention.lower().split())
    return next((side for side in SIDES if side in told), "")


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
