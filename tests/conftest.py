"""What the tests share: one loaded pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

import medtext

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "samples" / "notes"


@pytest.fixture(scope="session")
def nlp():
    return medtext.load()
