"""What the text beside a mention says of its traits, whatever the network holds likely: `rules/traits.toml`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from medtext.components.context import CATEGORIES as CUES
from medtext.components.surroundings import Surroundings
from medtext.findings import offsets, places, text_of, words
from medtext.rulebook import expression
from medtext.schema import CATEGORIES, CATEGORY_OF, TRAITS

SECOND_NAME = " ("
"""What stands between a medication and its other name: "gabapentin (Neurontin)"."""


@dataclass(frozen=True, slots=True)
class TraitRule:
    """Expressions for what stands beside a mention, and what they add to its traits; see the head of `rules/traits.toml`."""

    id: str
    category: str
    words: str
    odds: Mapping[str, float]
    before: str = ""
    after: str = ""
    reach: int = 80
    entry: bool = False
    unless: str = ""

    def __post_init__(self) -> None:
        if self.category not in CATEGORIES:
            raise ValueError(f"{self.category!r} is no category")
        if unknown := sorted(set(self.unless.split()) - set(CUES)):
            raise ValueError(f"{unknown[0]!r} is no category of cues")
        if unknown := sorted(self.odds.keys() - set(TRAITS)):
            raise ValueError(f"{unknown[0]!r} is no trait")
        if not (self.before or self.after):
            raise ValueError(f"{self.id!r} has neither before nor after")
        self.compiled()

    def compiled(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        """The expressions of `before` and `after`."""
        flags = re.IGNORECASE | re.VERBOSE | re.MULTILINE
        return expression(self.id, rf"(?:{self.before})\Z", flags), expression(self.id, self.after, flags)


class TraitRules:
    """The rules, to be asked for the mentions of a Doc."""

    def __init__(self, rules: Iterable[TraitRule]) -> None:
        self._rules = [
            (rule, set(rule.words.split()), *rule.compiled(), np.array([rule.odds.get(trait, 0.0) for trait in TRAITS]))
            for rule in rules
        ]

    def __call__(self, doc: Doc, seen: Sequence[Surroundings]) -> NDArray[np.float64]:
        """What they add to the log odds of traits, mentions by TRAITS; the mentions are sorted."""
        added = np.zeros((len(seen), len(TRAITS)))
        text, starts, said, held = text_of(doc), offsets(doc), words(doc), places(doc).keys()
        rules = [one for one in self._rules if not held.isdisjoint(one[1])]
        # of the next mention of each category: where it begins, and where its entry ends
        following: dict[str, tuple[int, int]] = {}
        for row in range(len(seen) - 1, -1, -1):
            around = seen[row]
            category = CATEGORY_OF[around.type]
            begin, end = starts[around.begin], starts[around.end - 1] + len(said[around.end - 1])
            stop, entry = following.get(category, (len(text), len(text)))
            if text[end:stop] != SECOND_NAME:
                entry = stop
            following[category] = begin, entry
            for rule, _, before, after, odds in rules:
                if (
                    rule.category == category
                    and (behind := after.match(text, end, end + rule.reach))
                    and not (rule.entry and behind.end() > entry)
                    and before.search(text, max(0, begin - rule.reach), begin)
                    and not any(verdict.category in rule.unless.split() for verdict in around.verdicts)
                ):
                    added[row] += odds
        return added
