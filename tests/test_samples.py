"""The invented notes give the records that were reviewed by eye and kept beside them."""

import json
from pathlib import Path

import pytest

import medtext
from tests.conftest import SAMPLES

RECORDS = SAMPLES.parent / "records"
FILES = sorted(SAMPLES.glob("*.txt"))


def plain(row):
    """A record without its scores, which may differ in the last digits between processors."""
    if isinstance(row, dict):
        return {key: plain(value) for key, value in row.items() if not key.endswith("Score")}
    return [plain(value) for value in row] if isinstance(row, list) else row


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_sample(path: Path, nlp) -> None:
    expected = json.loads((RECORDS / f"{path.name}.json").read_text(encoding="utf-8"))
    found = medtext.extract(path.read_text(encoding="utf-8"), nlp=nlp, document_id=path.name).to_json()
    assert plain(found) == plain(expected)


def test_there_are_fifteen_kinds() -> None:
    assert len(FILES) == 15
    assert {path.name.removesuffix(".json") for path in RECORDS.glob("*.json")} == {path.name for path in FILES}
