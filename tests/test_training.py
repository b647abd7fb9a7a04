"""The training scripts make a model that medtext loads. They need the extra `train`, which CI does without."""

import json
from pathlib import Path

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
    from models.train import corpus, links, traits
    from models.train.export import calibrate, export
    from models.train.student import Settings, train

    notes = corpus.read_gold([gold])
    settings = Settings(width=32, dilations=(1, 4), epochs=2)
    model, prepare, names = train(notes, notes, [], {"gold": notes}, settings)
    folder = tmp_path / "small"
    export(model, {"name": "small", "version": "7", "buckets": settings.buckets, **names}, folder)
    calibrate(folder, prepare, notes)
    weights = traits.learn([gold])
    rows = (f"{trait}\t{feature}\t{weight}" for feature, of in weights.items() for trait, weight in of)
    (folder / "traits.tsv").write_text("\n".join(rows) + "\n")
    found = links.learn(links.gold_notes([gold]))
    (folder / "links.tsv").write_text("".join(f"{feature}\t{weight}\n" for feature, weight in found.items()))
    nlp = medtext.load(medtext.Config(model=str(folder)))
    text = json.loads(gold.read_text().splitlines()[0])["text"]
    record = medtext.extract(text, nlp=nlp)
    assert record.error is None
    assert record.model_version.endswith("+small-7")
    for short in ("a", "No fever.", "x y z"):
        assert medtext.extract(short, nlp=nlp).error is None


def test_gold_notes_keep_their_spans(gold: Path) -> None:
    from medtext.decoding import spans
    from models.train import corpus

    rows = [json.loads(line) for line in gold.read_text().splitlines()]
    for row, note in zip(rows, corpus.read_gold([gold]), strict=True):
        found = {"".join(note.words[begin:end]).replace(" ", "") + kind for begin, end, kind in spans(note.tags)}
        wanted = {row["text"][span["start"] : span["end"]].replace(" ", "") + span["type"] for span in row["spans"]}
        assert len(found & wanted) > 0.95 * len(wanted)
