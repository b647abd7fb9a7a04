"""Words as the model sees them."""

import pytest

from medtext.features import SHAPES, WordRows, normal, shape


@pytest.fixture
def rows() -> WordRows:
    return WordRows(["fever", "mg", "000"], buckets=1000)


@pytest.mark.parametrize(
    ("one", "other"),
    [("fever", "rigor"), ("BP", "HR"), ("Lasix", "Keppra"), ("120", "138"), (".", ","), ("\n", " \n ")],
)
def test_words_of_one_shape(one: str, other: str) -> None:
    assert shape(one) == shape(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("fever", "Fever"), ("fever", "FEVER"), ("120", "12"), ("a", "aa"), ("\n", "\n\n"), (" ", "\n"), ("x", "7")],
)
def test_words_of_two_shapes(one: str, other: str) -> None:
    assert shape(one) != shape(other)


@pytest.mark.parametrize("word", ["", "é", "🙂", "\ud800", "x" * 100_000, "½", "İ", "1,000", "12h", "_"])
def test_every_word_has_rows_of_the_table(rows: WordRows, word: str) -> None:
    if word:
        assert shape(word) < SHAPES
        assert all(0 <= row < len(rows) for row in rows(word))


def test_a_known_word_has_a_row_of_its_own(rows: WordRows) -> None:
    assert SHAPES in rows("fever")
    assert SHAPES in rows("FEVER")
    assert SHAPES not in rows("fevers")


def test_digits_are_alike_and_letters_are_not() -> None:
    assert normal("138") == normal("142") == "000"
    assert normal("13.5") == "00.0"
    assert normal("Mg") == "mg"


def test_a_misspelt_word_keeps_most_of_its_rows(rows: WordRows) -> None:
    right, wrong, other = (set(rows(word)) for word in ("hydrochlorothiazide", "hydroclorothiazide", "pneumonia"))
    assert len(right & wrong) > len(right & other) * 3
