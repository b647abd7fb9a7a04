"""Traits of mentions: what is negated, past, possible, planned or the family's, and what kind of finding it is.

Every trait that a mention of its type can have is judged twice: by a logistic regression over clues (ConText's verdicts with
their cues, the section, the mention's own words and those beside it, what hangs on it), whose weights are learned by
`medtext/training/traits.py` and stand in the model's `traits.tsv`, and by a network over what the entity model saw
(`trait_network`). Their log odds are averaged. Of DIAGNOSIS, SYMPTOM and SIGN a condition has the likeliest, and at most one.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc

from medtext.components.context import Context, ContextCue
from medtext.components.ner import learned
from medtext.components.surroundings import Surroundings, surroundings
from medtext.components.trait_network import DATING, Numbering, TraitNetwork
from medtext.findings import Findings, findings, lower_words
from medtext.regression import LARGEST, weight_lines
from medtext.rulebook import load_table, load_words, rules_dir
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
    "NEGATION": 0.4,
    "HYPOTHETICAL": 0.2,
    "LOW_CONFIDENCE": 0.2,
    "FUTURE": 0.25,
    "PERTAINS_TO_FAMILY": 0.5,
    "PAST_HISTORY": 0.35,
}
SURE_ENOUGH = np.array([_ENOUGH.get(trait, 0.3) for trait in TRAITS])
"""How likely a trait must be. Three are often said without a cue, and then judged too unlikely; two are not."""
TOLD = 2.0
"""The log odds of NEGATION that "no increase in" takes, and of PAST_HISTORY that the "former" of a "former smoker" adds."""
A_KIND = 0.12  # "no complications" is neither a diagnosis nor a symptom nor a sign
NETWORKS_SHARE = 0.5
"""How much of a trait's log odds is the network's."""

BIAS = 0  # the row of what counts for every mention
BEFORE_PLACES = tuple(f"before{place}" for place in range(4))
AFTER_PLACES = tuple(f"after{place}" for place in range(3))
PLACED_BEFORE = ("placed0", "placed1", "placed2")
PLACED_AFTER = ("placed after0", "placed after1")
MISSED = ("TEST_VALUE", "DOSAGE", "STRENGTH", "TIME_EXPRESSION")
TELLING = ("ACUITY", "QUALITY", "FREQUENCY")

ANSWER_ODDS = {"empty": 3.0, "no": 4.0, "ticked": -3.0, "yes": -4.0}
"""The log odds of NEGATION that the answer of a form adds."""

Clue = tuple[str, Sequence[str]]
"""A kind of clue, and the values that it has."""
Weights = dict[str, list[tuple[str, float]]]
"""The traits that a clue ("kind=value", or "bias") speaks for or against, with its weights."""


class TraitFinder:
    """The spaCy component: fills `findings(doc).traits`."""

    def __init__(
        self, context: Context, placing: frozenset[str], weights: Weights, network: TraitNetwork | None
    ) -> None:
        self.context = context
        self.placing = placing
        self._historical = context.literals("HISTORICAL")
        self.network = network
        self._rows: dict[str, dict[str, int]] = {}  # by kind of clue and value
        self._weights = np.zeros((len(weights) + 1, len(TRAITS)))
        for number, (clue, traits) in enumerate(weights.items(), 1):
            row = BIAS if clue == "bias" else number
            kind, _, value = clue.partition("=")
            self._rows.setdefault(kind, {})[value] = row
            for trait, weight in traits:
                self._weights[row, TRAITS.index(trait)] = weight

    def __call__(self, doc: Doc) -> Doc:
        found = findings(doc)
        judged, seen = self.seen(doc)
        if seen:
            scores = chosen(self.probabilities(doc, seen), [around.type for around in seen])
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

    def probabilities(self, doc: Doc, seen: Sequence[Surroundings]) -> NDArray[np.float64]:
        """How likely each trait is, mentions by TRAITS; also of traits that a mention of its type can't have."""
        log_odds = self.learned_log_odds(doc, seen)
        log_odds[:, TRAITS.index("NEGATION")] += [_told(around) for around in seen]
        log_odds[:, TRAITS.index("PAST_HISTORY")] += [TOLD * self._given_up(around) for around in seen]
        return likelihood(log_odds)

    def _given_up(self, around: Surroundings) -> bool:
        """Whether a habit says itself that it is past: "former smoker", "ex-drinker"."""
        return POSSIBLE[around.type] is _HABIT and not self._historical.isdisjoint(around.words)

    def learned_log_odds(self, doc: Doc, seen: Sequence[Surroundings]) -> NDArray[np.float64]:
        """The log odds of the regressions and of the network, averaged."""
        log_odds = self.log_odds(doc, seen)
        if self.network and (read := findings(doc).read) is not None:
            log_odds = (1 - NETWORKS_SHARE) * log_odds + NETWORKS_SHARE * self.network(doc, read, seen)
        return log_odds

    def log_odds(self, doc: Doc, seen: Sequence[Surroundings]) -> NDArray[np.float64]:
        """The regressions' log odds, mentions by TRAITS."""
        lower = lower_words(doc)
        rows: list[int] = []
        firsts = []
        for around in seen:
            firsts.append(len(rows))
            rows.append(BIAS)
            for kind, values in trait_clues(around, lower, self.placing):
                if known := self._rows.get(kind):
                    rows += [known[value] for value in values if value in known]
        return np.add.reduceat(self._weights[rows], firsts)  # type: ignore[no-any-return]


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


