"""Other names in the same place: mentions of gold notes exchanged for others of their type (Dai and Adel 2020).

What stands around a mention says as much of its type as its words do. A note whose drugs, findings, people and numbers
change from epoch to epoch teaches that, and brings the mentions of reports into the layouts of other styles.
"""

from __future__ import annotations

import random
import string
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import spacy

from medtext.components.lexicon import compiled_terms
from medtext.components.tokenizer import ClinicalTokenizer
from medtext.decoding import spans
from medtext.training.corpus import TRAIT_INDEX, Example, tags_of

LEXICONS = {"GENERIC_NAME": "drugs", "BRAND_NAME": "drugs", "PROFESSION": "professions"}
"""Types whose lexicon is as people write; the long names of the others' terminologies are not."""
NUMBERED = frozenset({"ID", "PHONE_OR_FAX"})  # these get other digits instead
SWAPPED = frozenset(
    (
        *(
            "DX_NAME",
            "GENERIC_NAME",
            "BRAND_NAME",
            "TEST_NAME",
            "PROCEDURE_NAME",
            "TREATMENT_NAME",
            "SYSTEM_ORGAN_SITE",
        ),
        *("NAME", "ADDRESS", "DATE", "PROFESSION", "TIME_EXPRESSION", "FREQUENCY", "QUALITY", "ACUITY", "DURATION"),
    )
)
KINDS = [TRAIT_INDEX[trait] for trait in ("DIAGNOSIS", "SIGN", "SYMPTOM")]
FROM_LEXICON = 0.3  # of the mentions of LEXICONS' types
NOTES = 0.5  # share of notes with exchanges
MENTIONS = 0.3  # share of their mentions exchanged

Words = tuple[tuple[str, ...], tuple[bool, ...]]


class Swaps:
    """The mentions of `notes` by type and kind, and those of the lexicons in the folder `rules`."""

    def __init__(self, notes: Iterable[Example], rules: Path) -> None:
        self.pool: dict[tuple[str, tuple[int, ...]], list[Words]] = defaultdict(list)
        for note in notes:
            for begin, end, kind in spans(note.tags):
                if not any("\n" in word for word in note.words[begin:end]):
                    self.pool[self._key(note, begin, kind)].append((note.words[begin:end], note.spaces[begin:end]))
        lexicon = terms_by_kind(rules, {*LEXICONS.values(), "names"})
        self.lexicon = {kind: [term for term in terms if len(term.split()) <= 2] for kind, terms in lexicon.items()}
        self.tokenizer = ClinicalTokenizer(spacy.blank("en").vocab)

    def __call__(self, note: Example, chance: random.Random) -> Example:
        """The note, or a copy with some of its mentions exchanged."""
        if note.soft is not None or chance.random() > NOTES:
            return note
        words: list[str] = []
        spaces: list[bool] = []
        tags: list[int] = []
        sources: list[int] = []  # whose traits a word has
        last = 0
        for begin, end, kind in spans(note.tags):
            other = self._other(note, begin, end, kind, chance) if chance.random() < MENTIONS else None
            if other is None:
                continue
            words += note.words[last:begin]
            spaces += note.spaces[last:begin]
            tags += note.tags[last:begin].tolist()
            sources += range(last, begin)
            words += other[0]
            spaces += [*other[1][:-1], note.spaces[end - 1]]
            tags += tags_of(kind, len(other[0]))
            sources += [begin] * len(other[0])
            last = end
        words += note.words[last:]
        spaces += note.spaces[last:]
        tags += note.tags[last:].tolist()
        sources += range(last, len(note))
        return replace(
            note,
            words=tuple(words),
            spaces=tuple(spaces),
            tags=np.array(tags, dtype=np.int64),
            traits=note.traits[np.array(sources, dtype=np.int64)],
        )

    def _key(self, note: Example, begin: int, kind: str) -> tuple[str, tuple[int, ...]]:
        return kind, tuple(place for place in KINDS if note.traits[begin, place] == 1)

    def _other(self, note: Example, begin: int, end: int, kind: str, chance: random.Random) -> Words | None:
        mine = note.words[begin:end]
        if kind in NUMBERED:
            return tuple(_digits(word, chance) for word in mine), note.spaces[begin:end]
        if kind == "NAME" and chance.random() < 0.5:
            return tuple(self._name(word, chance) for word in mine), note.spaces[begin:end]
        if kind not in SWAPPED:
            return None
        if kind in LEXICONS and chance.random() < FROM_LEXICON:
            doc = self.tokenizer(chance.choice(self.lexicon[kind]))
            found = tuple(token.text for token in doc), tuple(bool(token.whitespace_) for token in doc)
        else:
            found = chance.choice(self.pool[self._key(note, begin, kind)] or [(mine, note.spaces[begin:end])])
        return tuple(_in_case_of(mine[0], word, place) for place, word in enumerate(found[0])), found[1]

    def _name(self, word: str, chance: random.Random) -> str:
        """Another person's name for a word that is one: initials and punctuation stay."""
        if len(word) < 3 or not word.isalpha():
            return word
        term = chance.choice(self.lexicon[chance.choice(("FIRST_NAME", "LAST_NAME", "RARE_NAME"))])
        return term.upper() if word.isupper() else term.lower() if word.islower() else term.capitalize()


def terms_by_kind(rules: Path, names: Iterable[str]) -> dict[str, list[str]]:
    """The terms of some compiled lexicons of the folder `rules`, by kind."""
    terms: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        for term, kind in compiled_terms(rules / "lexicons" / f"{name}.tsv.gz"):
            terms[kind].append(term)
    return terms


def _digits(word: str, chance: random.Random) -> str:
    return "".join(chance.choice(string.digits) if letter.isdigit() else letter for letter in word)


def _in_case_of(model: str, word: str, place: int) -> str:
    """Capitals where the mention had capitals; a capital first letter where it began with one."""
    if model.isupper() and len(model) > 4:
        return word.upper()
    if place == 0 and model[:1].isupper() and word.islower():
        return word[:1].upper() + word[1:]
    return word
