"""Scores of small notes, counted by hand."""

import json
from pathlib import Path

import pytest

from medtext.config import Config
from medtext.errors import UsageError
from medtext.evaluate import evaluate_files, marked_record, read_gold
from medtext.scores import ALL, Coding, Marked, Scores, add, overlapping
from tests.test_record import record

PAIN, KNEE, LEFT = (0, 4, "DX_NAME"), (9, 13, "SYSTEM_ORGAN_SITE"), (5, 9, "DIRECTION")


TEXT = "Pain left knee; Ana Ruiz, MRN 44 71."


def scores(gold: Marked, found: Marked) -> Scores:
    counted = Scores()
    add(counted, gold, found, TEXT)
    return counted


def test_spans_traits_and_links_are_counted() -> None:
    gold = Marked(
        {PAIN: frozenset({"SYMPTOM", "NEGATION"}), KNEE: frozenset(), LEFT: frozenset()}, {KNEE: PAIN, LEFT: PAIN}
    )
    found = Marked({PAIN: frozenset({"SYMPTOM"}), KNEE: frozenset(), (20, 22, "DX_NAME"): frozenset()}, {KNEE: PAIN})
    counted = scores(gold, found)
    exact = counted.exact[ALL]
    assert (exact.right, exact.found, exact.wanted) == (2, 3, 3)
    assert (counted.traits[ALL].right, counted.traits[ALL].found, counted.traits[ALL].wanted) == (1, 1, 2)
    assert counted.traits["NEGATION"].f1 == 0
    assert (counted.links[ALL].right, counted.links[ALL].found, counted.links[ALL].wanted) == (1, 1, 2)
    assert counted.links_of_found[ALL].f1 == 1
    assert exact.f1 == pytest.approx(2 / 3)


def test_a_link_is_wrong_when_its_parent_is() -> None:
    gold = Marked({PAIN: frozenset(), KNEE: frozenset()}, {KNEE: PAIN})
    found = Marked({PAIN: frozenset(), KNEE: frozenset()}, {KNEE: (0, 3, "DX_NAME")})
    assert scores(gold, found).links[ALL].right == 0


@pytest.mark.parametrize(
    ("gold", "found", "hits"),
    [
        ([(0, 4)], [(2, 8)], 1),
        ([(0, 4)], [(4, 8)], 0),
        ([(0, 4), (5, 9)], [(0, 9)], 1),
        ([(0, 9)], [(0, 4), (5, 9)], 1),
        ([(0, 4), (5, 9)], [(3, 6), (7, 9)], 2),
    ],
)
def test_overlap_counts_each_span_once(gold, found, hits) -> None:
    assert overlapping([(*one, "DX_NAME") for one in gold], [(*one, "DX_NAME") for one in found]) == hits


def test_a_record_goes_back_to_the_shape_of_gold() -> None:
    found = record(
        "colonoscopy 2019 yesterday",
        [("colonoscopy", "PROCEDURE_NAME"), ("2019", "DATE"), ("yesterday", "TIME_EXPRESSION")],
        [(1, 0), (2, 0)],
    )
    marked = marked_record(found)
    colonoscopy = (0, 11, "PROCEDURE_NAME")
    assert set(marked.traits) == {colonoscopy, (12, 16, "DATE"), (17, 26, "TIME_EXPRESSION")}
    assert marked.links == {(12, 16, "DATE"): colonoscopy, (17, 26, "TIME_EXPRESSION"): colonoscopy}


def test_records_can_be_scored(tmp_path: Path) -> None:
    gold, predicted = tmp_path / "gold.jsonl", tmp_path / "found.jsonl"
    span = {"id": 1, "start": 0, "end": 4, "type": "DX_NAME", "traits": [], "parent": None}
    gold.write_text(json.dumps({"id": "a", "text": "pain", "spans": [span]}) + "\n")
    predicted.write_text(json.dumps(record("pain", [("pain", "DX_NAME")]).to_json()) + "\n")
    assert evaluate_files(gold, predicted, Config()).exact[ALL].f1 == 1
    predicted.write_text("")
    with pytest.raises(UsageError, match="no record of 1 gold notes"):
        evaluate_files(gold, predicted, Config())


