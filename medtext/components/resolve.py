"""From candidates to mentions: sorted, and no two on the same characters.

Candidates with the same span and type are one, with the best score and the most believed source. The rest is one
total order, by `rules/sources.tsv`: rank of the source, then score, then the longer span, then the earlier, then type
and source by name. Each candidate in that order is kept unless it overlaps one kept before.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from medtext.findings import findings
from medtext.rulebook import load_table, rules_dir
from medtext.schema import Mention


@dataclass(frozen=True, slots=True)
class SourceRule:
    """How far a source is believed; see the head of `rules/sources.tsv`."""

    id: str
    source: str
    rank: int
    min_score: float
    types: str = ""

    def covers(self, mention: Mention) -> bool:
        return mention.source.startswith(self.source) and (not self.types or mention.type in self.types.split(","))


class Resolver:
    """The spaCy component: `candidates` (or what the caller gave) into `mentions`."""

    def __init__(self, rules: Iterable[SourceRule]) -> None:
        self.rules = tuple(rules)

    def __call__(self, doc: Doc) -> Doc:
        found = findings(doc)
        found.mentions = sorted(found.given) if found.given is not None else self.resolve(found.candidates)
        return doc

    def resolve(self, candidates: Iterable[Mention]) -> list[Mention]:
        """The candidates that are believed, sorted, without overlaps."""
        ranked = [(rule.rank, mention) for mention in candidates if (rule := self._rule(mention))]
        ranked.sort(key=lambda item: (item[0], -item[1].score, item[1].begin - item[1].end, item[1]))
        kept: list[Mention] = []
        for _, mention in ranked:
            place = bisect_left(kept, (mention.begin, mention.end), key=lambda one: (one.begin, one.end))
            if place < len(kept) and _same(kept[place], mention):
                kept[place] = replace(kept[place], score=max(kept[place].score, mention.score))
            elif not any(near.overlaps(mention) for near in kept[max(place - 1, 0) : place + 1]):
                kept.insert(place, mention)
        return kept

    def _rule(self, mention: Mention) -> SourceRule | None:
        for rule in self.rules:
            if rule.covers(mention):
                return rule if mention.score >= rule.min_score else None
        return None


def _same(one: Mention, other: Mention) -> bool:
    return (one.begin, one.end, one.type) == (other.begin, other.end, other.type)


@Language.factory("medtext_resolve", default_config={"rules": ""})
def create_resolve(nlp: Language, name: str, rules: str) -> Resolver:  # noqa: ARG001
    folder = Path(rules) if rules else rules_dir()
    return Resolver(load_table(folder / "sources.tsv", SourceRule))
