"""Doses, frequencies, values with units, vital signs, times: what is regular enough for `rules/patterns.toml`."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from medtext.findings import findings
from medtext.rulebook import load_toml, rules_dir
from medtext.schema import CATEGORY_OF, Mention

DIGIT = re.compile(r"\d")
ANY_DIGIT = "digit"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression whose named groups are entity types; see the head of `rules/patterns.toml`."""

    id: str
    regex: str
    score: float
    needs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        try:
            groups = self.compiled().groupindex
        except re.error as error:
            raise ValueError(f"the regular expression of {self.id!r} is wrong: {error}") from None
        if unknown := sorted(groups.keys() - CATEGORY_OF.keys()):
            raise ValueError(f"the group {unknown[0]!r} of {self.id!r} is no entity type")
        if not groups:
            raise ValueError(f"{self.id!r} has no named group")

    def compiled(self) -> re.Pattern[str]:
        return re.compile(self.regex, re.IGNORECASE | re.VERBOSE)


class PatternFinder:
    """The spaCy component: a candidate for every named group of every match."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self.patterns = [(pattern, pattern.compiled()) for pattern in patterns]

    def __call__(self, doc: Doc) -> Doc:
        findings(doc).candidates.extend(self.find(doc.text))
        return doc

    def find(self, text: str) -> Iterator[Mention]:
        """The mentions in `text`, pattern by pattern."""
        lower, digits = text.lower(), DIGIT.search(text) is not None
        for pattern, regex in self.patterns:
            if not any(digits if need == ANY_DIGIT else need in lower for need in pattern.needs or ("",)):
                continue
            for match in regex.finditer(text):
                for kind in regex.groupindex:
                    begin, end = match.span(kind)
                    if begin < end:
                        yield Mention(begin, end, kind, pattern.score, f"pattern:{pattern.id}")


@Language.factory("medtext_patterns", default_config={"rules": ""})
def create_patterns(nlp: Language, name: str, rules: str) -> PatternFinder:  # noqa: ARG001
    folder = Path(rules) if rules else rules_dir()
    return PatternFinder(load_toml(folder / "patterns.toml", "pattern", Pattern))