SPAN = {"id": 1, "start": 0, "end": 4, "type": "DX_NAME", "traits": ["SYMPTOM"], "parent": None}
NOTE = {"id": "a", "text": "pain", "spans": [SPAN]}


def gold_file(folder: Path, *notes: object) -> Path:
    lines = [note if isinstance(note, str) else json.dumps(note, ensure_ascii=False) for note in notes]
    (folder / "gold.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder / "gold.jsonl"


def test_gold_notes_are_read(tmp_path: Path) -> None:
    assert list(read_gold(gold_file(tmp_path, "\ufeff" + json.dumps(NOTE)))) == [
        NOTE
    ]  # as Excel and Notepad begin a file
    separated = {**NOTE, "id": 7, "text": "pain\u2028\u0085here"}
    assert list(read_gold(gold_file(tmp_path, NOTE, "", separated))) == [NOTE, {**separated, "id": "7"}]


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("{", "it is not valid JSON"),
        ("[]", "it is no JSON object"),
        ({"id": "a"}, "it has no text"),
        ({"id": "a", "spans": []}, "it has no text"),
        ({**NOTE, "text": 4}, "its text is no string"),
        ({**NOTE, "spans": [7]}, "its spans are no list of objects"),
        ({**NOTE, "spans": [{**SPAN, "end": 9}]}, "its span 1 is from 0 to 9, in a text of 4 characters"),
        ({**NOTE, "spans": [{**SPAN, "start": 0.0}]}, "its span 1 has no start and end in whole numbers"),
        ({**NOTE, "spans": [{**SPAN, "type": "DISEASE"}]}, "its span 1 has a type that there is not"),
        ({**NOTE, "spans": [{**SPAN, "traits": ["NEGATED"]}]}, "its span 1 has a trait that there is not"),
        ({**NOTE, "spans": [SPAN, {**SPAN, "id": 2, "parent": 9}]}, "its span 2 has a parent that is no span"),
        ({**NOTE, "spans": [SPAN, {**SPAN, "start": 2}]}, "two of its spans have the same id"),
        ({**NOTE, "spans": [{"start": 0, "end": 4, "type": "DX_NAME"}]}, "its span 1 has no id"),
        ({**NOTE, "spans": [{**SPAN, "icd10cm": [10]}]}, "its span 1 has a code that is no string"),
        ({**NOTE, "spans": [{**SPAN, "icd10cm": 10}]}, "its span 1 has codes that are no list"),
    ],
)
def test_gold_that_is_wrong_names_its_line(tmp_path: Path, note: object, said: str) -> None:
    with pytest.raises(UsageError, match=rf"Line 2 of .* is not a gold note: .*{said}"):
        evaluate_files(gold_file(tmp_path, {**NOTE, "id": "b"}, note), None, Config())


def test_gold_must_hold_notes_and_each_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no gold notes"):
        list(read_gold(gold_file(tmp_path, "")))
    with pytest.raises(UsageError, match=r"Line 2 of .* an id that an earlier line has"):
        list(read_gold(gold_file(tmp_path, NOTE, NOTE)))


def test_a_note_that_failed_has_found_nothing(tmp_path: Path) -> None:
    predicted = tmp_path / "found.jsonl"
    predicted.write_text('{"DocumentId": "a", "Error": {"Code": "X", "Message": "y"}}\n\n')
    counted = evaluate_files(gold_file(tmp_path, NOTE), predicted, Config())
    assert (counted.exact[ALL].found, counted.exact[ALL].wanted) == (0, 1)


def test_records_and_given_spans_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--given-spans"):
        evaluate_files(gold_file(tmp_path, NOTE), tmp_path / "found.jsonl", Config(), given_spans=True)


