"""Traits of mentions: what is negated, past, possible, planned or the family's, and what kind of finding it is.

Every trait that a mention of its type can have is judged by a logistic regression over clues: ConText's verdicts with
their cues, the section, the mention's own words and those beside it, and the opinion of the entity model where there is
one. The weights are learned from gold traits by `medtext/training/traits.py` and stand in the model's `traits.tsv`. Of
DIAGNOSIS, SYMPTOM and SIGN a condition has the likeliest, and at most one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc

from medtext.components.clues import words_of
from medtext.components.context import Context, ContextCue, Verdict
from medtext.config import find_model
from medtext.findings import findings, text_of, words
from medtext.regression import LARGEST, weight_lines
from medtext.rulebook import load_table, rules_dir
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
SURE_ENOUGH = np.array([0.2 if trait in ("HYPOTHETICAL", "LOW_CONFIDENCE", "FUTURE") else 0.3 for trait in TRAITS])
"""How likely a trait must be. Those three are often said without a cue, and then judged too unlikely."""
A_KIND = 0.12  # "no complications" is neither a diagnosis nor a symptom nor a sign
MODELS_SHARE = np.array([0.2 if trait in ("LOW_CONFIDENCE", "FUTURE") else 0.35 for trait in TRAITS])
"""How much of a trait's log odds is the entity model's, where it has an opinion. Both were set on held-out notes."""

Weights = dict[str, list[tuple[str, float]]]
"""The traits that a feature speaks for or against, with its weights."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a trait is judged by."""

    type: str
    begin: int  # its first token
    end: int  # the token after its last
    section: str
    words: tuple[str, ...]
    before: tuple[str, ...]  # the words before it in its sentence, nearest first
    after: tuple[str, ...]
    heading: str  # the words before a colon at the start of its line
    verdicts: tuple[Verdict, ...]


class TraitFinder:
    """The spaCy component: fills `findings(doc).traits`."""

    def __init__(self, context: Context, weights: Weights) -> None:
        self.context = context
        self._rows = {feature: number for number, feature in enumerate(weights, 1)}
        self._weights = np.zeros((len(weights) + 1, len(TRAITS)))  # the first row is that of unknown features
        for feature, number in self._rows.items():
            for trait, weight in weights[feature]:
                self._weights[number, TRAITS.index(trait)] = weight

    def __call__(self, doc: Doc) -> Doc:
        found = findings(doc)
        judged = [place for place, mention in enumerate(found.mentions) if possible_traits(mention.type)]
        seen = surroundings(doc, self.context, [found.mentions[place] for place in judged])
        found.traits = dict(zip(judged, self.traits(seen, found.token_traits), strict=True))
        return doc

    def traits(self, seen: Sequence[Surroundings], token_traits: NDArray[np.float32] | None) -> list[tuple[Trait, ...]]:
        """The traits of each mention, in the order of `TRAITS`. `token_traits` is the entity model's opinion, if any."""
        if not seen:
            return []
        log_odds = self._log_odds(seen)
        if token_traits is not None:
            log_odds = (1 - MODELS_SHARE) * log_odds + MODELS_SHARE * model_odds(seen, token_traits)
        scores = chosen(1 / (1 + np.exp(-np.clip(log_odds, -LARGEST, LARGEST))), [around.type for around in seen])
        found: list[list[Trait]] = [[] for _ in seen]
        for mention, trait in zip(*np.nonzero(scores), strict=True):
            found[mention].append(Trait(TRAITS[trait], float(scores[mention, trait])))
        return [tuple(traits) for traits in found]

    def _log_odds(self, seen: Sequence[Surroundings]) -> NDArray[np.float64]:
        """The regressions' log odds, mentions by TRAITS."""
        rows: list[int] = []
        firsts = []
        for around in seen:
            firsts.append(len(rows))
            rows += [self._rows.get(feature, 0) for feature in trait_features(around)]
        return np.add.reduceat(self._weights[rows], firsts)  # type: ignore[no-any-return]


