"""Which attribute hangs on what, with the spans given: the nearest owner that the sentence supports, or none."""

import numpy as np
import pytest

import medtext
from medtext.components.attributes import ENOUGH, linked
from medtext.components.link_network import inputs
from medtext.components.tables import GAP, in_tables, split
from medtext.evaluate import marked_record
from medtext.link_pairs import COLUMNS, FAR, MARKS, MOST, RIVALS, Pairs, pairs_of
from medtext.schema import Mention
from tests.cases import parse


def links_of(nlp, line: str) -> tuple[dict, dict]:
    """The links that medtext sees between the marks of a line, and those that the line says, by the words."""
    case = parse(line, line)
    found = marked_record(medtext.extract(case.text, nlp=nlp, spans=sorted(case.traits))).links
    return tuple(
        {case.text[slice(*child[:2])]: case.text[slice(*owner[:2])] for child, owner in links.items()}
        for links in (found, case.links)
    )


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
    found, said = links_of(nlp, line)
    assert found == said


@pytest.mark.parametrize(
    "lines",
    [
        (
            "Time  [T|TEST_NAME #1]     [HR|TEST_NAME #2]   [BP|TEST_NAME #3]      [RR|TEST_NAME #4]",
            "0600  [38.0|TEST_VALUE @1]  [114|TEST_VALUE @2]  [118/64|TEST_VALUE @3]  [20|TEST_VALUE @4]",
            "0800  [37.6|TEST_VALUE @1]  [102|TEST_VALUE @2]  [122/70|TEST_VALUE @3]  [18|TEST_VALUE @4]",
        ),
        (
            "Day\t[Na|TEST_NAME #1]\t[K|TEST_NAME #2]\t[Cr|TEST_NAME #3]",
            "Mon\t[138|TEST_VALUE @1]\t\t[1.2|TEST_VALUE @3]",
            "Tue\t[139|TEST_VALUE @1]\t[4.4|TEST_VALUE @2]",
        ),
        # a single blank between the results, as many as tests; and one too few
        (
            "[Na|TEST_NAME #1]  [K|TEST_NAME #2]  [Cl|TEST_NAME #3]  [CO2|TEST_NAME #4]",
            "[138|TEST_VALUE @1] [4.1|TEST_VALUE @2] [102|TEST_VALUE @3] [24|TEST_VALUE @4]",
            "[136|TEST_VALUE] [4.2|TEST_VALUE] [26|TEST_VALUE]",
        ),
        # a gap in the row: what stands under one head alone is its
        (
            "[WBC|TEST_NAME #1]    [Hgb|TEST_NAME #2]    [Plt|TEST_NAME #3]",
            "[12.4|TEST_VALUE @1]          [212|TEST_VALUE @3]",
        ),
        # the same, and the columns have drifted
        (
            "[WBC|TEST_NAME #1]    [Hgb|TEST_NAME #2]    [Plt|TEST_NAME #3]",
            "[12.4|TEST_VALUE]            [212|TEST_VALUE]",
        ),
        # the head has no label, the rows have
        (
            "            [Tac|TEST_NAME #1]     [Cr|TEST_NAME #2]     [ALT|TEST_NAME #3]",
            "5/12/25     [7.9|TEST_VALUE @1]     [1.2|TEST_VALUE @2]     [22|TEST_VALUE @3]",
            "11/3/25     [10.8|TEST_VALUE @1]    [1.7|TEST_VALUE @2]     [81|TEST_VALUE @3]",
        ),
        # no table: a line with a test of its own ends it
        (
            "[WBC|TEST_NAME #1]    [Hgb|TEST_NAME #2]",
            "[12.4|TEST_VALUE @1]   [8.8|TEST_VALUE @2]",
            "[INR|TEST_NAME #3]    [1.2|TEST_VALUE @3]",
        ),
    ],
)
def test_a_result_in_a_table_hangs_on_the_head_of_its_column(nlp, lines: tuple[str, ...]) -> None:
    found, said = links_of(nlp, "\n".join(lines))
    assert found == said


