"""Every marked-up case: all that is marked is found, with its traits and links, and nothing else."""

import pytest

import medtext
from medtext.evaluate import marked_record
from tests.cases import parse, read_cases

CASES = read_cases()


def marked(case):
    marks = [pytest.mark.xfail(strict=True, reason="known failure")] if case.fails else []
    return pytest.param(case, id=case.id, marks=marks)


@pytest.mark.parametrize("case", [marked(case) for case in CASES])
def test_case(case, nlp) -> None:
    found = marked_record(medtext.extract(case.text, nlp=nlp))
    assert readable(case.text, found.traits) == readable(case.text, case.traits)
    assert {place: found.links.get(place) for place in case.links} == case.links


def readable(text, traits):
    return {f"{text[begin:end]}|{kind} {','.join(sorted(names))}" for (begin, end, kind), names in traits.items()}


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 300
    assert sum(case.fails for case in CASES) <= len(CASES) // 10


def test_cases_cover_every_type_and_trait() -> None:
    from medtext.schema import TRAITS, TYPES

    kinds = {place[2] for case in CASES for place in case.traits}
    assert set(TYPES) == kinds
    assert set(TRAITS) == {trait for case in CASES for traits in case.traits.values() for trait in traits}


def test_a_mark_is_text_offsets_traits_and_link() -> None:
    case = parse("[Pain|DX_NAME SYMPTOM,NEGATION #1] in the [left|DIRECTION @1] knee.", "here")
    assert case.text == "Pain in the left knee."
    assert case.traits == {(0, 4, "DX_NAME"): {"SYMPTOM", "NEGATION"}, (12, 16, "DIRECTION"): frozenset()}
    assert case.links == {(12, 16, "DIRECTION"): (0, 4, "DX_NAME")}


@pytest.mark.parametrize(
    "line",
    [
        "The chart was reviewed.",
        "[Fever|DX_NAME] # none",
        "[Fever|FEVER]",
        "[Fever|DX_NAME SYMTOM]",
        "[Fever|DX_NAME and more",
    ],
)
def test_a_line_that_tests_nothing_or_is_malformed_is_refused(line) -> None:
    with pytest.raises(ValueError, match="here"):
        parse(line, "here")
