"""Scores of small notes, counted by hand."""

import json
from pathlib import Path

import pytest

from medtext.config import Config
from medtext.errors import UsageError
from medtext.evaluate import ALL, Marked, Scores, add, evaluate_files, marked_record, overlapping
from tests.test_record import record

PAIN, KNEE, LEFT = (0, 4, "DX_NAME"), (9, 13, "SYSTEM_ORGAN_SITE"), (5, 9, "DIRECTION")


def scores(gold: Marked, found: Marked) -> Scores:
    counted = Scores()
    add(counted, gold, found)
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


@pytest.mark.parametrize(
    "line", ["{", '{"id": "a"}', '{"id": "a", "text": "x", "spans": [{"start": 0, "end": 9, "type": "DX_NAME"}]}']
)
def test_gold_that_is_wrong_names_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "gold.jsonl").write_text(line)
    with pytest.raises(UsageError, match="Line 1 of"):
        evaluate_files(tmp_path / "gold.jsonl", None, Config())
