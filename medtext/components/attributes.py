"""Attributes on their entity: which drug a dose belongs to, which finding a site, which event a date.

Every attribute looks at the mentions round it that can own one of its type, and a logistic regression over what lies
between the two says how likely each is; the likeliest owns it, if it is likely enough. The weights are learned from gold
links by `models/train/links.py` and stand in the model's `links.tsv`, a feature a line.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from math import exp
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from medtext.components.ner import find_model
from medtext.errors import ModelError
from medtext.findings import Link, findings
from medtext.schema import ATTRIBUTES, Mention

DEPENDENT = frozenset({*ATTRIBUTES, "SYSTEM_ORGAN_SITE", "TIME_EXPRESSION", "DATE"})
"""What can hang on an entity."""
SITE = "SYSTEM_ORGAN_SITE"
REACH = 12  # mentions to either side that are looked at
RIVALS = 4  # of which so many that could own it
FAR = 300  # characters between an attribute and its entity, at most
SHORT = 14  # characters of a gap whose very words are a feature
ENOUGH = 0.12
"""An attribute without a parent this likely hangs on none. Low, since nearly every attribute has one, and the likeliest
of many is seldom likely by itself; set on held-out notes."""

Weights = dict[str, float]


class AttributeLinker:
    """The spaCy component: fills `findings(doc).links`."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights

    def __call__(self, doc: Doc) -> Doc:
        found = findings(doc)
        starts = [sentence.start_char for sentence in doc.sents]
        found.links = dict(self.links(doc.text, found.mentions, starts))
        return doc

    def links(self, text: str, mentions: Sequence[Mention], starts: Sequence[int]) -> Iterator[tuple[int, Link]]:
        """The place of each attribute that has a parent, with the link to it. `starts` are sentences' offsets.

        Sites first: a direction belongs to what owns the site beside it ("pain in the left knee").
        """
        places = [place for place, mention in enumerate(mentions) if mention.type in DEPENDENT]
        places.sort(key=lambda place: mentions[place].type != SITE)
        owners: dict[int, int] = {}
        for place in places:
            scored = [
                (self.score(features), -abs(parent - place), parent)
                for parent, features in pairs(text, mentions, place, starts, owners)
            ]
            score, _, parent = max(scored, default=(0.0, 0, 0))
            if score >= ENOUGH:
                if mentions[place].type == SITE:
                    owners[place] = parent
                yield place, Link(parent, score, "links")

    def score(self, features: Sequence[str]) -> float:
        """How likely it is that the pair with these features is a link."""
        total = sum(self.weights.get(feature, 0.0) for feature in features)
        return 1 / (1 + exp(-max(min(total, 30.0), -30.0)))


def pairs(
    text: str, mentions: Sequence[Mention], place: int, starts: Sequence[int], owners: Mapping[int, int]
) -> Iterator[tuple[int, list[str]]]:
    """The places of what could own the attribute at `place`, each with the features of that pair.

    `owners` are the owners of sites, as far as they are known.
    """
    kind = mentions[place].type
    for step in (-1, 1):
        rivals = alike = 0
        for parent in range(place + step, place + step * (REACH + 1), step):
            if not 0 <= parent < len(mentions):
                break
            near, far = sorted((mentions[place], mentions[parent]))
            if far.begin - near.end > FAR or "\n\n" in text[near.end : far.begin]:
                break
            if mentions[parent].type == kind:
                alike += 1
            elif can_own(mentions[parent].type, kind):
                gap = text[near.end : far.begin]
                crossed = bisect_right(starts, far.begin) - bisect_left(starts, near.end)
                features = pair_features(kind, mentions[parent].type, step, gap, rivals, alike, crossed)
                if kind != SITE:
                    if parent in (owners.get(place - 1), owners.get(place + 1)):
                        features.append(f"{kind}|owns the site beside")
                    if parent in owners:
                        features.append(f"{kind}|is a site that is owned")
                yield parent, features
                rivals += 1
                if rivals == RIVALS:
                    break


def can_own(parent: str, kind: str) -> bool:
    """Whether a mention of type `parent` can have an attribute of this type at all."""
    if parent in ATTRIBUTES or parent in ("TIME_EXPRESSION", "DATE"):
        return False
    return not (kind == SITE and parent == SITE)


def pair_features(
    kind: str, parent: str, step: int, gap: str, rivals: int, alike: int, crossed: int
) -> list[str]:
    """What is said of an attribute and a possible parent `step` to its left (-1) or right (1).

    `gap` is the text between them, `rivals` how many nearer mentions on that side could own it, `alike` how many
    attributes of the same type stand between, `crossed` how many sentences begin between.
    """
    side = "before" if step < 0 else "after"
    words = " ".join(gap.lower().split())
    head = f"{kind}|{side}"
    marks = "".join(sorted({mark for mark in gap if mark in ",;:.()/-|"}))
    features = [
        "bias",
        f"{kind}|{parent}",
        f"{head}|{parent}",
        f"{head}|rivals={min(rivals, 4)}",
        f"{head}|{parent}|rivals={min(rivals, 3)}",
        f"{head}|alike={min(alike, 3)}",
        f"{head}|sentences={min(crossed, 2)}",
        f"{head}|lines={min(gap.count(chr(10)), 2)}",
        f"{head}|length={(len(words) + 1).bit_length()}",
        f"{head}|rivals={min(rivals, 2)}|sentences={min(crossed, 1)}|marks={marks}",
        f"{kind}|marks={marks}",
    ]
    if len(words) <= SHORT:
        features += [f"{head}|gap={words}", f"{head}|{parent}|gap={words}"]
    else:
        features.append(f"{head}|last={words.rsplit(' ', 1)[-1]}")
    return features


def read_weights(path: Path) -> Weights:
    """The weights of a `links.tsv`. Raises `ModelError` where there is none, or one that cannot be read."""
    try:
        rows = (line.split("\t") for line in path.read_text(encoding="utf-8").rstrip("\n").split("\n"))
        return {feature: float(weight) for feature, weight in rows}
    except (OSError, ValueError):
        raise ModelError(f"{path} holds no weights of links; train them with `models.train.links`.") from None


@Language.factory("medtext_attributes", default_config={"rules": "", "model": "fast"})
def create_attributes(nlp: Language, name: str, rules: str, model: str) -> AttributeLinker:  # noqa: ARG001
    return AttributeLinker(read_weights(find_model(model) / "links.tsv"))
