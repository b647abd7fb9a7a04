"""Doses, frequencies, values with units, vital signs, times: what is regular enough for `rules/patterns.toml`.

An expression with ninety alternatives, tried at every character, costs more than the model. A pattern therefore says
what words it can begin with, and one pass over the note's words tries each expression only there.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc

from medtext.findings import findings, places, text_of
from medtext.rulebook import expression, load_toml, rules_dir
from medtext.schema import CATEGORY_OF, Mention


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression whose named groups are entity types; see the head of `rules/patterns.toml`."""

    id: str
    regex: str
    starts: str
    score: float

    def __post_init__(self) -> None:
        groups = self.compiled().groupindex
        if unknown := sorted(groups.keys() - CATEGORY_OF.keys()):
            raise ValueError(f"the group {unknown[0]!r} of {self.id!r} is no entity type")
        if not groups:
            raise ValueError(f"{self.id!r} has no named group")
        if not 0 < self.score <= 1:
            raise ValueError(f"the score of {self.id!r} is not between 0 and 1")

    def compiled(self) -> re.Pattern[str]:
        return expression(self.id, self.regex, re.IGNORECASE | re.VERBOSE)


class PatternFinder:
    """The spaCy component: a candidate for every named group of every match."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self.patterns = [(pattern, pattern.compiled()) for pattern in patterns]
        self._starting: dict[str, list[int]] = {}
        for number, (pattern, _) in enumerate(self.patterns):
            for word in pattern.starts.split():
                self._starting.setdefault(word, []).append(number)

    def __call__(self, doc: Doc) -> Doc:
        findings(doc).candidates.extend(self.find(doc))
        return doc

    def find(self, doc: Doc) -> Iterator[Mention]:
        """The mentions in the Doc, from left to right; those of one pattern do not overlap each other."""
        text, free = text_of(doc), [0] * len(self.patterns)
        for begin, numbers in self._places(doc):
            for number in numbers:
                pattern, regex = self.patterns[number]
                if begin >= free[number] and (match := regex.match(text, begin)):
                    free[number] = match.end()
                    yield from mentions(pattern, match)

    def _places(self, doc: Doc) -> list[tuple[int, list[int]]]:
        """The offsets of the words that some pattern can begin with, and the numbers of those patterns."""
        starting = self._starting
        return sorted(
            (begin, starting[word]) for word, begins in places(doc).items() if word in starting for begin in begins
        )


def mentions(pattern: Pattern, match: re.Match[str]) -> Iterator[Mention]:
    """One for each named group that took part in the match."""
    for kind in match.re.groupindex:
        begin, end = match.span(kind)
        if begin < end:
            yield Mention(begin, end, kind, pattern.score, f"pattern:{pattern.id}")


@Language.factory("medtext_patterns", default_config={"rules": ""})
def create_patterns(nlp: Language, name: str, rules: str) -> PatternFinder:  # noqa: ARG001
    folder = rules_dir(rules)
    return PatternFinder(load_toml(folder / "patterns.toml", "pattern", Pattern))
