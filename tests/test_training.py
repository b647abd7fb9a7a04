"""The training scripts make a model that medtext loads. They need the extra `train`, which CI does without."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import medtext
from tests.conftest import ROOT

for needed in ("torch", "sklearn", "onnx"):
    pytest.importorskip(needed)
pytestmark = pytest.mark.training


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    lines = (ROOT / "models/gold/styles.jsonl").read_text(encoding="utf-8").splitlines()
    (tmp_path / "gold.jsonl").write_text("\n".join(lines[:8]) + "\n")
    return tmp_path / "gold.jsonl"


def test_a_model_is_trained_exported_and_read(gold: Path, tmp_path: Path) -> None:
    from medtext.components.trait_network import Numbering
    from medtext.training import corpus, links, silver, traits
    from medtext.training.export import calibrate, export
    from medtext.training.student import Settings, train

    notes = corpus.read_gold([gold])
    settings = Settings(width=32, dilations=(1, 4), epochs=2)
    model, prepare, names = train(notes, notes, [], [], {"gold": notes}, settings)
    folder = tmp_path / "small"
    export(model, {"name": "small", "version": "7", **names}, folder)
    calibrate(folder, prepare, notes)
    pairs = list(links.prepare(corpus.read_rows([gold]), folder))
    links.export(links.train(pairs, replace(links.FITTING, epochs=1)), pairs[0], folder)
    shutil.copy(ROOT / "models/fast/phi_review.tsv", folder)
    judged = list(traits.prepare(corpus.read_rows([gold]), folder))
    judged += traits.prepare_silver([text for _, text in silver.raw_notes([gold])][:2], ROOT / "models/fast", folder)
    network = traits.train(judged, Numbering.of(str(folder)), traits.Settings(epochs=1))
    traits.export(network, judged[0], folder)
    nlp = medtext.load(medtext.Config(model=str(folder)))
    text = json.loads(gold.read_text().splitlines()[0])["text"]
    record = medtext.extract(text, nlp=nlp)
    assert record.error is None
    assert record.model_version.endswith("+small-7")
    for short in ("a", "No fever.", "x y z"):
        assert medtext.extract(short, nlp=nlp).error is None


def test_subtypes_are_learned_from_gold(nlp) -> None:
    """Two kinds of names, told apart by the word before; the judge learns the word."""
    from medtext.components.subtype_judge import SubtypeJudge
    from medtext.findings import findings
    from medtext.schema import Mention
    from medtext.training import phi_subtypes

    lines = [("Aunt", "RELATIVE"), ("Coder", "CLINICIAN")] * 8
    rows = [
        {
            "text": f"{word} Tolliver wrote.",
            "spans": [{"start": len(word) + 1, "end": len(word) + 9, "type": "NAME", "subtype": subtype}],
        }
        for word, subtype in lines
    ]
    weights: dict = {}
    for kind, subtype, clue, weight in phi_subtypes.learn(rows):
        weights.setdefault(kind, {}).setdefault(clue, {})[subtype] = weight
    for word, subtype in lines[:2]:
        doc = nlp.make_doc(f"The {word} Tolliver wrote.")
        assert findings(doc)
        begin = len(word) + 5
        (told,) = SubtypeJudge(weights)(doc, [Mention(begin, begin + 8, "NAME", subtype="PATIENT")], [""])
        assert told.subtype == subtype


def test_gold_notes_keep_their_spans(gold: Path) -> None:
    from medtext.decoding import spans
    from medtext.training import corpus

    rows = [json.loads(line) for line in gold.read_text().splitlines()]
    for row, note in zip(rows, corpus.read_gold([gold]), strict=True):
        found = {"".join(note.words[begin:end]).replace(" ", "") + kind for begin, end, kind in spans(note.tags)}
        wanted = {row["text"][span["start"] : span["end"]].replace(" ", "") + span["type"] for span in row["spans"]}
        assert len(found & wanted) > 0.95 * len(wanted)


def test_exchanged_mentions_keep_their_tags(gold: Path) -> None:
    import random

    from medtext.decoding import spans
    from medtext.rulebook import rules_dir
    from medtext.training import corpus
    from medtext.training.swaps import Swaps

    notes = corpus.read_gold([gold])
    swaps, chance = Swaps(notes, rules_dir()), random.Random(0)
    changed = 0
    for note in notes:
        other = swaps(note, chance)
        changed += other.words != note.words
        assert len(other.words) == len(other.spaces) == len(other.tags) == len(other.traits)
        assert [kind for _, _, kind in spans(other.tags)] == [kind for _, _, kind in spans(note.tags)]
    assert changed


def test_invented_lines_have_their_spans_and_leave_the_notes_alone(gold: Path) -> None:
    import random

    from medtext.decoding import spans
    from medtext.rulebook import rules_dir
    from medtext.training import corpus
    from medtext.training.invented import InventedLines

    lines, chance = InventedLines(rules_dir()), random.Random(0)
    for _ in range(600):
        line = lines.line(chance)
        assert line.words[-1].endswith("\n")
        assert not any(
            "{" in word or re.fullmatch(r"[A-Z]+(_[A-Z]+)+", word) for word in line.words
        )  # every slot is filled
    for note in corpus.read_gold([gold]):
        other = lines(note, chance)
        kinds, more = ([kind for _, _, kind in spans(one.tags)] for one in (note, other))
        assert len(more) >= len(kinds)
        assert len(other.words) == len(other.spaces) == len(other.tags) == len(other.traits)


def test_a_note_in_another_dress_keeps_its_spans(gold: Path) -> None:
    import random

    from medtext.decoding import spans
    from medtext.training import corpus

    chance = random.Random(1)
    for note in corpus.read_gold([gold]) * 5:
        dressed = corpus.augmented(note, chance)
        before = [kind for _, _, kind in spans(note.tags)]
        assert [kind for _, _, kind in spans(dressed.tags)] == before
        assert len(dressed.words) == len(dressed.spaces) == len(dressed.tags) == len(dressed.traits)


def test_a_model_of_the_users_own(gold: Path, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from medtext.cli import app

    out = tmp_path / "ours"
    answer = CliRunner().invoke(app, ["train", str(gold), "--out", str(out), "--epochs", "1"], catch_exceptions=False)
    assert answer.exit_code == 0
    assert "exact F1 on the test notes" in answer.output
    record = medtext.extract("Denies fever. Takes lisinopril 10 mg daily.", config=medtext.Config(model=str(out)))
    assert record.model_version.endswith("+ours-1")
    assert {"DX_NAME", "GENERIC_NAME"} <= {entity.type for entity in record.entities}  # what `fast` knew is still known


def test_training_refuses_what_it_cannot_use(gold: Path, tmp_path: Path) -> None:
    from medtext.errors import ModelError, UsageError
    from medtext.training.retrain import retrain

    with pytest.raises(UsageError, match="exists"):
        retrain([gold], tmp_path)
    few = tmp_path / "few.jsonl"
    few.write_text("".join(gold.read_text().splitlines(keepends=True)[:3]))
    with pytest.raises(UsageError, match="notes to train on"):
        retrain([few], tmp_path / "new")
    with pytest.raises(ModelError, match="no medtext model"):
        retrain([gold], tmp_path / "new", start=str(tmp_path / "nowhere"))
    with pytest.raises(ModelError, match="cannot be trained on from"):
        retrain([gold], tmp_path / "new", start="accurate")
    rows = [json.loads(line) | {"spans": []} for line in gold.read_text().splitlines()]
    (tmp_path / "bare.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(UsageError, match="has a parent"):
        retrain([tmp_path / "bare.jsonl"], tmp_path / "new", start=None)


def test_errors_are_told_apart() -> None:
    from medtext.training.analysis import NOTHING, Judged, confusions

    note = Judged(
        {(0, 5, "DX_NAME"), (10, 15, "DX_NAME"), (20, 25, "TEST_NAME"), (30, 35, "NAME"), (50, 55, "AGE")},
        {(0, 5, "DX_NAME"): 0.9, (10, 18, "DX_NAME"): 0.9, (20, 25, "PROCEDURE_NAME"): 0.9, (40, 45, "ID"): 0.9},
    )
    assert confusions([note]) == {
        ("DX_NAME", "DX_NAME", "boundary"): 1,
        ("TEST_NAME", "PROCEDURE_NAME", "type"): 1,
        ("NAME", NOTHING, "missed"): 1,
        ("AGE", NOTHING, "missed"): 1,
        (NOTHING, "ID", "invented"): 1,
    }


def test_the_calibration_error_weighs_tenths_by_their_spans() -> None:
    from medtext.training.analysis import calibration_error

    assert calibration_error([(0.9, 0.9, 10), (0.5, 0.3, 10)]) == pytest.approx(0.1)


def test_annotations_kept_without_their_text_find_it_again() -> None:
    from medtext.errors import UsageError
    from medtext.training.join import digest, joined

    row = {"id": "r1", "sha256": digest("No fever."), "spans": []}
    assert list(joined([row], {"r1": "No fever."})) == [{"id": "r1", "text": "No fever.", "spans": []}]
    for texts in ({}, {"r1": "No fever"}):
        with pytest.raises(UsageError, match="r1"):
            list(joined([row], texts))


@pytest.fixture
def small_bert(tmp_path: Path) -> Path:
    """A BERT of one layer that knows nothing, in the place of MiniLM."""
    transformers = pytest.importorskip("transformers")
    pieces = ["[PAD]", *(f"[unused{number}]" for number in range(1, 100)), "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces += [mark + letter for letter in "abcdefghijklmnopqrstuvwxyz0123456789" for mark in ("", "##")]
    folder = tmp_path / "bert"
    config = transformers.BertConfig(
        vocab_size=len(pieces),
        hidden_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=2048,  # it knows letters only
    )
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    numbers = {piece: number for number, piece in enumerate(pieces)}
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": numbers}}))
    return folder


def test_a_teacher_learns_labels_and_ships(gold: Path, tmp_path: Path, small_bert: Path) -> None:
    from medtext.components.ner import Tagger
    from medtext.training import corpus, silver, teacher
    from medtext.training.export import export_pieces

    notes = corpus.read_gold([gold])[:4]
    settings = teacher.Settings(epochs=1)
    model, prepare, names = teacher.train(notes, notes, [], [], {"gold": notes}, small_bert, settings)
    folder = tmp_path / "pieces"
    meta = {"name": "pieces", "version": "1", "clues": names[0], "sections": names[1]}
    export_pieces(model, teacher.vocabulary_of(small_bert), meta, folder)
    alone = Tagger(folder)
    export_pieces(model, teacher.vocabulary_of(small_bert), {**meta, "with": ["../pieces"]}, tmp_path / "both")
    both = Tagger(tmp_path / "both")
    for note in notes:
        doc = prepare.doc(note)
        tags, read = alone(doc)
        assert tags.shape[0] == read.shape[0] == len(doc)
        assert both(doc)[1].shape == (len(doc), 2 * read.shape[1])
        assert abs(both(doc)[0] - tags).max() < 1e-3  # the mean of two that say the same
        assert (alone(doc)[0] == tags).all()

    raw = [
        (note.id, json.loads(line)["text"]) for note, line in zip(notes, gold.read_text().splitlines(), strict=False)
    ]
    for name, labels in ((str(folder), "a.npz"), ("fast", "b.npz")):
        silver.label(name, raw, tmp_path / labels)
    silver.mean([tmp_path / "a.npz", tmp_path / "b.npz"], tmp_path / "mean.npz")
    one, other, between = (corpus.read_silver(tmp_path / name) for name in ("a.npz", "b.npz", "mean.npz"))
    assert [note.words for note in between] == [note.words for note in notes]
    assert abs((one[0].soft + other[0].soft) / 2 - between[0].soft).max() < 1e-3
    teacher.train(notes, [], between, between[:1], {}, small_bert, settings)  # silver notes teach as well


def test_smoothing_evens_out_columns_and_changes_no_answer(small_bert: Path) -> None:
    import torch

    from medtext.training.smoothing import Scaled, smooth
    from medtext.training.teacher import encoder_of

    torch.manual_seed(0)
    encoder = encoder_of(small_bert).eval()
    given = torch.randn(1, 7, 24)
    layer = encoder.encoder.layer[0]
    with torch.no_grad():
        layer.output.dense.weight[:, 3] = 0.001  # a column that needs no room in the weights
        before = encoder(inputs_embeds=given).last_hidden_state
        smooth(encoder, lambda: encoder(inputs_embeds=given))
        after = encoder(inputs_embeds=given).last_hidden_state
    assert torch.allclose(before, after, atol=1e-4)
    scaled = [one for one in encoder.modules() if isinstance(one, Scaled)]
    assert len(scaled) == 4
    assert layer.output.dense.inverse.argmin() == 3


def test_what_an_annotator_settles_replaces_a_teachers_word() -> None:
    from medtext.decoding import TAGS
    from medtext.schema import TRAITS
    from medtext.training import corpus

    text = "Seen for fever. No cough. Takes aspirin."
    (note,) = corpus.examples([{"id": "a", "text": text, "spans": []}])
    silver = replace(note, soft=np.full((len(note), len(TAGS)), 0.1))
    row = {
        "id": "a",
        "parts": [[16, 25]],
        "spans": [
            {"start": 19, "end": 24, "type": "DX_NAME", "traits": ["SYMPTOM", "NEGATION"]},
            {"start": 32, "end": 39, "type": "GENERIC_NAME", "traits": []},
        ],
    }
    (part,) = corpus.settled([silver], [row])
    said = dict(zip(part.words, zip(part.tags, part.traits, part.soft, strict=True), strict=True))
    tags, traits, soft = said["cough"]
    assert TAGS[tags] == "U-DX_NAME"
    assert {name for name, value in zip(TRAITS, traits, strict=True) if value} == {"SYMPTOM", "NEGATION"}
    assert soft[tags] == 1.0
    assert said["No"][2][0] == 1.0  # the sentence was annotated in full: what is not marked is nothing
    assert said["fever"][2][0] == 0.1  # the next one was not
    assert said["fever"][1].max() == -1
    assert said["aspirin"][1].max() == 0  # its traits were judged: it has none
    assert said["aspirin"][2].max() == 0.1  # where it ends was not
