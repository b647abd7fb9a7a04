"""The network that says what owns an attribute, by what the entity model saw of both and of the words between.

Each possible owner of an attribute is judged by itself, and so is that nothing owns it; the softmax over these is how likely
each is. What lies between two mentions is told in numbers as well (`medtext.link_pairs`). Trained by
`medtext/training/links.py`.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from medtext.components.clues import words_of
from medtext.components.networks import open_session
from medtext.components.trait_network import means
from medtext.link_pairs import TYPES, Pairs
from medtext.regression import LARGEST
from medtext.schema import Mention

Inputs = dict[str, NDArray[np.float32] | NDArray[np.int64]]


class LinkNetwork:
    """How likely each pair of an attribute and a possible owner is, in a Doc that the entity model has read."""

    def __init__(self, path: Path) -> None:
        self._session = open_session(path)

    def __call__(
        self, doc: Doc, read: NDArray[np.float32], mentions: Sequence[Mention], pairs: Pairs
    ) -> NDArray[np.float64]:
        """One number a pair. `read` are the words as the entity model read them; there is a pair at least."""
        fits, alone = self._session.run(None, inputs(doc, read, mentions, pairs))
        fits, alone = (np.exp(np.clip(given.astype(float), -LARGEST, LARGEST)) for given in (fits, alone))
        of_all = alone.copy()
        np.add.at(of_all, pairs.attributes, fits)
        return fits / of_all[pairs.attributes]  # type: ignore[no-any-return]


def inputs(doc: Doc, read: NDArray[np.float32], mentions: Sequence[Mention], pairs: Pairs) -> Inputs:
    """What the network is given: the mentions, the words beside them, and the pairs by their places."""
    begins, ends = map(np.array, words_of(doc, [(one.begin, one.end) for one in mentions]))
    seen = read[:, read.shape[1] // 2 :]
    firsts, lasts = np.minimum(pairs.attributes, pairs.owners), np.maximum(pairs.attributes, pairs.owners)
    return {
        "mentions": means(read, begins, ends),
        "lasts": seen[ends - 1],
        "followed_by": seen[np.minimum(ends, len(seen) - 1)],
        "led_by": seen[np.maximum(begins - 1, 0)],
        "types": np.array([TYPES[one.type] for one in mentions]),
        "pairs": pairs.numbers,
        "marks": pairs.marks,
        "between": _means_between(seen, ends[firsts], begins[lasts]),
    }


def _means_between(
    seen: NDArray[np.float32], begins: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The mean of the words in each gap; zeros where there is none."""
    means = np.zeros((len(begins), seen.shape[1]), dtype=np.float32)
    wide = np.flatnonzero(ends > begins)
    gaps = np.stack([begins[wide], ends[wide]], 1)
    means[wide] = np.add.reduceat(seen, gaps.ravel())[::2] / (gaps[:, 1:] - gaps[:, :1])
    return means
