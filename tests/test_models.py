"""The models that ship: both read a plain note, are as small as they should be, and give a note the same record in any company."""

import json
import shutil

import numpy as np
import pytest

import medtext
from medtext.components import networks
from medtext.components.networks import WordVectors
from medtext.config import find_model
from medtext.errors import ModelError
from tests.conftest import ROOT

NOTE = "Pt denies chest pain. PMH: COPD. Metoprolol 25 mg p.o. b.i.d. BP 130/80. Dr. Jane Whitfield, Mercy Hospital."
PLAIN = {
    ("chest pain", "DX_NAME"),
    ("COPD", "DX_NAME"),
    ("Metoprolol", "GENERIC_NAME"),
    ("25 mg", "DOSAGE"),
    ("p.o.", "ROUTE_OR_MODE"),
    ("b.i.d.", "FREQUENCY"),
    ("BP", "TEST_NAME"),
    ("130/80", "TEST_VALUE"),
    ("Jane Whitfield", "NAME"),
    ("Mercy Hospital", "ADDRESS"),
}
MEGABYTES = {"fast": 30, "accurate": 60}


@pytest.fixture(scope="module", params=sorted(MEGABYTES))
def loaded(request):
    return request.param, medtext.load(model=request.param)


def test_each_model_reads_a_plain_note(loaded) -> None:
    name, nlp = loaded
    record = medtext.extract(NOTE, nlp=nlp)
    assert {(span.text(NOTE), span.type) for span in record.spans()} >= PLAIN
    assert f"+{name}-" in record.model_version


def test_a_record_does_not_depend_on_the_notes_before_it(loaded) -> None:
    name, nlp = loaded
    long = "\n".join(f"{number}. {NOTE}" for number in range(30))
    alone = json.dumps(medtext.extract(NOTE, nlp=nlp).to_json())
    for other in ("", "x", "\n\n", long, "no spaces" * 400):
        medtext.extract(other, nlp=nlp)
        assert json.dumps(medtext.extract(NOTE, nlp=nlp).to_json()) == alone
    again = medtext.extract(NOTE, config=medtext.Config(model=name))
    assert json.dumps(again.to_json()) == alone


@pytest.mark.parametrize(("name", "most"), MEGABYTES.items())
def test_each_model_is_small(name: str, most: int) -> None:
    assert sum(path.stat().st_size for path in (ROOT / "models" / name).iterdir()) < most * 1e6


def test_a_model_is_a_name_or_a_folder() -> None:
    assert find_model("accurate") == ROOT / "models/accurate"
    nlp = medtext.load(model=ROOT / "models/fast")
    assert "+fast-" in medtext.extract("No fever.", nlp=nlp).model_version
    with pytest.raises(ModelError, match="no medtext model in nowhere"):
        medtext.load(model="nowhere")


@pytest.mark.parametrize("name", ["encoder.onnx", "links.onnx", "traits.onnx"])
@pytest.mark.parametrize("content", [None, b"", b"half a netw"])
def test_a_network_that_cannot_be_read_is_refused(name: str, content: bytes | None, tmp_path) -> None:
    model = tmp_path / "mine"
    shutil.copytree(ROOT / "models/fast", model)
    (model / name).unlink()
    if content is not None:
        (model / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"no network {name} in .*mine that can be read"):
        medtext.load(model=model)


class Lengths:
    """A table whose rows are told by a word's length; "slow" is interrupted the first time."""

    width = 2

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, word):
        if isinstance(word, list):
            return np.array([[length, 1] for length in word], dtype=np.float32)
        self.asked.append(word)
        if word == "slow" and self.asked.count("slow") == 1:
            raise TimeoutError
        return [len(word)]


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_word_vectors_are_the_same_however_few_are_kept(monkeypatch, most: int) -> None:
    monkeypatch.setattr(networks, "CACHED", most)
    table = Lengths()
    vectors = WordVectors(table, table)
    for note in (["no", "fever", "no"], ["fever", "cough", "a", "no"], [], ["rash"]):
        assert vectors(note).tolist() == [[len(word), 1] for word in note]


def test_a_timeout_leaves_no_half_made_word_vector() -> None:
    table = Lengths()
    vectors = WordVectors(table, table)
    with pytest.raises(TimeoutError):
        vectors(["slow"])
    assert vectors(["slow", "no", "slow"]).tolist() == [[4, 1], [2, 1], [4, 1]]
