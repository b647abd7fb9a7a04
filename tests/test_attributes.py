"""Which attribute hangs on what, with the spans given: the nearest owner that the sentence supports, or none."""

from pathlib import Path

import pytest

from medtext.components.attributes import ENOUGH, AttributeLinker
from medtext.errors import ModelError
from medtext.link_features import FAR, RIVALS, Layout
from medtext.regression import read_weights
from medtext.schema import Mention
from tests.cases import parse


def linked(nlp, line: str) -> tuple[dict, dict]:
    """The links that the linker sees between the marks of a line, and those that the line says, by the words."""
    case = parse(line, line)
    mentions = [Mention(*place) for place in sorted(case.traits)]
    words = [case.text[one.begin : one.end] for one in mentions]
    starts = [sentence.start_char for sentence in nlp.get_pipe("medtext_sentences")(nlp.make_doc(case.text)).sents]
    links = nlp.get_pipe("medtext_attributes").links(case.text, mentions, starts)
    said = {case.text[child[0] : child[1]]: case.text[owner[0] : owner[1]] for child, owner in case.links.items()}
    return {words[place]: words[link.parent] for place, link in links}, said


@pytest.mark.parametrize(
    "line",
    [
        "[Aspirin|GENERIC_NAME #1] [81 mg|DOSAGE @1] [daily|FREQUENCY @1], "
        "[Lipitor|BRAND_NAME #2] [40 mg|DOSAGE @2] [nightly|FREQUENCY @2].",
        "[Na|TEST_NAME #1] [138|TEST_VALUE @1], [potassium|TEST_NAME #2] [4.1|TEST_VALUE @2] [mEq/L|TEST_UNIT @2].",
        "[Severe|QUALITY @1] [headache|DX_NAME #1] and [mild|QUALITY @2] [nausea|DX_NAME #2].",
        "She has [pain|DX_NAME #1] in the [left|DIRECTION @1] [knee|SYSTEM_ORGAN_SITE @1].",
        "[Appendectomy|PROCEDURE_NAME #1] in [2009|DATE @1].",
        "She [smokes|TOBACCO_USE #1] [one pack|AMOUNT @1] [per day|FREQUENCY @1].",
        "[Chronic|ACUITY @1] [bronchitis|DX_NAME #1]. [Asthma|DX_NAME].",
    ],
)
def test_attributes_find_their_owner(nlp, line: str) -> None:
    found, said = linked(nlp, line)
    assert found == said


@pytest.mark.parametrize(
    "line",
    [
        "Return to clinic [in two weeks|TIME_EXPRESSION].",
        "[ABDOMEN|SYSTEM_ORGAN_SITE]: Soft, [nontender|DX_NAME].",
        "Admitted [01/02/2019|DATE].\n\nDIAGNOSIS: [Pneumonia|DX_NAME].",
        "[Jane Doe|NAME] is [42|AGE]. [Twice daily|FREQUENCY].",
    ],
)
def test_some_hang_on_nothing(nlp, line: str) -> None:
    assert linked(nlp, line)[0] == {}


def mentions_of(*placed: tuple[int, str]) -> list[Mention]:
    return [Mention(begin, begin + 1, kind) for begin, kind in placed]


def owners(text: str, mentions: list[Mention], place: int) -> list[int]:
    return [pair.owner for pair in Layout(text, mentions, [0]).pairs(place)]


def test_the_nearest_on_either_side_are_looked_at() -> None:
    mentions = mentions_of(*((2 * place, "DX_NAME") for place in range(5)), (10, "QUALITY"), (12, "TEST_NAME"))
    assert owners("a b c d e f g", mentions, 5) == [4, 3, 2, 6]
    assert RIVALS == 3


@pytest.mark.parametrize(
    ("text", "kinds", "expected"),
    [
        ("a b", ["DX_NAME", "DIRECTION"], [0]),
        ("a b", ["NAME", "DIRECTION"], []),
        ("a b", ["QUALITY", "DIRECTION"], []),
        ("a b", ["SYSTEM_ORGAN_SITE", "SYSTEM_ORGAN_SITE"], []),
        ("a b", ["SYSTEM_ORGAN_SITE", "DIRECTION"], [0]),
        ("a\nb", ["DX_NAME", "DIRECTION"], [0]),
        ("a\n\nb", ["DX_NAME", "DIRECTION"], []),
        (f"a{' ' * FAR}b", ["DX_NAME", "DIRECTION"], [0]),
        (f"a{' ' * FAR} b", ["DX_NAME", "DIRECTION"], []),
    ],
)
def test_what_can_own(text: str, kinds: list[str], expected: list[int]) -> None:
    places = (0, len(text) - 1)
    assert owners(text, mentions_of(*zip(places, kinds, strict=True)), 1) == expected


def test_the_shape_of_a_pair_says_what_lies_between() -> None:
    text = "Na 138, K 4.1"
    kinds = ["TEST_NAME", "TEST_VALUE", "TEST_NAME", "TEST_VALUE"]
    spans = [(0, 2), (3, 6), (8, 9), (10, 13)]
    mentions = [Mention(*span, kind) for span, kind in zip(spans, kinds, strict=True)]
    near, far = Layout(text, mentions, [0]).pairs(3)
    assert (near.owner, near.shape.alike, near.shape.rivals, near.shape.marks, near.words) == (2, 0, 0, "", "")
    assert (far.owner, far.shape.alike, far.shape.rivals, far.shape.marks, far.words) == (0, 1, 1, ",", "138, k")


def test_an_owner_must_be_likely_enough() -> None:
    mentions = mentions_of((0, "DX_NAME"), (2, "DIRECTION"))
    for threshold, expected in ((0.4, {0}), (0.6, set())):
        linker = AttributeLinker({ENOUGH + "DIRECTION": threshold})  # without weights every owner is a toss-up
        assert {link.parent for _, link in linker.links("a b", mentions, [0])} == expected


@pytest.mark.parametrize("content", ["", "bias\n", "bias\tmuch\n", "a\tb\tc\n"])
def test_weights_that_cannot_be_read_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "links.tsv").write_text(content)
    with pytest.raises(ModelError, match="no weights of links"):
        read_weights(tmp_path / "links.tsv")
