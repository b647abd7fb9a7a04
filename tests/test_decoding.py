"""Tags to spans: the short cut finds the same path as the whole search, and every path is allowed."""

from time import perf_counter

import numpy as np
import pytest

from medtext.decoding import ALLOWED, TAGS, decode, spans, viterbi

INDEX = {tag: place for place, tag in enumerate(TAGS)}


def scores(*tags: str, sure: float = 5.0) -> np.ndarray:
    """Log probabilities that favour `tags`."""
    favoured = np.zeros((len(tags), len(TAGS)), dtype=np.float32)
    favoured[np.arange(len(tags)), [INDEX[tag] for tag in tags]] = sure
    return favoured - np.log(np.exp(favoured).sum(1, keepdims=True))


def tags_of(found: np.ndarray) -> list[str]:
    return [TAGS[tag] for tag in found]


def test_tags_that_form_spans_are_taken_as_they_are() -> None:
    wanted = ["O", "B-DX_NAME", "I-DX_NAME", "L-DX_NAME", "U-DIRECTION", "O"]
    assert tags_of(decode(scores(*wanted))) == wanted


def test_an_open_span_is_closed() -> None:
    assert tags_of(decode(scores("O", "B-DX_NAME", "O"))) != ["O", "B-DX_NAME", "O"]


@pytest.mark.parametrize("begin", ["I-DX_NAME", "L-DX_NAME"])
def test_a_note_cannot_begin_inside_a_span(begin: str) -> None:
    found = tags_of(decode(scores(begin, "O")))
    assert found[0][0] in "OBU"


def test_a_note_cannot_end_inside_a_span() -> None:
    assert tags_of(decode(scores("O", "B-DX_NAME")))[-1][0] in "OLU"


def test_a_span_cannot_change_its_type() -> None:
    found = decode(scores("O", "B-DX_NAME", "L-TEST_NAME", "O"))
    assert ALLOWED[found[:-1], found[1:]].all()


@pytest.mark.parametrize("seed", range(20))
def test_the_short_cut_scores_as_well_as_the_whole_search(seed: int) -> None:
    chance = np.random.default_rng(seed)
    random = chance.normal(size=(40, len(TAGS))).astype(np.float32)
    random[:, 0] += chance.choice([0.0, 9.0], size=40, p=[0.3, 0.7])
    found, best = decode(random), viterbi(random)
    rows = np.arange(len(random))
    assert ALLOWED[found[:-1], found[1:]].all()
    assert random[rows, found].sum() == pytest.approx(random[rows, best].sum(), abs=1e-2)


def test_a_note_of_nothing_but_breaks_takes_no_long() -> None:
    begin = perf_counter()
    found = decode(scores(*["I-DX_NAME", "I-TEST_NAME"] * 10_000))
    assert ALLOWED[found[:-1], found[1:]].all()
    assert perf_counter() - begin < 10


def test_an_empty_note_has_no_tags() -> None:
    assert len(decode(np.zeros((0, len(TAGS)), dtype=np.float32))) == 0


def test_spans_are_read_off_tags() -> None:
    tags = np.array([INDEX[tag] for tag in ["U-DIRECTION", "B-DX_NAME", "L-DX_NAME", "O", "U-GENDER"]])
    assert spans(tags) == [(0, 1, "DIRECTION"), (1, 3, "DX_NAME"), (4, 5, "GENDER")]
