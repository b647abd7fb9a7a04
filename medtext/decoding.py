"""From the model's opinion on every word to spans: BILOU tags under their constraints.

B(egin), I(nside), L(ast), O(utside), U(nit): Ratinov & Roth 2009. The likeliest tags are taken as they are where they
already form spans, which is nearly everywhere; where they do not, the Viterbi path through the stretch between the
nearest words outside is taken instead.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from medtext.schema import TYPES

TAGS = ("O", *(f"{place}-{kind}" for kind in TYPES for place in "BILU"))
OUTSIDE = 0
NEVER = np.float32(-1e4)

_place = np.array([tag[0] for tag in TAGS])
_kind = np.array([tag[2:] for tag in TAGS])
_opens = np.isin(_place, ("B", "I"))
_starts = np.isin(_place, ("O", "B", "U"))
ALLOWED: NDArray[np.bool_] = np.where(
    _opens[:, None], (_kind[:, None] == _kind) & np.isin(_place, ("I", "L")), _starts[None, :]
)
"""ALLOWED[i, j]: whether tag j may follow tag i."""
_step = np.where(ALLOWED, np.float32(0), NEVER)
_begin = np.where(_starts, np.float32(0), NEVER)
_end = np.where(_opens, NEVER, np.float32(0))


def decode(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """The best allowed tags for `scores`, log probabilities of words by TAGS."""
    tags: NDArray[np.int64] = scores.argmax(1)
    if not len(tags):
        return tags
    wrong = ~ALLOWED[tags[:-1], tags[1:]]
    broken = np.flatnonzero(wrong).tolist()
    if not _starts[tags[0]]:
        broken.insert(0, 0)
    if _opens[tags[-1]]:
        broken.append(len(tags) - 1)
    for first, last in _stretches(tags == OUTSIDE, broken):
        tags[first:last] = viterbi(scores[first:last])
    return tags


def _stretches(outside: NDArray[np.bool_], broken: list[int]) -> list[tuple[int, int]]:
    """The words round each break up to the nearest words outside, these included; one where they overlap."""
    found: list[tuple[int, int]] = []
    ends = np.flatnonzero(outside).tolist()
    for place in broken:
        at = bisect_right(ends, place)
        first = ends[at - 1] if at else 0
        last = ends[at] + 1 if at < len(ends) else len(outside)
        if found and first < found[-1][1]:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return found


def viterbi(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """The best allowed path through `scores`, which must begin and end outside an open span."""
    best = scores[0] + _begin
    back = np.empty(scores.shape, dtype=np.int64)
    for word in range(1, len(scores)):
        through = best[:, None] + _step
        back[word] = through.argmax(0)
        best = through.max(0) + scores[word]
    path = np.empty(len(scores), dtype=np.int64)
    path[-1] = (best + _end).argmax()
    for word in range(len(scores) - 1, 0, -1):
        path[word - 1] = back[word, path[word]]
    return path


def spans(tags: NDArray[np.int64]) -> list[tuple[int, int, str]]:
    """`(first word, word after the last, type)` of every span in a valid sequence of tags, in order."""
    found: list[tuple[int, int, str]] = []
    start = 0
    for place in np.flatnonzero(tags).tolist():
        tag = TAGS[tags[place]]
        if tag[0] in "BU":
            start = place
        if tag[0] in "LU":
            found.append((start, place + 1, tag[2:]))
    return found
