"""Which subtype a name, an address or a number has, judged by all that stands in it and round it.

Few words settle these, so a logistic regression for each subtype weighs the words inside, beside and above the identifier; what
`rules/phi_subtypes.tsv` says of it is a clue among them. A name is judged together with its other places in the note. The
weights are learned from gold by `medtext/training/phi_subtypes.py` and stand in `models/fast/phi_subtypes.tsv`, for every
model: nothing in them depends on one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from medtext.components.clues import words_of
from medtext.components.phi_features import shape
from medtext.components.phi_subtypes import AFTER, BEFORE, NAMED, STREET, line_words, settled, towns
from medtext.findings import findings, lower_words, text_of
from medtext.regression import weight_lines
from medtext.schema import PHI_SUBTYPES, Mention

JUDGED = ("NAME", "ADDRESS", "ID")
ELSEWHERE = 0.5
"""What a name's other places count, beside its own."""
MERE = ("STATE", "COUNTRY", "ZIP")
"""Subtypes that a policy may keep: an address has one where all of it says so to the rules, and is never judged to."""
NEVER = -1e6  # the log odds of a subtype that is not judged, or that gold does not have
ABOVE = 4  # words before it that are looked at across lines

Weights = Mapping[str, Mapping[str, Mapping[str, float]]]
"""By type, clue and subtype."""


class SubtypeJudge:
    """Gives identifiers of the types JUDGED their likeliest subtypes."""

    def __init__(self, weights: Weights) -> None:
        self._rows: dict[str, dict[str, int]] = {}
        self._weights: dict[str, NDArray[np.float64]] = {}
        self._start: dict[str, NDArray[np.float64]] = {}
        self._left: dict[str, frozenset[str]] = {}  # what is left to the rules
        for kind, clues in weights.items():
            self._rows[kind] = {clue: row for row, clue in enumerate(clues)}
            self._weights[kind] = np.array(
                [[of.get(subtype, 0.0) for subtype in PHI_SUBTYPES[kind]] for of in clues.values()]
            )
            out = ~self._weights[kind].any(0) | np.isin(PHI_SUBTYPES[kind], MERE)
            self._start[kind] = np.where(out, NEVER, 0.0)
            self._left[kind] = frozenset(np.array(PHI_SUBTYPES[kind])[out].tolist())

    def __call__(self, doc: Doc, mentions: Sequence[Mention], told: Sequence[str]) -> list[Mention]:
        """The mentions with the subtypes judged. They come with what is otherwise guessed; `told` is what rules tell of each."""
        text = text_of(doc)
        judged = [
            place
            for place, one in enumerate(mentions)
            if one.type in self._rows
            and told[place] not in self._left[one.type]
            and not settled(one.type, text[one.begin : one.end])
        ]
        if not judged:
            return list(mentions)
        scores = self._scores(doc, [mentions[place] for place in judged], [told[place] for place in judged])
        found = list(mentions)
        for place, row in zip(judged, scores, strict=True):
            one = mentions[place]
            best = PHI_SUBTYPES[one.type][int(row.argmax())]
            # with a number, or a word that the rules know, it is more than a city, which a policy may keep
            if best == "CITY" and (told[place] or any(map(str.isdigit, text[one.begin : one.end]))):
                best = one.subtype
            found[place] = replace(one, subtype=best)
        return found

    def _scores(self, doc: Doc, mentions: Sequence[Mention], told: Sequence[str]) -> list[NDArray[np.float64]]:
        """The log odds of each mention's subtypes, in the order of PHI_SUBTYPES."""
        scores = []
        for one, clues in zip(mentions, subtype_clues(doc, mentions, told), strict=True):
            known = self._rows[one.type]
            rows = [known[clue] for clue in clues if clue in known]
            scores.append(self._start[one.type] + self._weights[one.type][rows].sum(0))
        names = [NAMED.findall(text_of(doc)[one.begin : one.end].lower()) for one in mentions]
        everywhere: dict[str, NDArray[np.float64]] = {}
        for one, own, row in zip(mentions, names, scores, strict=True):
            if one.type == "NAME":
                for word in set(own):
                    everywhere[word] = everywhere.get(word, 0.0) + row
        return [
            row + ELSEWHERE * (everywhere[own[-1]] - row) if one.type == "NAME" and own else row
            for one, own, row in zip(mentions, names, scores, strict=True)
        ]


def subtype_clues(doc: Doc, mentions: Sequence[Mention], told: Iterable[str]) -> Iterator[list[str]]:
    """What is known of each mention, sorted by offset; `told` is the subtype that rules tell, empty where none does."""
    text, tokens, town = text_of(doc), lower_words(doc), towns(doc)
    begins, ends = words_of(doc, [(one.begin, one.end) for one in mentions])
    for one, begin, end, rule in zip(mentions, begins, ends, told, strict=True):
        own = [word for word in tokens[begin:end] if not word.isspace()] or [""]
        before = list(line_words(reversed(tokens[max(0, begin - 2 * BEFORE) : begin]), BEFORE))
        after = list(line_words(tokens[end : end + 2 * AFTER], AFTER))
        above = [word for word in tokens[max(0, begin - 3 * ABOVE) : begin] if not word.isspace()][: -ABOVE - 1 : -1]
        written = text[one.begin : one.end]
        yield [
            "bias",
            *(f"told={rule}", f"shape={shape(written)}", f"words={min(len(own), 6)}"),
            *(f"first={own[0]}", f"last={own[-1]}", f"section={findings(doc).section_of(one.begin)}"),
            *(f"street={bool(STREET.match(written))}", f"town={one.begin in town}"),
            f"label={next((word for word in before if word[0].isalpha()), None)}",
            *(f"begins line={not before}", f"ends line={not after}", f"two before={' '.join(before[1::-1])}"),
            *(f"inside={word}" for word in dict.fromkeys(own)),
            *(f"before={word}" for word in dict.fromkeys(before)),
            *(f"after={word}" for word in dict.fromkeys(after)),
            *(f"before{place}={word}" for place, word in enumerate(before[:3])),
            *(f"after{place}={word}" for place, word in enumerate(after[:2])),
            *(f"above{place}={word}" for place, word in enumerate(above)),
        ]


def read_subtypes(path: Path) -> Weights:
    """The weights of a `phi_subtypes.tsv`: type, subtype, clue, weight. Raises `ModelError` where it cannot be read."""
    weights: dict[str, dict[str, dict[str, float]]] = {}
    for (kind, subtype, clue), weight in weight_lines(path, names=3):
        weights.setdefault(kind, {}).setdefault(clue, {})[subtype] = weight
    return weights