def test_a_table_in_bars(nlp) -> None:
    text = "| Time | BP | HR | RR |\n|---|---|---|---|\n| 08:00 | 120/80 | 88 | 16 |"
    spans = [(9, 11, "TEST_NAME"), (14, 16, "TEST_NAME"), (19, 21, "TEST_NAME")]
    spans += [(text.index(word), text.index(word) + len(word), "TEST_VALUE") for word in ("120/80", "88", "16")]
    owners = {
        one.text(text): entity.text(text)
        for entity in medtext.extract(text, nlp=nlp, spans=spans).entities
        for one in entity.attributes
    }
    assert owners == {"120/80": "BP", "88": "HR", "16": "RR"}


@pytest.mark.parametrize("text", ["a  " * 15000, "A|" * 20000, "x\n" * 20000, "\t" * 40000])
def test_tables_of_hostile_texts_take_no_long(text: str) -> None:
    mentions = [Mention(at, at + 1, kind) for at in range(0, 1200, 3) for kind in ("TEST_NAME",)]
    assert list(in_tables(text, mentions, {})) == []
    assert len(split(text, 0, len(text), GAP)) <= len(text)


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
    assert links_of(nlp, line)[0] == {}


@pytest.mark.parametrize(
    "line",
    [
        "[Hgb|TEST_NAME #1] [8.2|TEST_VALUE @1], stable. [96|TEST_VALUE][%|TEST_UNIT] on RA.",
        "[Lactate|TEST_NAME #1] [2.8|TEST_VALUE @1]. Spiked [39.1|TEST_VALUE].",
        "[K|TEST_NAME #1] [4.1|TEST_VALUE @1]. [120/80|TEST_VALUE], [88|TEST_VALUE].",
        # results in a sentence of their own that says so, and a leader that is no sentence end
        "[Hgb|TEST_NAME #1] [8.2|TEST_VALUE @1]. Repeat [7.9|TEST_VALUE @1]. Then [7.4|TEST_VALUE @1].",
        "[Creatinine|TEST_NAME #1] was [1.4|TEST_VALUE @1]. It had been [1.1|TEST_VALUE @1].",
        "[Weight|TEST_NAME #1] . . . . [83|TEST_VALUE @1] kg. [Height|TEST_NAME #2] . . . . [170|TEST_VALUE @2] cm.",
    ],
)
def test_a_number_in_the_next_sentence_is_no_second_result(nlp, line: str) -> None:
    found, said = links_of(nlp, line)
    assert found == said


