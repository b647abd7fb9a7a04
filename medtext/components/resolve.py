"""From candidates to mentions: sorted, and no two on the same characters.

One total order, by `rules/sources.tsv`: rank of the source, then score, then the longer span, then the earlier, then
type and source by name. Each candidate in that order is kept unless it overlaps one kept before. What these are in the form
they stand in, `rules/corrections.toml` says.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc

from medtext.components.corrections import Correction, Corrections
from medtext.findings import findings, text_of
from medtext.rulebook import load_table, load_toml, rules_dir
from medtext.schema import Mention, apart


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

    def __init__(self, rules: Iterable[SourceRule], corrections: Corrections) -> None:
        self.rules, self.corrections = tuple(rules), corrections
        self._covering: dict[tuple[str, str], SourceRule | None] = {}  # by source and type, of which there are few

    def __call__(self, doc: Doc) -> Doc:
        found = findings(doc)
        if found.given is None:
            found.mentions = list(self.corrections(text_of(doc), self.resolve(found.candidates)))
        else:
            found.mentions = sorted(found.given)
        return doc

    def resolve(self, candidates: Iterable[Mention]) -> list[Mention]:
        """The candidates that are believed, sorted, without overlaps."""
        ranked = [(rule.rank, mention) for mention in candidates if (rule := self._rule(mention))]
        ranked.sort(key=lambda item: (item[0], -item[1].score, item[1].begin - item[1].end, item[1]))
        return apart(mention for _, mention in ranked)

    def _rule(self, mention: Mention) -> SourceRule | None:
        key = mention.source, mention.type
        if key not in self._covering:
            self._covering[key] = next((rule for rule in self.rules if rule.covers(mention)), None)
        rule = self._covering[key]
        return rule if rule and mention.score >= rule.min_score else None


@Language.factory("medtext_resolve", default_config={"rules": ""})
def create_resolve(nlp: Language, name: str, rules: str) -> Resolver:  # noqa: ARG001
    folder = rules_dir(rules)
    corrections = Corrections(load_toml(folder / "corrections.toml", "correction", Correction))
    return Resolver(load_table(folder / "sources.tsv", SourceRule), corrections)
