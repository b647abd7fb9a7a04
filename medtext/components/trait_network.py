"""The network that judges traits by what the entity model saw: each mention asks the words round it.

A mention's words ask, the words up to `LEFT` before and `RIGHT` after it answer (attention: Vaswani et al. 2017), by how
they were read, how far away they stand, and whether that is in another sentence or on another line. ConText's verdicts, the
section and what hangs on the mention are read beside the answer. Trained by `medtext/training/trait_network.py`.
"""

from collections.abc import Mapping, Sequence
from math import ceil, copysign, log2
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from medtext.components.context import CATEGORIES
from medtext.components.networks import open_session
from medtext.components.surroundings import ANSWERS, Surroundings
from medtext.findings import words
from medtext.schema import CATEGORY_OF

LEFT, RIGHT = 30, 16  # words
EXACT = 6  # words that are told apart one by one; farther away, by ever wider steps
STEPS = 11  # of distance, each way
DISTANCES = 2 * STEPS + 1
PLACES = 4 * DISTANCES  # distances in the sentence and line, in another sentence, on another line, in both
NOWHERE = PLACES  # before the first word of a note, or after the last
TYPES = tuple(CATEGORY_OF)
HANGING = (
    *("TIME_EXPRESSION", "DATE", "TEST_VALUE", "DOSAGE", "STRENGTH", "FREQUENCY", "DURATION"),
    *("ACUITY", "QUALITY", "SYSTEM_ORGAN_SITE"),
)
DATING = ("TIME_EXPRESSION", "DATE")

Inputs = dict[str, NDArray[np.float32] | NDArray[np.int64]]


def _step(distance: int) -> int:
    if abs(distance) <= EXACT:
        return distance + STEPS
    far = EXACT + ceil(log2(abs(distance) / EXACT + 1) * 1.5)
    return STEPS + int(copysign(min(far, STEPS), distance))


STEP_OF = np.array([_step(distance) for distance in range(-LEFT, RIGHT + 1)])


class TraitNetwork:
    """Log odds of traits for the mentions of a Doc that the entity model has read."""

    def __init__(self, path: Path, sections: Sequence[str]) -> None:
        self._sections = {name: place for place, name in enumerate(sections)}
        self._session = open_session(path)

    def __call__(self, doc: Doc, read: NDArray[np.float32], seen: Sequence[Surroundings]) -> NDArray[np.float64]:
        """Mentions by TRAITS. `seen` must not be empty."""
        given = inputs(doc, seen, self._sections)
        return self._session.run(None, {"read": read, **given})[0].astype(np.float64)  # type: ignore[no-any-return]


def inputs(doc: Doc, seen: Sequence[Surroundings], sections: Mapping[str, int]) -> Inputs:
    """What the network reads of each mention beside the words."""
    begins = np.array([around.begin for around in seen])
    ends = np.array([around.end for around in seen])
    dates = [next(((b, e) for kind, b, e in around.attributes if kind in DATING), (0, 0)) for around in seen]
    window, places = windows(doc, begins, ends)
    return {
        "begins": begins,
        "ends": ends,
        "dates": np.array(dates),
        "window": window,
        "places": places,
        "types": np.array([TYPES.index(around.type) for around in seen]),
        "sections": np.array([sections.get(around.section, len(sections)) for around in seen]),
        "facts": np.array([_facts(around) for around in seen], dtype=np.float32),
    }


def windows(
    doc: Doc, begins: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The words that each mention asks, and where they stand from it: two tables, a row a mention."""
    sentence = np.cumsum([bool(word.is_sent_start) for word in doc])
    line = np.cumsum(["\n" in word for word in words(doc)])
    longest = int((ends - begins).max())
    window = begins[:, None] + np.arange(-LEFT, longest + RIGHT)
    first, last = begins[:, None], ends[:, None]
    distance = np.where(window < first, window - first, np.maximum(window - last + 1, 0))
    outside = (window < 0) | (window >= len(doc)) | (distance > RIGHT)
    window = np.where(outside, first, window)
    places = STEP_OF[np.where(outside, 0, distance) + LEFT]
    places = places + DISTANCES * (sentence[window] != sentence[first]) + 2 * DISTANCES * (line[window] != line[first])
    return window, np.where(outside, NOWHERE, places)


def _facts(around: Surroundings) -> list[float]:
    """Which of ConText's verdicts there are and how near their cues, what hangs on the mention, and how a form answers it."""
    near = dict.fromkeys(CATEGORIES, 0.0)
    for verdict in around.verdicts:
        near[verdict.category] = 1 / (1 + max(verdict.distance, 0))
    hanging = {kind for kind, _, _ in around.attributes}
    return [
        *(float(value > 0) for value in near.values()),
        *near.values(),
        *(float(kind in hanging) for kind in HANGING),
        *(float(around.answer == one) for one in ANSWERS),
    ]