@pytest.mark.parametrize(
    "line",
    [
        # a drug in its fluid
        "[Cefazolin|GENERIC_NAME #1] [2 g|STRENGTH @1] in [NS|GENERIC_NAME #2] [100 mL|DOSAGE @2] [IV|ROUTE_OR_MODE @1] [q8h|FREQUENCY @1]",
        "[Heparin|GENERIC_NAME #1] [25,000 units|STRENGTH @1] in [D5W|GENERIC_NAME #2] [250 mL|DOSAGE @2] at [12 units/kg/hr|RATE @1]",
        "[KCl|GENERIC_NAME #1] [20 mEq|STRENGTH @1] in [1000 mL|DOSAGE @2] [normal saline|GENERIC_NAME #2] at [75 mL/hr|RATE @1]",
        "[Ceftriaxone|GENERIC_NAME] ([Rocephin|BRAND_NAME #1]) [1 g|STRENGTH @1] in [sodium chloride|GENERIC_NAME #2] [0.9 %|STRENGTH @2] "
        "[100 mL|DOSAGE @2] [IVPB|ROUTE_OR_MODE @1]",
        "[Diltiazem|GENERIC_NAME #1] [125 mg|STRENGTH @1] + [D5W|GENERIC_NAME #2] [125 mL|DOSAGE @2], [IV|ROUTE_OR_MODE @1], [5 mg/hr|RATE @1]",
        "[Cefazolin|GENERIC_NAME #1] + [NS|GENERIC_NAME #2] [50 mL|DOSAGE @2] [2 gm|STRENGTH @1], [IV|ROUTE_OR_MODE @1], [q8h|FREQUENCY @1]",
        # an anesthetic with epinephrine, a fluid with potassium
        "[Lidocaine|GENERIC_NAME #1] [1%|STRENGTH @1] with [epinephrine|GENERIC_NAME #2] [1:100,000|STRENGTH @2], [10 mL|DOSAGE @1]",
        "[D5NS|GENERIC_NAME #1] with [KCl|GENERIC_NAME #2] [20 mEq/L|STRENGTH @2] [IV|ROUTE_OR_MODE @1] [75 mL/hr|RATE @1]",
        # two drugs
        "[Ondansetron|GENERIC_NAME #1] [4 mg|DOSAGE @1] [IV|ROUTE_OR_MODE @1] and [NS|GENERIC_NAME #2] [1 L|DOSAGE @2] [bolus|ROUTE_OR_MODE @2]",
        "[Insulin|GENERIC_NAME #1] [10 units|DOSAGE @1] [IV|ROUTE_OR_MODE @1] + [D50|GENERIC_NAME #2] [25 mL|DOSAGE @2]",
        "[Benadryl|BRAND_NAME #1] [50 mg|DOSAGE @1] and [epinephrine|GENERIC_NAME #2] [0.3 mg|DOSAGE @2] [IM|ROUTE_OR_MODE @2]",
    ],
)
def test_what_is_mixed_goes_by_its_drug(nlp, line: str) -> None:
    found, said = links_of(nlp, line)
    assert found == said


@pytest.mark.parametrize(
    "line",
    [
        # what an unknown drug of the next item is taken at, by number, bullet and line
        "1. [Lisinopril|GENERIC_NAME #1] [20 mg|DOSAGE @1] [daily|FREQUENCY @1]\n2. MOM [30cc|DOSAGE] [PO|ROUTE_OR_MODE] [QD prn|FREQUENCY]",
        "- [Lisinopril|GENERIC_NAME #1] [20 mg|DOSAGE @1]\n- Zorblex [by mouth|ROUTE_OR_MODE]",
        "[Lisinopril|GENERIC_NAME #1] [20 mg|DOSAGE @1] [daily|FREQUENCY @1]\nMOM [30 cc|DOSAGE] [qhs prn|FREQUENCY]\n[Colace|BRAND_NAME #2] [bid|FREQUENCY @2]",
        # the same drug
        "- [Lisinopril|GENERIC_NAME #1] [20 mg|STRENGTH @1]\n  - tablets, [by mouth|ROUTE_OR_MODE @1]",
        "1. [Lisinopril|GENERIC_NAME #1] [20 mg|DOSAGE @1]\n   tablets [by mouth|ROUTE_OR_MODE @1]",
        "- [Lisinopril|GENERIC_NAME #1]\n- take [20 mg|DOSAGE @1] [daily|FREQUENCY @1]",
        "- [Lisinopril|GENERIC_NAME #1]\n- Dose: [20 mg|DOSAGE @1]",
        "[Lisinopril|GENERIC_NAME #1] [20 mg|STRENGTH @1]\nTake [1 tab|DOSAGE @1] [daily|FREQUENCY @1]",
        "[Lisinopril|GENERIC_NAME #1]\nZestril [20 mg|DOSAGE @1]",
        "On [lisinopril|GENERIC_NAME #1] [20 mg|STRENGTH @1] as one\nScored [tablet|FORM @1] [daily|FREQUENCY @1]",
    ],
)
def test_the_dose_of_an_unknown_drug_is_not_its_neighbours(nlp, line: str) -> None:
    found, said = links_of(nlp, line)
    assert found == said


