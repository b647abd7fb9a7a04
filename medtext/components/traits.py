"""Traits of mentions: what is negated, past, possible, planned or the family's, and what kind of finding it is.

Every trait that a mention of its type can have is judged by a network over what the entity model saw (`trait_network`), to
which ConText's verdicts, the section and what hangs on the mention are told. What a form answers counts beside it, and so
do the forms of words of `rules/traits.toml`. Of DIAGNOSIS, SYMPTOM and SIGN a condition has the likeliest, and at most one.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc

from medtext.components.context import Context, ContextCue
from medtext.components.ner import learned
from medtext.components.surroundings import Surroundings, surroundings
from medtext.components.trait_network import Numbering, TraitNetwork
from medtext.components.trait_rules import TraitRule, TraitRules
from medtext.findings import Findings, findings
from medtext.regression import LARGEST
from medtext.rulebook import load_table, load_toml, rules_dir
from medtext.schema import TRAITS, Mention, Trait

KINDS = ("DIAGNOSIS", "SYMPTOM", "SIGN")
_EVENT = ("NEGATION", "PAST_HISTORY", "FUTURE", "HYPOTHETICAL")
_HABIT = ("NEGATION", "PAST_HISTORY")
POSSIBLE: Mapping[str, tuple[str, ...]] = {
    "DX_NAME": (*KINDS, "NEGATION", "HYPOTHETICAL", "LOW_CONFIDENCE", "PERTAINS_TO_FAMILY", "PAST_HISTORY"),
    **dict.fromkeys(("GENERIC_NAME", "BRAND_NAME", "TEST_NAME", "PROCEDURE_NAME", "TREATMENT_NAME"), _EVENT),
    **dict.fromkeys(("TOBACCO_USE", "ALCOHOL_CONSUMPTION", "REC_DRUG_USE", "ALLERGIES"), _HABIT),
}
"""The traits that an entity of a type can have; other types have none."""
KIND_PLACES = [TRAITS.index(trait) for trait in KINDS]
POSSIBLE_MASKS = {
    kind: np.array([trait in traits for trait in TRAITS], dtype=float) for kind, traits in POSSIBLE.items()
}
_ENOUGH = {
    "NEGATION": 0.5,
    "HYPOTHETICAL": 0.4,
    "LOW_CONFIDENCE": 0.35,
    "FUTURE": 0.3,
    "PERTAINS_TO_FAMILY": 0.45,
    "PAST_HISTORY": 0.45,
}
SURE_ENOUGH = np.array([_ENOUGH.get(trait, 0.3) for trait in TRAITS])
"""How likely a trait must be. A plan is often said without a word of it, and then judged too unlikely."""
TOLD = 2.0
"""The log odds of NEGATION that "no increase in" takes, and of PAST_HISTORY that the "former" of a "former smoker" adds."""
A_KIND = 0.12  # "no complications" is neither a diagnosis nor a symptom nor a sign

ANSWER_ODDS = {"empty": 3.0, "no": 4.0, "ticked": -3.0, "yes": -6.0}
"""The log odds of NEGATION that the answer of a form adds."""


class TraitFinder:
    """The spaCy component: fills `findings(doc).traits`."""

    def __init__(self, context: Context, network: TraitNetwork, rules: TraitRules) -> None:
        self.context, self.network, self.rules = context, network, rules
        self._historical = context.literals("HISTORICAL")

    def __call__(self, doc: Doc) -> Doc:
        found = findings(doc)
        judged, seen = self.seen(doc)
        if seen and found.read is not None:
            scores = chosen(self.probabilities(doc, found.read, seen), [around.type for around in seen])
            for place, row in zip(judged, scores, strict=True):
                found.traits[place] = tuple(Trait(TRAITS[trait], float(row[trait])) for trait in np.flatnonzero(row))
        return doc

    def seen(self, doc: Doc) -> tuple[list[int], list[Surroundings]]:
        """The places of the mentions that can have traits, and what stands round each."""
        found = findings(doc)
        judged = [place for place, mention in enumerate(found.mentions) if possible_traits(mention.type)]
        if not judged:
            return [], []
        hanging = attributes_of(found)
        mentions = [found.mentions[place] for place in judged]
        return judged, surroundings(doc, self.context, mentions, [hanging.get(place, ()) for place in judged])

    def probabilities(self, doc: Doc, read: NDArray[np.float32], seen: Sequence[Surroundings]) -> NDArray[np.float64]:
        """How likely each trait is, mentions by TRAITS; also of traits that a mention of its type can't have.

        `read` are the words as the entity model read them.
        """
        log_odds = self.network(doc, read, seen)
        log_odds[:, TRAITS.index("NEGATION")] += [_told(around) for around in seen]
        log_odds[:, TRAITS.index("PAST_HISTORY")] += [TOLD * self._given_up(around) for around in seen]
        return likelihood(log_odds + self.rules(doc, seen))

    def _given_up(self, around: Surroundings) -> bool:
        """Whether a habit says itself that it is past: "former smoker", "ex-drinker"."""
        return POSSIBLE[around.type] is _HABIT and not self._historical.isdisjoint(around.words)


def likelihood(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """`regression.logistic` of each of them."""
    return 1 / (1 + np.exp(-np.clip(log_odds, -LARGEST, LARGEST)))  # type: ignore[no-any-return]


def _told(around: Surroundings) -> float:
    """The log odds of NEGATION that forms and cues of no negation add: notes that teach them are few."""
    categories = {verdict.category for verdict in around.verdicts}
    seeming = "PSEUDO_NEGATION" in categories and "NEGATED_EXISTENCE" not in categories
    # "[ ] calcitriol": nobody has ordered it yet; "Guaiac: negative": that is its result
    other = around.type == "TEST_NAME" or (around.answer == "empty" and "FUTURE" in POSSIBLE[around.type])
    return (0.0 if other else ANSWER_ODDS.get(around.answer, 0.0)) - (TOLD if seeming else 0.0)


def attributes_of(found: Findings) -> dict[int, list[Mention]]:
    """What hangs on each mention, by the mention's place."""
    hanging: dict[int, list[Mention]] = {}
    for place, link in found.links.items():
        hanging.setdefault(link.parent, []).append(found.mentions[place])
    return hanging


def chosen(scores: NDArray[np.float64], types: Sequence[str]) -> NDArray[np.float64]:
    """The scores that are high enough, of traits that a mention of its type can have; of KINDS the likeliest only."""
    scores = scores * np.array([POSSIBLE_MASKS[kind] for kind in types])
    kinds = scores[:, KIND_PLACES]
    best = np.zeros_like(kinds)
    rows, places = np.arange(len(kinds)), kinds.argmax(1)
    best[rows, places] = kinds[rows, places]
    scores = np.where(scores >= SURE_ENOUGH, scores, 0.0)
    scores[:, KIND_PLACES] = np.where(best >= A_KIND, best, 0.0)
    return scores


def possible_traits(kind: str) -> tuple[str, ...]:
    """The traits that a mention of this type can have."""
    return POSSIBLE.get(kind, ())


@Language.factory("medtext_traits", default_config={"rules": "", "model": "fast"})
def create_traits(nlp: Language, name: str, rules: str, model: str) -> TraitFinder:  # noqa: ARG001
    folder = rules_dir(rules)
    context = Context(nlp, load_table(folder / "context.tsv", ContextCue))
    network = TraitNetwork(learned(model, "traits.onnx"), Numbering.of(model))
    return TraitFinder(context, network, TraitRules(load_toml(folder / "traits.toml", "rule", TraitRule)))
