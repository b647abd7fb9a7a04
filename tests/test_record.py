"""What becomes an entity, an attribute, a dated time, and what stays without a parent."""

from types import MappingProxyType

import pytest
import spacy

from medtext.findings import Link, SectionSpan, findings
from medtext.record import select, to_record
from medtext.schema import Mention, Record, Trait, Value

NONE = MappingProxyType({})


def record(text: str, mentions, links=(), traits=(), scores=NONE, min_score=0.0, values=NONE) -> Record:
    doc = spacy.blank("en").make_doc(text)
    found = findings(doc)
    found.mentions = [
        Mention(text.index(word), text.index(word) + len(word), kind, scores.get(word, 0.9), "ner")
        for word, kind in mentions
    ]
    found.links = {child: Link(parent, 0.8, "links") for child, parent in links}
    found.traits = {place: tuple(Trait(name, 0.7) for name in names) for place, names in traits}
    found.values = dict(values)
    found.sections = [SectionSpan(0, len(text), "PLAN")]
    return to_record(doc, "a", "1", min_score)


def shape(found: Record):
    return [
        (one.category, one.type, one.id, [(part.type, part.id, part.relationship_type) for part in one.attributes])
        for one in found.entities
    ]


def test_attributes_hang_on_their_entity() -> None:
    found = record(
        "left knee pain daily",
        [("left", "DIRECTION"), ("knee", "SYSTEM_ORGAN_SITE"), ("pain", "DX_NAME"), ("daily", "FREQUENCY")],
        [(0, 2), (1, 2)],
        [(2, ["SYMPTOM"])],
    )
    assert shape(found) == [
        (
            "MEDICAL_CONDITION",
            "DX_NAME",
            3,
            [("DIRECTION", 1, "DIRECTION"), ("SYSTEM_ORGAN_SITE", 2, "SYSTEM_ORGAN_SITE")],
        )
    ]
    assert [part.type for part in found.unmapped_attributes] == ["FREQUENCY"]
    assert found.entities[0].traits == (Trait("SYMPTOM", 0.7),)
    assert found.entities[0].section == "PLAN"


def test_a_site_alone_is_an_entity_with_its_direction() -> None:
    found = record("left knee", [("left", "DIRECTION"), ("knee", "SYSTEM_ORGAN_SITE")], [(0, 1)])
    assert shape(found) == [("ANATOMY", "SYSTEM_ORGAN_SITE", 2, [("DIRECTION", 1, "DIRECTION")])]


def test_a_direction_goes_with_its_site_to_what_owns_that() -> None:
    found = record(
        "left knee pain", [("left", "DIRECTION"), ("knee", "SYSTEM_ORGAN_SITE"), ("pain", "DX_NAME")], [(0, 1), (1, 2)]
    )
    assert [part[0] for part in shape(found)[0][3]] == ["DIRECTION", "SYSTEM_ORGAN_SITE"]


def test_a_time_that_dates_an_entity() -> None:
    found = record(
        "pain yesterday", [("pain", "DX_NAME"), ("yesterday", "TIME_EXPRESSION")], [(1, 0)], [(0, ["SYMPTOM"])]
    )
    assert shape(found) == [
        ("MEDICAL_CONDITION", "DX_NAME", 1, []),
        ("TIME_EXPRESSION", "TIME_TO_DX_NAME", 2, [("DX_NAME", 1, "OVERLAP")]),
    ]
    assert found.entities[1].attributes[0].traits == found.entities[0].traits


@pytest.mark.parametrize(
    ("dated", "kind"),
    [
        ("DX_NAME", "TIME_TO_DX_NAME"),
        ("GENERIC_NAME", "TIME_TO_MEDICATION_NAME"),
        ("BRAND_NAME", "TIME_TO_MEDICATION_NAME"),
        ("TEST_NAME", "TIME_TO_TEST_NAME"),
        ("PROCEDURE_NAME", "TIME_TO_PROCEDURE_NAME"),
        ("TREATMENT_NAME", "TIME_TO_TREATMENT_NAME"),
    ],
)
def test_a_time_is_named_for_what_it_dates(dated: str, kind: str) -> None:
    """As the API has it: its own category, no traits, and the dated entity under it by OVERLAP."""
    found = record("it 3 days ago", [("it", dated), ("3 days ago", "TIME_EXPRESSION")], [(1, 0)])
    time = found.entities[1]
    assert (time.category, time.type, time.traits) == ("TIME_EXPRESSION", kind, ())
    (overlap,) = time.attributes
    assert (overlap.id, overlap.type, overlap.relationship_type) == (found.entities[0].id, dated, "OVERLAP")
    assert (overlap.begin, overlap.end) == (found.entities[0].begin, found.entities[0].end)


