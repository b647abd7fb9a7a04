"""Words in BERT's pieces, and notes in windows of whole sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medtext.components.networks import windows
from medtext.wordpieces import MOST, WordPieces, parts

VOCABULARY = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[unused1]", "[unused2]", "[unused3]"),
    *("chole", "##cyst", "##itis", "fever", "nai", "##ve", "naive", "b", "/", "l", "130", "##5", "1", "##6"),
]


@pytest.fixture
def read() -> WordPieces:
    return WordPieces(VOCABULARY)


@pytest.mark.parametrize(
    ("word", "pieces"),
    [
        ("cholecystitis", ["chole", "##cyst", "##itis"]),
        ("FEVER", ["fever"]),
        ("naïve", ["naive"]),  # the longest known piece, without its accent
        ("b/l", ["b", "/", "l"]),
        ("1305", ["130", "##5"]),
        ("zoster", ["[UNK]"]),
        ("cholezoster", ["[UNK]"]),  # one unknown part makes the whole unknown
        ("  ", ["[unused3]"]),
        ("\n", ["[unused1]"]),
        ("\n \n", ["[unused2]"]),
        ("\u200b", ["[UNK]"]),  # prints nothing
    ],
)
def test_a_word_is_cut_into_the_longest_known_pieces(read: WordPieces, word: str, pieces: list[str]) -> None:
    assert [VOCABULARY[number] for number in read(word)] == pieces


def test_a_long_word_has_a_bounded_number_of_pieces(read: WordPieces) -> None:
    assert len(read("16666666666666666666666")) == MOST


def test_marks_stand_alone_and_accents_go() -> None:
    assert list(parts("Sjögren's")) == ["sjogren", "'", "s"]
    assert list(parts("5µg")) == ["5µg"]


LENGTHS = st.lists(st.integers(1, 8), max_size=80)


@given(LENGTHS, st.sets(st.integers(0, 79)), st.integers(8, 30))
def test_windows_cover_a_note_in_order_and_never_grow_too_large(
    lengths: list[int], starts: set[int], most: int
) -> None:
    places = sorted(start for start in starts if start < len(lengths))
    found = list(windows(lengths, places, most))
    assert [word for begin, end in found for word in range(begin, end)] == list(range(len(lengths)))
    assert all(begin < end and sum(lengths[begin:end]) <= most for begin, end in found)


def test_a_window_ends_with_a_sentence() -> None:
    assert list(windows([1] * 10, [0, 3, 6], 7)) == [(0, 6), (6, 10)]


def test_only_a_sentence_that_is_too_long_is_cut() -> None:
    assert list(windows([1] * 12, [0, 2, 11], 5)) == [(0, 2), (2, 7), (7, 12)]