def test_the_table_and_the_json_show_the_same_figures() -> None:
    gold = Marked({PAIN: frozenset({"SYMPTOM"}), KNEE: frozenset()}, {KNEE: PAIN})
    counted = scores(gold, Marked({PAIN: frozenset({"SYMPTOM"}), (9, 12, "SYSTEM_ORGAN_SITE"): frozenset()}, {}))
    lines = {line.split()[0]: line.split()[1:] for line in reversed(counted.table().splitlines()) if line}
    figures = counted.to_json()
    assert lines["SYSTEM_ORGAN_SITE"] == ["0.000", "0.000", "0.000", "1.000", "1"]
    assert lines["ALL"] == ["0.500", "0.500", "0.500", "1.000", "2"]
    assert figures["exact"]["ALL"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "gold": 2, "found": 2}
    assert figures["overlap"]["ALL"]["f1"] == 1
    assert figures["traits"]["SYMPTOM"]["f1"] == 1
    assert figures["links"]["ALL"] == {"precision": 0, "recall": 0, "f1": 0, "gold": 1, "found": 0}


def test_identifiers_are_counted_as_a_deidentifier_is_judged() -> None:
    """Touched, covered to the last letter, and how much of what was found is one; whatever the types."""
    name, number = (16, 24, "NAME"), (30, 35, "ID")
    gold = Marked({name: frozenset(), number: frozenset()}, {}, {name: "PATIENT", number: "MRN"})
    found = Marked(
        {
            (16, 19, "ADDRESS"): frozenset(),
            (20, 24, "NAME"): frozenset(),
            (30, 32, "ID"): frozenset(),
            (0, 4, "DATE"): frozenset(),
        },
        {},
    )
    counted = scores(gold, found).identifiers[ALL]
    assert (counted.wanted, counted.touched, counted.covered) == (2, 2, 1)  # of the number, "71" is left
    assert (counted.found, counted.right) == (4, 3)
    exact = Marked({name: frozenset(), number: frozenset()}, {}, {name: "PATIENT", number: "ACCOUNT"})
    assert scores(gold, exact).identifiers[ALL].to_json()["subtype"] == 0.5


def test_only_some_categories_can_be_scored(tmp_path: Path) -> None:
    text = "Patient: Jonah Tolliver has asthma."
    gold = tmp_path / "gold.jsonl"
    spans = [{"id": 1, "start": 9, "end": 23, "type": "NAME", "subtype": "PATIENT"}]
    gold.write_text(json.dumps({"id": "a", "text": text, "spans": spans}), encoding="utf-8")
    phi = evaluate_files(gold, None, Config(categories=("PROTECTED_HEALTH_INFORMATION",)))
    assert phi.exact[ALL].f1 == 1.0  # "asthma" is not held against it
    assert evaluate_files(gold, None, Config()).exact[ALL].precision == 0.5


def test_codes_are_counted_where_gold_has_them(tmp_path: Path) -> None:
    coded = [{**SPAN, "icd10cm": "R52", "snomedct": ["1", "22253000"]}, {**SPAN, "id": 2, "start": 9, "end": 18}]
    gold = gold_file(tmp_path, {**NOTE, "text": "pain and xqzvwlump", "spans": coded})
    counted = evaluate_files(gold, None, Config(), given_spans=True)
    assert counted.codes["icd10cm"].to_json() == {"first": 1.0, "category": 1.0, "among": 1.0, "gold": 1}
    assert counted.codes["snomedct"].to_json() == {"first": 1.0, "category": 1.0, "among": 1.0, "gold": 1}
    assert counted.table().splitlines()[-1].split() == ["snomedct", "1.000", "1.000", "1.000", "1"]


@pytest.mark.parametrize(
    ("right", "given", "figures"),
    [
        (["I10"], ["I10", "I11.9"], (1, 1, 1)),
        (["I11.9"], ["I10", "I11.9"], (0, 0, 1)),
        (["E11.9"], ["E11.65"], (0, 1, 0)),
        (["E11.9", "E11.65"], ["E11.65"], (1, 1, 1)),
        (["I10"], [], (0, 0, 0)),
    ],
)
def test_a_code_is_right_first_to_its_category_or_among_those_given(right, given, figures) -> None:
    coding = Coding()
    coding.add(right, given)
    assert (coding.first, coding.category, coding.among) == figures
