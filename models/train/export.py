"""Writes a trained student as the folder that `medtext.components.ner` loads."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from medtext.components.ner import FORMAT, Tagger
from medtext.decoding import TAGS, decode, spans
from medtext.schema import TRAITS
from models.train.corpus import Example
from models.train.network import Encoder, Exported
from models.train.prepare import Preparation
from models.train.student import Student

BINS = 12


def export(model: Student, meta: Mapping[str, object], folder: Path) -> None:
    """Writes the table (eight bits a value), the encoder (eight-bit weights) and what they mean.

    `meta` brings `name`, `version`, `buckets`, `words`, `clues` and `sections`; the calibration is the identity until
    `calibrate` sets it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = model.table.weight.detach().numpy()
    scales = np.maximum(np.abs(table).max(1), 1e-8) / 127
    rows = np.round(table / scales[:, None]).astype(np.int8)
    np.savez_compressed(folder / "rows.npz", table=rows, scales=scales.astype(np.float32))
    (folder / "words.txt").write_text("\n".join(meta["words"]), encoding="utf-8")  # type: ignore[arg-type]
    _export_encoder(model.encoder, folder / "encoder.onnx")
    described = {key: value for key, value in meta.items() if key != "words"}
    _write_meta(
        folder, {"format": FORMAT, **described, "tags": TAGS, "traits": TRAITS, "calibration": [[0, 1], [0, 1]]}
    )


def _export_encoder(encoder: Encoder, path: Path) -> None:
    """The encoder as ONNX. Seven-bit weights: processors without VNNI overflow on eight (onnxruntime's advice)."""
    shipped = Exported(encoder).eval()
    width, flags = encoder.clues.weight.shape
    example = (torch.zeros(7, width), torch.zeros(7, flags))
    names = ["vectors", "flags", "tags", "traits"]
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "whole.onnx"
        torch.onnx.export(
            shipped,
            example,
            str(whole),
            input_names=names[:2],
            output_names=names[2:],
            dynamic_axes={name: {0: "words"} for name in names},
            dynamo=False,
        )
        quantize_dynamic(whole, path, weight_type=QuantType.QInt8, reduce_range=True)


def calibrate(folder: Path, prepare: Preparation, notes: Sequence[Example]) -> None:
    """Sets the model's calibration from `notes`, which must not be those it was trained on.

    Isotonic regression (Zadrozny & Elkan 2002) of "this span is right" on the span's probability, at `BINS` points.
    """
    from sklearn.isotonic import IsotonicRegression

    tagger = Tagger(folder)
    probabilities, right = spans_judged(tagger, prepare, notes)
    curve = IsotonicRegression(y_min=0.01, y_max=0.999, out_of_bounds="clip").fit(probabilities, right)
    points = np.unique(np.quantile(probabilities, np.linspace(0, 1, BINS)).round(4))
    meta = dict(tagger.meta)
    meta["calibration"] = [points.tolist(), curve.predict(points).round(4).tolist()]
    _write_meta(folder, meta)


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