def test_a_row_of_a_table_is_an_item(nlp) -> None:
    text = "| Lisinopril | 20 mg |\n| Zorblex | daily | PO |"
    marks = {"Lisinopril": "GENERIC_NAME", "20 mg": "DOSAGE", "daily": "FREQUENCY", "PO": "ROUTE_OR_MODE"}
    spans = [(text.index(word), text.index(word) + len(word), kind) for word, kind in marks.items()]
    record = medtext.extract(text, nlp=nlp, spans=spans)
    assert [text[one.begin : one.end] for one in record.entities[0].attributes] == ["20 mg"]


def mentions_of(*placed: tuple[int, str]) -> list[Mention]:
    return [Mention(begin, begin + 1, kind) for begin, kind in placed]


def owners(text: str, mentions: list[Mention], place: int) -> list[int]:
    return [int(row[1]) for row in pairs_of(text, mentions, [0]).numbers if row[0] == place]


def told(pairs: Pairs) -> list[dict[str, int]]:
    """The numbers of each pair by their names."""
    return [dict(zip(COLUMNS, row, strict=True)) for row in pairs.numbers.tolist()]


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


def test_the_numbers_of_a_pair_say_what_lies_between() -> None:
    text = "Na 138, K 4.1"
    kinds = ["TEST_NAME", "TEST_VALUE", "TEST_NAME", "TEST_VALUE"]
    spans = [(0, 2), (3, 6), (8, 9), (10, 13)]
    mentions = [Mention(*span, kind) for span, kind in zip(spans, kinds, strict=True)]
    pairs = pairs_of(text, mentions, [0])
    (near, no_marks), (far, marks) = [
        one for one in zip(told(pairs), pairs.marks, strict=True) if one[0]["attribute"] == 3
    ]
    assert near == {**dict.fromkeys(COLUMNS, 0), "attribute": 3, "owner": 2, "before": 1, "length": 2}
    assert far == {**dict.fromkeys(COLUMNS, 0), "attribute": 3, "before": 1, "rivals": 1, "alike": 1, "length": 4}
    assert not no_marks.any()
    assert [mark for mark, stands in zip(MARKS, marks, strict=True) if stands] == [","]


def test_numbers_are_cut() -> None:
    text = f"a{'. ' * 20}{chr(10)}x{chr(10)}y{chr(10)}{'-' * 200}b"
    mentions = mentions_of((0, "DX_NAME"), (len(text) - 1, "DIRECTION"))
    (pair,) = told(pairs_of(text, mentions, [0, 5, 9, 15, 20]))
    assert (pair["sentences"], pair["lines"]) == (MOST["sentences"], MOST["lines"])
    assert pair["length"] == (len(text) - 1).bit_length()


@pytest.mark.parametrize(
    ("likely", "expected"),
    [
        ([ENOUGH, 0.1], {1: 0}),
        ([ENOUGH - 0.01, 0.1], {}),
        ([0.4, 0.5], {1: 2}),
        ([0.4, 0.4], {1: 0}),
    ],
)
def test_the_likeliest_owner_if_likely_enough(likely, expected) -> None:
    rivals = np.zeros((2, len(COLUMNS)), dtype=np.int64)
    rivals[:, :2] = (1, 0), (1, 2)
    found = linked(Pairs(rivals, np.zeros((2, len(MARKS)), dtype=np.float32)), likely)
    assert {place: link.parent for place, link in found} == expected


def test_the_words_between_are_averaged(nlp) -> None:
    text = "Pain in the left knee"
    mentions = [Mention(0, 4, "DX_NAME"), Mention(12, 16, "DIRECTION"), Mention(17, 21, "SYSTEM_ORGAN_SITE")]
    doc = nlp.make_doc(text)
    read = np.arange(len(doc) * 4, dtype=np.float32).reshape(-1, 4)
    pairs = pairs_of(text, mentions, [0])
    between = inputs(doc, read, mentions, pairs)["between"]
    seen = {
        (pair["attribute"], pair["owner"]): given.tolist() for pair, given in zip(told(pairs), between, strict=True)
    }
    assert seen[1, 0] == read[1:3, 2:].mean(0).tolist()  # "in the"
    assert seen[1, 2] == [0, 0]