def test_values_stay_with_their_span_when_others_are_left_out() -> None:
    words = [("pain", "DX_NAME"), ("pulse", "TEST_NAME"), ("72", "TEST_VALUE"), ("2 days", "TIME_EXPRESSION")]
    values = {2: Value(72.0, 72.0), 3: Value(duration="P2D")}
    found = record("pain pulse 72 2 days", words, [(2, 1)], scores={"pain": 0.1}, min_score=0.5, values=values)
    assert [part.value for part in found.entities[0].attributes] == [values[2]]
    assert [part.value for part in found.unmapped_attributes] == [values[3]]


def test_a_time_that_dates_nothing_is_unmapped() -> None:
    found = record("return in a week", [("in a week", "TIME_EXPRESSION")])
    assert not found.entities
    assert found.to_json()["UnmappedAttributes"][0]["Type"] == "TIME_EXPRESSION"


def test_a_date_that_dates_an_entity_is_both() -> None:
    found = record("colonoscopy 2019", [("colonoscopy", "PROCEDURE_NAME"), ("2019", "DATE")], [(1, 0)])
    assert [(one.type, one.begin, one.end) for one in found.entities] == [
        ("PROCEDURE_NAME", 0, 11),
        ("DATE", 12, 16),
        ("TIME_TO_PROCEDURE_NAME", 12, 16),
    ]
    assert len({one.id for one in found.entities}) == 3


def test_frequency_of_a_habit_is_behavioural() -> None:
    found = record("smokes daily", [("smokes", "TOBACCO_USE"), ("daily", "FREQUENCY")], [(1, 0)])
    assert found.entities[0].attributes[0].category == "BEHAVIORAL_ENVIRONMENTAL_SOCIAL"


def test_categories_choose_what_is_kept() -> None:
    found = record("pain 2019 daily", [("pain", "DX_NAME"), ("2019", "DATE"), ("daily", "FREQUENCY")])
    chosen = select(found, ("MEDICAL_CONDITION",))
    assert [one.type for one in chosen.entities] == ["DX_NAME"]
    assert not chosen.unmapped_attributes
    assert [one.type for one in select(found, ("MEDICATION",)).unmapped_attributes] == ["FREQUENCY"]
    assert select(found, ()) is found


def test_what_scores_too_little_is_left_out_and_what_hung_on_it_hangs_on_nothing() -> None:
    words = [
        ("mild", "QUALITY"),
        ("pain", "DX_NAME"),
        ("left", "DIRECTION"),
        ("knee", "SYSTEM_ORGAN_SITE"),
        ("2019", "DATE"),
    ]
    links, traits = [(0, 1), (2, 1), (3, 1), (4, 1)], [(1, ["SYMPTOM"])]
    scores = {"pain": 0.4, "left": 0.3}
    text = "mild pain left knee 2019"
    assert shape(record(text, words, links, traits, scores, min_score=0.3)) == shape(record(text, words, links, traits))
    found = record(text, words, links, traits, scores, min_score=0.5)
    assert [(one.type, one.begin, one.attributes) for one in found.entities] == [
        ("SYSTEM_ORGAN_SITE", 15, ()),
        ("DATE", 20, ()),
    ]
    assert [(one.type, one.relationship_type) for one in found.unmapped_attributes] == [("QUALITY", None)]


def test_traits_stay_with_their_entity_when_others_are_left_out() -> None:
    words = [("cough", "DX_NAME"), ("pain", "DX_NAME")]
    found = record("cough pain", words, traits=[(1, ["SYMPTOM"])], scores={"cough": 0.1}, min_score=0.5)
    assert [(one.begin, one.traits) for one in found.entities] == [(6, (Trait("SYMPTOM", 0.7),))]
