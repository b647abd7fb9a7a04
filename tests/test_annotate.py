"""One note in, one record out: what fails says of what kind it was, and nothing that it said."""

import medtext
from medtext.annotate import BATCH, annotate, one
from medtext.config import Config
from medtext.schema import Failure, Mention, Note, Record
from tests import fakes

BROKEN = Record("bad.txt", error=Failure("EmptyNote", "The note is empty."))


def test_a_note_that_breaks_the_pipeline_is_an_error_that_does_not_quote_it() -> None:
    notes = [Note("a", "fever"), Note("b", "BREAK secret-canary"), BROKEN, Note("c", "fever")]
    first, second, third, fourth = annotate(fakes.build(None), notes, Config())
    assert first.entities[0].type == fourth.entities[0].type == "DX_NAME"
    assert second.error == Failure("InternalError", "The note could not be read (RuntimeError).")
    assert third is BROKEN


def test_texts_that_are_no_notes_are_refused_here_too() -> None:
    texts = {"": "EmptyNote", " \n": "EmptyNote", "\ud800": "LoneSurrogate", "\x01" * 9: "BinaryFile"}
    found = annotate(fakes.build(None), [Note(str(place), text) for place, text in enumerate(texts)], Config())
    assert [record.error.code for record in found if record.error] == list(texts.values())


def test_records_keep_the_order_and_number_of_notes_over_several_batches() -> None:
    notes = [Note(str(number), f"{'x' * number} fever") for number in range(2 * BATCH + 3)]
    found = list(annotate(fakes.build(None), notes, Config()))
    assert [record.document_id for record in found] == [note.id for note in notes]
    assert [record.entities[0].begin for record in found] == [number + 1 for number in range(len(notes))]


def test_a_doc_that_the_caller_makes_meanwhile_stays_whole() -> None:
    nlp = fakes.build(None)
    records = annotate(nlp, [Note(str(number), "fever") for number in range(2 * BATCH)], Config())
    next(records)
    doc = nlp.make_doc("qwertzuiop asdfghjkl")
    list(records)
    assert [token.text for token in doc] == ["qwertzuiop", "asdfghjkl"]


def test_spans_of_the_caller_reach_the_components() -> None:
    nlp = fakes.build(None)
    record = one(nlp, Note("a", "She has fever."), Config(), [Mention(8, 13, "DX_NAME", 1.0, "given")])
    assert record.error is None
    assert record.characters == 14


def test_what_a_config_keeps_does_not_load_the_pipeline_again(monkeypatch) -> None:
    loaded = []

    def load(config: Config):
        loaded.append(config)
        return fakes.build(config)

    monkeypatch.setattr("medtext.api.load", load)
    medtext.api._loaded.cache_clear()
    try:
        for score in (0.0, 0.5, 0.95):
            record = medtext.extract("fever", config=Config(min_score=score))
            assert len(record.entities) == (score < 0.9)
    finally:
        medtext.api._loaded.cache_clear()
    assert len(loaded) == 1
