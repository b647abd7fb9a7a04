"""Writes a trained network as the folder that `medtext.components.ner` loads."""

from __future__ import annotations

import json
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from medtext.components.clues import Flags
from medtext.components.ner import Tagger
from medtext.components.networks import FORMAT, read_meta
from medtext.decoding import TAGS, decode, spans
from medtext.errors import ModelError
from medtext.training.corpus import Example
from medtext.training.network import Exported, ExportedPieces
from medtext.training.prepare import Preparation
from medtext.training.student import Settings, Student
from medtext.training.teacher import Teacher

BINS = 12
WEIGHTS = "weights.npz"  # the encoder before it is cut to eight bits, for training on from


def export(model: Student, meta: Mapping[str, object], folder: Path) -> None:
    """Writes a network over words: its table (eight bits a value), its encoder (eight-bit weights) and what they mean.

    `meta` brings `name`, `version`, `buckets`, `words`, `clues` and `sections`; the calibration is the identity until
    `calibrate` sets it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _export_table(model.table.weight, folder / "rows.npz")
    (folder / "words.txt").write_text("\n".join(meta["words"]), encoding="utf-8")  # type: ignore[arg-type]
    width, flags = model.encoder.clues.weight.shape
    example = {"vectors": torch.zeros(7, width), "flags": torch.zeros(7, flags)}
    export_network(Exported(model.encoder), example, ("tags", "read"), {}, folder / "encoder.onnx")
    weights = {name: value.half().numpy() for name, value in model.encoder.state_dict().items()}
    np.savez_compressed(folder / WEIGHTS, **weights)
    shape = {"width": width, "dilations": model.settings.dilations, "buckets": model.settings.buckets}
    described = {key: value for key, value in meta.items() if key != "words"}
    _write_meta(folder, {**_new_meta("words"), **described, **shape})


def restore(folder: Path) -> tuple[Student, dict[str, list[str]]]:
    """The network over words that `export` wrote, to train on from, with its words and clues.

    Raises `ModelError` for a folder without the weights to train on from.
    """
    meta = read_meta(folder)
    if not (folder / WEIGHTS).is_file():
        raise ModelError(f"The model in {folder} cannot be trained on from; start from `fast`, or from scratch.")
    names = {
        "words": (folder / "words.txt").read_text(encoding="utf-8").split("\n"),
        "clues": meta["clues"],
        "sections": meta["sections"],
    }
    settings = Settings(width=meta["width"], dilations=tuple(meta["dilations"]), buckets=meta["buckets"])
    model = Student(names["words"], Flags(names["clues"], names["sections"]).width, settings)
    with np.load(folder / "rows.npz") as stored, np.load(folder / WEIGHTS) as weights:
        table = stored["table"] * stored["scales"][:, None]
        model.table.load_state_dict({"weight": torch.from_numpy(table)})
        model.encoder.load_state_dict({name: torch.from_numpy(weights[name]).float() for name in weights})
    return model, names


def export_pieces(model: Teacher, vocabulary: Sequence[str], meta: Mapping[str, object], folder: Path) -> None:
    """Writes a network over pieces, likewise. `meta` brings `name`, `version`, `clues`, `sections` and perhaps `with`."""
    folder.mkdir(parents=True, exist_ok=True)
    table = model.encoder.embeddings.word_embeddings.weight
    _export_table(table, folder / "pieces.npz")
    (folder / "vocabulary.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    pieces, words = 9, 7
    example = {
        "vectors": torch.zeros(pieces, table.shape[1]),
        "pool": torch.rand(words, pieces),
        "shapes": torch.zeros(words, dtype=torch.long),
        "flags": torch.zeros(words, model.clues_in.in_features),
    }
    axes = {"vectors": {0: "pieces"}, "pool": {0: "words", 1: "pieces"}}
    export_network(ExportedPieces(model), example, ("tags", "read"), axes, folder / "encoder.onnx")
    _write_meta(folder, {**_new_meta("pieces"), **meta})


def _new_meta(kind: str) -> dict[str, object]:
    return {"format": FORMAT, "kind": kind, "tags": TAGS, "calibration": [[0, 1], [0, 1]]}


def _export_table(weights: torch.Tensor, path: Path) -> None:
    table = weights.detach().numpy()
    scales = np.maximum(np.abs(table).max(1), 1e-8) / 127
    rows = np.round(table / scales[:, None]).astype(np.int8)
    np.savez_compressed(path, table=rows, scales=scales.astype(np.float32))


def export_network(
    network: torch.nn.Module,
    example: Mapping[str, torch.Tensor],
    outputs: Sequence[str],
    axes: Mapping[str, dict[int, str]],
    path: Path,
) -> None:
    """Writes a network as ONNX, whose inputs and outputs have a row a word unless `axes` say else.

    Seven-bit weights: processors without VNNI overflow on eight (onnxruntime's advice). A scale for each column: with one
    for all, the network over pieces lost 2 points on other styles.
    """
    with tempfile.TemporaryDirectory() as scratch, _quiet():
        whole = Path(scratch) / "whole.onnx"
        torch.onnx.export(
            network.eval(),
            tuple(example.values()),
            str(whole),
            input_names=list(example),
            output_names=list(outputs),
            dynamic_axes={name: axes.get(name, {0: "words"}) for name in (*example, *outputs)},
            dynamo=False,
        )
        quantize_dynamic(
            whole,
            path,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            extra_options={"MatMulConstBOnly": True},  # attention's own products stay as they are
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences what torch and onnxruntime say about the export, of which none asks for anything to be done."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def calibrate(folder: Path, prepare: Preparation, notes: Sequence[Example]) -> None:
    """Sets the model's calibration from `notes`, which must not be those it was trained on."""
    tagger = Tagger(folder)
    points, values = curve_of(*spans_judged(tagger, prepare, notes))
    _write_meta(folder, {**tagger.meta, "calibration": [points.round(4).tolist(), values.round(4).tolist()]})


def curve_of(probabilities: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The share of spans that are right, as a curve over their probability, at up to `BINS` points.

    Isotonic regression (Zadrozny & Elkan 2002).
    """
    from sklearn.isotonic import IsotonicRegression

    curve = IsotonicRegression(y_min=0.01, y_max=0.999, out_of_bounds="clip").fit(probabilities, right)
    points = np.unique(np.quantile(probabilities, np.linspace(0, 1, BINS)).round(4))
    return points, curve.predict(points)


def spans_judged(tagger: Tagger, prepare: Preparation, notes: Sequence[Example]) -> tuple[np.ndarray, np.ndarray]:
    """The probability of every span that the model finds, and whether gold has the same span."""
    probabilities, right = [], []
    for note in notes:
        scores, _ = tagger(prepare.doc(note))
        tags = decode(scores)
        chosen = np.exp(scores[np.arange(len(tags)), tags])
        wanted = set(spans(note.tags))
        for span in spans(tags):
            probabilities.append(chosen[span[0] : span[1]].min())
            right.append(span in wanted)
    return np.array(probabilities), np.array(right, dtype=float)


def _write_meta(folder: Path, meta: dict[str, object]) -> None:
    (folder / "meta.json").write_text(json.dumps(meta, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
