"""Long notes are read in windows, and what is found is what short notes would give."""

import pickle
from collections.abc import Iterator

import pytest

import medtext
from medtext import annotate, windows
from medtext.config import Config
from medtext.findings import Carried, findings
from medtext.policy import PHI, load_policy
from medtext.schema import Entity, Mention, Record
from tests.conftest import SAMPLES
from tests.test_samples import plain as scoreless

TEXTS = [path.read_text(encoding="utf-8") for path in sorted(SAMPLES.glob("*.txt"))]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of 3,000 characters, for every note that is longer."""
    monkeypatch.setattr(annotate, "LONG", 3_000)
    monkeypatch.setattr(windows, "WINDOW", 3_000)


def plain(span, begin: int = 0):
    """What is found, without numbers, at its place in the whole note."""
    row = span.to_json()

    def at_place(row):
        for name, cell in row.items():
            if name.endswith("Offset"):
                row[name] = cell + begin
            elif name in ("Attributes", "Sig"):
                for one in cell if isinstance(cell, list) else [cell]:
                    at_place(one)
        row.pop("Id", None)
        return row

    return at_place(row)


def test_the_windows_are_the_text_and_end_between_paragraphs(short: None) -> None:
    text = "\n\n".join(TEXTS * 3)
    places = list(windows.windows(text))
    assert "".join(text[begin:end] for begin, end in places) == text
    assert all(end - begin <= windows.WINDOW for begin, end in places)
    assert all(text[:end].endswith("\n\n") for _, end in places[:-1])


@pytest.mark.parametrize(
    "text", ["x" * 10_000, "fever " * 2_000, "fever.\r\n\r\n" * 900, "fever" + " " * 9_000 + "cough"]
)
def test_texts_without_paragraphs_are_cut_all_the_same(short: None, text: str) -> None:
    places = list(windows.windows(text))
    assert "".join(text[begin:end] for begin, end in places).split() == text.split()
    assert all(0 < end - begin <= windows.WINDOW for begin, end in places)


def test_a_long_note_has_what_its_parts_have(nlp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two notes, twice, in windows of their length; under a heading, so that no section is carried on."""
    parts = [f"PLAN:\n{one}\n\n{two}\n\n" for one, two in zip(TEXTS[::2], TEXTS[1::2], strict=False)]
    assert len(parts) == 7
    for part in parts:
        text = part + part
        monkeypatch.setattr(annotate, "LONG", len(part))
        monkeypatch.setattr(windows, "WINDOW", len(part))
        assert list(windows.windows(text)) == [(0, len(part)), (len(part), len(text))]
        alone, whole = medtext.extract(part, nlp=nlp), medtext.extract(text, nlp=nlp)
        both = [plain(one, begin) for begin in (0, len(part)) for one in alone.entities]
        assert [plain(one) for one in whole.entities] == both
        unmapped = [plain(one, begin) for begin in (0, len(part)) for one in alone.unmapped_attributes]
        assert [plain(one) for one in whole.unmapped_attributes] == unmapped


def test_ids_and_order_are_those_of_one_note(short: None, nlp) -> None:
    record = medtext.extract("\n\n".join(TEXTS * 2), nlp=nlp)
    spans = list(record.entities)
    assert len(spans) > 1_000
    assert [(one.begin, one.end, one.category) for one in spans] == sorted(
        (one.begin, one.end, one.category) for one in spans
    )
    own = [one.id for one in spans] + [one.id for one in record.unmapped_attributes]
    assert len(set(own)) == len(own)
    by_place = {
        (one.begin, one.end): one.id for one in spans if one.type != "DATE" and one.category != "TIME_EXPRESSION"
    }
    for one in spans:
        for below in one.attributes:
            if below.relationship_type == "OVERLAP" and (below.begin, below.end) in by_place:
                assert below.id == by_place[below.begin, below.end]
    times = [one.id for one in spans if one.category == "TIME_EXPRESSION"]
    dates = {one.begin: one.id for one in spans if one.type == "DATE"}
    twice = [one.id for one in spans if one.category == "TIME_EXPRESSION" and one.begin in dates]
    assert twice
    assert sorted(twice) == list(range(max(own) - len(twice) + 1, max(own) + 1))
    assert len(times) > len(twice)


