"""A pipeline small enough for tests of what is round it; module-level, so that spawned workers find it."""

from __future__ import annotations

import os
import time

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from medtext.components.tokenizer import NAME
from medtext.findings import findings
from medtext.schema import Mention


@Language.component("medtext_test_fever")
def find_fever(doc: Doc) -> Doc:
    """Marks "fever"; breaks, hangs or dies where the note says so."""
    text = doc.text
    if "BREAK" in text:
        raise RuntimeError(f"cannot read {text}")
    if "HANG" in text:
        time.sleep(600)
    if "DIE" in text:
        os._exit(9)
    at = text.find("fever")
    if at >= 0:
        findings(doc).mentions = [Mention(at, at + 5, "DX_NAME", 0.9, "fake")]
    return doc


def build(_config: object) -> Language:
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": NAME}}})
    nlp.add_pipe("medtext_test_fever")
    nlp.meta["version"] = "fake"
    return nlp