def trait_clues(around: Surroundings, lower: Sequence[str], placing: frozenset[str]) -> list[Clue]:
    """What is known of a mention, by kind of clue.

    `lower` are the note's tokens in lower case, `placing` the words that place an event in time or in doubt.
    """
    kind, section, before, after, own = around.type, around.section, around.before, around.after, around.words
    nearest = before[:1] or ("^",)
    clues: list[Clue] = [
        ("type", (kind,)),
        ("section", (section,)),
        (f"{kind}|section", (section,)),
        ("heading", (around.heading,)),
        ("near before", before[:4]),
        ("far before", tuple(dict.fromkeys(before[4:]))),
        ("far after", tuple(dict.fromkeys(after[3:]))),
        (f"{section}|before", nearest),
        ("surface", (" ".join(own),)),
        ("first", own[:1]),
        ("last", own[-1:]),
        ("ending", (own[-1][-4:],)),
        ("words", (str(min(len(own), 4)),)),
        ("word", own),
        *zip(BEFORE_PLACES, zip(before, strict=False), strict=False),
        *zip(AFTER_PLACES, zip(after, strict=False), strict=False),
    ]
    if around.answer:
        clues += [("answer", (around.answer,)), (f"{kind}|answer", (around.answer,))]
    if len(before) > 1:
        clues.append(("two before", (f"{before[1]} {before[0]}",)))
    if len(before) > 2:
        clues.append(("three before", (f"{before[2]} {before[1]} {before[0]}",)))
    if after:
        clues.append(("between", (f"{nearest[0]} _ {after[0]}",)))
    if len(after) > 1:
        clues.append(("two after", (f"{after[0]} {after[1]}",)))
    if not before:
        clues.append(("begins a sentence of", (section,)))
    clues += _said_by_context(around)
    clues += _placed(around, placing)
    clues += _hanging(around, lower)
    return clues


def _said_by_context(around: Surroundings) -> list[Clue]:
    kind, section = around.type, around.section
    if not around.verdicts:
        return [(f"{kind}|context", ("none",))]
    categories = tuple(sorted({verdict.category for verdict in around.verdicts}))
    return [
        ("context", categories),
        (f"{kind}|context", categories),
        (f"{section}|context", categories),
        ("cue", tuple(verdict.cue for verdict in around.verdicts)),
        ("near cue", tuple(f"{cue.literal}|{min(max(cue.distance, 0), 6) // 2}" for cue in around.verdicts)),
    ]


def _placed(around: Surroundings, placing: frozenset[str]) -> list[Clue]:
    """The nearest words that place an event in time or in doubt: "will", "if", "was", "since"."""
    before = list(islice(filter(placing.__contains__, around.before), 3))
    after = list(islice(filter(placing.__contains__, around.after), 2))
    clues: list[Clue] = [
        *zip(PLACED_BEFORE, zip(before, strict=True), strict=False),
        *zip(PLACED_AFTER, zip(after, strict=True), strict=False),
        (f"{around.type}|placed", tuple(before[:1]) or ("^",)),
    ]
    if len(before) > 1:
        clues.append(("placed by two", (f"{before[1]} {before[0]}",)))
    return clues


def _hanging(around: Surroundings, lower: Sequence[str]) -> list[Clue]:
    """What hangs on the mention: "two years ago", a dose, "resolved"."""
    if not around.attributes:
        return [(f"{around.type}|lacks", MISSED)]
    kinds = {kind for kind, _, _ in around.attributes}
    clues: list[Clue] = [
        ("has", tuple(sorted(kinds))),
        (f"{around.type}|lacks", tuple(kind for kind in MISSED if kind not in kinds)),
    ]
    for kind, begin, end in around.attributes:
        if kind in DATING:
            clues.append((f"{around.type}|dated", (kind,)))
            clues.append((kind, tuple(word for word in sorted(set(lower[begin:end])) if word.isalpha())))
        elif kind in TELLING:
            clues.append((kind, (" ".join(lower[begin:end]),)))
    return clues


def read_traits(path: Path) -> Weights:
    """The weights of a `traits.tsv`: trait, feature, weight. Raises `ModelError` where it cannot be read."""
    weights: Weights = {}
    for (trait, feature), weight in weight_lines(path, names=2):
        weights.setdefault(feature, []).append((trait, weight))
    return weights


@Language.factory("medtext_traits", default_config={"rules": "", "model": "fast"})
def create_traits(nlp: Language, name: str, rules: str, model: str) -> TraitFinder:  # noqa: ARG001
    folder = rules_dir(rules)
    context = Context(nlp, load_table(folder / "context.tsv", ContextCue))
    placing = load_words(folder / "placing_words.txt")
    network = learned(model, "traits.onnx")
    weights = read_traits(learned(model, "traits.tsv"))
    return TraitFinder(context, placing, weights, TraitNetwork(network, Numbering.of(model)))