def test_ids_do_not_depend_on_where_windows_end(nlp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a text of which every paragraph stands for itself; only scores depend on what stands some words away."""
    text = "PLAN:\nShe takes lisinopril 10 mg daily since 3/14/2019 for hypertension.\n\n" * 60
    whole = medtext.extract(text, nlp=nlp)
    assert isinstance(whole.entities, tuple)
    monkeypatch.setattr(annotate, "LONG", 1_000)
    monkeypatch.setattr(windows, "WINDOW", 1_000)
    assert scoreless(medtext.extract(text, nlp=nlp).to_json()) == scoreless(whole.to_json())
    narrow = Config(categories=("MEDICATION",), min_score=0.5)
    cut = medtext.extract(text, nlp=nlp, config=narrow)
    monkeypatch.undo()
    assert scoreless(cut.to_json()) == scoreless(medtext.extract(text, nlp=nlp, config=narrow).to_json())


def test_the_open_section_goes_on(short: None, nlp) -> None:
    text = "PAST MEDICAL HISTORY:\n" + "She had pneumonia.\n\n" * 300 + "\n\nPLAN:\nRest for cough."
    record = medtext.extract(text, nlp=nlp)
    assert {one.section for one in record.entities if one.text(text) == "pneumonia"} == {"PAST_MEDICAL_HISTORY"}
    assert [one.section for one in record.entities if one.text(text) == "cough"] == ["PLAN"]


def test_names_go_on(nlp) -> None:
    found = []
    carried = Carried()
    for text in ("Dr. Okafor was seen.", "Okafor's fever.", "No fever."):
        doc = nlp.make_doc(text)
        findings(doc).carried = carried
        nlp.get_pipe("medtext_phi")(doc)
        found.append([(one.begin, one.end, one.source) for one in findings(doc).candidates if one.type == "NAME"])
    assert found[1:] == [[(0, 6, "phi:name-again")], []]
    assert carried.names == {"Okafor": "CLINICIAN"}


def test_a_long_records_entities_are_like_a_tuple(short: None, nlp) -> None:
    record = medtext.extract("\n\n".join(TEXTS), nlp=nlp)
    entities: Iterator[Entity] = iter(record.entities)
    assert next(entities) == record.entities[0]
    assert record.entities[-1] == list(record.entities)[-1]
    assert tuple(record.entities) == record.entities
    assert record == pickle.loads(pickle.dumps(record))
    assert record == Record.from_json(record.to_json())


def test_given_spans_of_a_long_note_are_taken(short: None, nlp) -> None:
    text = "She has fever.\n\n" * 300
    record = medtext.extract(text, nlp=nlp, spans=[(8, 13, "DX_NAME")])
    assert [(one.begin, one.end) for one in record.entities] == [(8, 13)]
    long = annotate.one(nlp, annotate.Note("a", text * 300), Config(), [Mention(8, 13, "DX_NAME", 1.0, "given")])
    assert long.error
    assert long.error.code == "TooLong"


def test_a_policy_holds_in_every_window(nlp, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "PLAN:\nSeen 3/14/2019 at 91 years, MRN 4471932, and again in 2020.\n\n" * 60
    config = Config(policy=load_policy("safe-harbor"))
    whole = medtext.extract(text, nlp=nlp, config=config)
    assert {one.subtype for one in whole.entities if one.category == PHI} == {"DATE", "AGE_OVER_89", "MRN"}
    assert "YEAR" in {one.subtype for one in medtext.extract(text, nlp=nlp).entities}
    monkeypatch.setattr(annotate, "LONG", 1_000)
    monkeypatch.setattr(windows, "WINDOW", 1_000)
    assert scoreless(medtext.extract(text, nlp=nlp, config=config).to_json()) == scoreless(whole.to_json())
