"""Values refuse to be wrong, and go to JSON and back."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medtext.schema import CATEGORY_OF, TYPES, Attribute, Entity, Failure, Mention, Record, Sig, Trait, Value, apart

RECORD = Record(
    "ward-3/note-017.txt",
    60,
    "1",
    (
        Entity(
            1,
            4,
            8,
            "MEDICAL_CONDITION",
            "DX_NAME",
            0.97,
            (Trait("SYMPTOM", 0.95), Trait("NEGATION", 0.99)),
            (Attribute(2, 16, 20, "DIRECTION", "ANATOMY", 0.9, "DIRECTION", 0.8, source="ner"),),
            "HISTORY_OF_PRESENT_ILLNESS",
            "ner",
        ),
        Entity(
            5,
            21,
            25,
            "MEDICATION",
            "GENERIC_NAME",
            0.9,
            sig=Sig(1, 2, "tablet", 4, 6, "PO", True, (26, 29), duration_days=10),
        ),
        Entity(3, 30, 41, "PROTECTED_HEALTH_INFORMATION", "ID", 1.0, subtype="SSN", source="phi:exact:ssn"),
    ),
    (
        Attribute(4, 50, 55, "FREQUENCY", "MEDICATION", 0.5),
        Attribute(5, 55, 56, "TEST_VALUE", "TEST_TREATMENT_PROCEDURE", 0.5, value=Value(0.0, 0.0, abnormal=False)),
    ),
)


def test_a_record_goes_to_json_and_back() -> None:
    assert Record.from_json(RECORD.to_json()) == RECORD


def test_a_record_pickles_and_compares() -> None:
    assert pickle.loads(pickle.dumps(RECORD)) == RECORD
    assert hash(RECORD.entities[0]) == hash(pickle.loads(pickle.dumps(RECORD.entities[0])))


def test_json_has_the_names_of_comprehend_medical() -> None:
    row = RECORD.to_json()["Entities"][0]
    assert {"Id", "BeginOffset", "EndOffset", "Score", "Category", "Type", "Traits", "Attributes"} <= row.keys()
    assert "Text" not in row
    assert row["Attributes"][0]["RelationshipType"] == "DIRECTION"


def test_a_failed_note_is_a_record_with_its_error_alone() -> None:
    failed = Record("a", error=Failure("EmptyNote", "The note is empty."))
    assert failed.to_json() == {"DocumentId": "a", "Error": {"Code": "EmptyNote", "Message": "The note is empty."}}
    assert Record.from_json(failed.to_json()) == failed


def test_a_value_has_the_members_that_are_stated() -> None:
    value = Value(5.2, 5.2, unit="mg/dL", interpretation="H", reference_high=5.0, abnormal=True)
    row = {"Low": 5.2, "High": 5.2, "Unit": "mg/dL", "Interpretation": "H", "ReferenceHigh": 5.0, "Abnormal": True}
    assert value.to_json() == row
    assert Value.from_json(row) == value
    unmapped = [item["Attribute"] for item in RECORD.to_json()["UnmappedAttributes"]]
    assert ["Value" in attribute for attribute in unmapped] == [False, True]
    assert unmapped[1]["Value"] == {"Low": 0.0, "High": 0.0, "Abnormal": False}


def test_an_entity_reads_its_text_from_the_note() -> None:
    assert RECORD.entities[0].text("No, pain in the left knee") == "pain"


@pytest.mark.parametrize(("begin", "end"), [(3, 3), (4, 3), (-1, 2)])
def test_offsets_that_are_no_span_are_refused(begin: int, end: int) -> None:
    with pytest.raises(ValueError, match="no span"):
        Mention(begin, end, "DX_NAME")
    with pytest.raises(ValueError, match="no span"):
        Entity(1, begin, end, "ANATOMY", "SYSTEM_ORGAN_SITE", 1.0)


def test_offsets_beyond_the_note_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Record("a", 10, "1", (Entity(1, 8, 11, "ANATOMY", "SYSTEM_ORGAN_SITE", 1.0),))


def test_unknown_types_and_traits_are_refused() -> None:
    with pytest.raises(ValueError, match="no entity type"):
        Mention(0, 1, "SYMPTOM")
    with pytest.raises(ValueError, match="no trait"):
        Trait("DX_NAME", 1.0)


def test_every_type_has_a_category() -> None:
    assert all(CATEGORY_OF[kind] for kind in TYPES)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [((0, 5), (4, 9), True), ((0, 5), (5, 9), False), ((0, 9), (3, 4), True), ((3, 4), (0, 9), True)],
)
def test_overlap_is_a_character_in_common(one, other, expected) -> None:
    assert Mention(*one, "DX_NAME").overlaps(Mention(*other, "DX_NAME")) is expected


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 6))))
def test_of_mentions_that_overlap_the_first_stays(places: list[tuple[int, int]]) -> None:
    ranked = [Mention(begin, begin + length, "DX_NAME") for begin, length in places]
    kept: list[Mention] = []
    for mention in ranked:
        if not any(mention.overlaps(other) for other in kept):
            kept.append(mention)
    assert apart(ranked) == sorted(kept)