def model_odds(seen: Sequence[Surroundings], token_traits: NDArray[np.float32]) -> NDArray[np.float64]:
    """The entity model's log odds, mentions by TRAITS: of its mean probability over a mention's words."""
    limits = [place for around in seen for place in (around.begin, around.end)]
    ended = np.concatenate([token_traits, np.zeros_like(token_traits[:1])])  # so that a mention can end the note
    lengths = np.array([around.end - around.begin for around in seen])
    means = np.add.reduceat(ended.astype(np.float64), limits)[::2] / lengths[:, None]
    return odds(means)


def odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log odds, within limits."""
    probabilities = probabilities.clip(1e-4, 1 - 1e-4)
    return np.log(probabilities / (1 - probabilities))  # type: ignore[no-any-return]


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


def surroundings(doc: Doc, context: Context, mentions: Sequence[Mention]) -> list[Surroundings]:
    """What there is to say of each mention. `mentions` are sorted and the Doc's sentences are set."""
    found = findings(doc)
    verdicts = context(doc, mentions)
    begins, ends = words_of(doc, [(mention.begin, mention.end) for mention in mentions])
    sentences = [(sentence.start, sentence.end) for sentence in doc.sents]
    text = text_of(doc)
    lower = [word.lower() for word in words(doc)]
    seen, place = [], 0
    for mention, begin, end, judged in zip(mentions, begins, ends, verdicts, strict=True):
        while place + 1 < len(sentences) and sentences[place][1] <= begin:
            place += 1
        first, last = sentences[place]
        before = [word for word in lower[max(first, begin - 6) : begin] if not word.isspace()][::-1]
        after = [word for word in lower[end : min(last, end + 5)] if not word.isspace()]
        seen.append(
            Surroundings(
                mention.type,
                begin,
                end,
                found.section_of(mention.begin) or "NONE",
                tuple(word for word in lower[begin:end] if not word.isspace()) or ("",),
                tuple(before[:4]),
                tuple(after[:3]),
                _heading(text, mention.begin),
                tuple(judged),
            )
        )
    return seen


def _heading(text: str, begin: int) -> str:
    """The words before the first colon of the line, where the mention stands after it: "Lungs", "Plan"."""
    start = text.rfind("\n", 0, begin) + 1
    colon = text.find(":", start, min(begin, start + 40))
    return " ".join(text[start:colon].strip(" -*•#.0123456789").lower().split()) if colon >= 0 else ""


def trait_features(around: Surroundings) -> list[str]:
    """The clues to a mention's traits, as names."""
    kind, section = around.type, around.section
    surface = " ".join(around.words)
    features = ["bias", kind, f"section={section}", f"{kind}|section={section}", f"heading={around.heading}"]
    for category in sorted({verdict.category for verdict in around.verdicts}):
        features += [f"context={category}", f"{kind}|context={category}", f"context={category}|section={section}"]
    for verdict in around.verdicts:
        near = min(max(verdict.distance, 0), 6)
        features += [f"cue={verdict.cue}", f"cue={verdict.literal}|near={near // 2}"]
    if not around.verdicts:
        features.append(f"{kind}|no context")
    features += [f"surface={surface}", f"last={around.words[-1]}", f"first={around.words[0]}"]
    features += [f"ending={around.words[-1][-4:]}", f"count={min(len(around.words), 4)}"]
    features += [f"before{place}={word}" for place, word in enumerate(around.before)]
    features += [f"after{place}={word}" for place, word in enumerate(around.after)]
    features += [f"near before={word}" for word in around.before]
    if len(around.before) > 1:
        features.append(f"before={around.before[1]} {around.before[0]}")
    if not around.before:
        features.append(f"first of its sentence|section={section}")
    return features


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
    return TraitFinder(context, read_traits(find_model(model) / "traits.tsv"))
