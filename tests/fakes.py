"""A pipeline small enough for tests of what is round it; module-level, so that spawned workers find it."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from medtext.components.tokenizer import NAME
from medtext.errors import ModelError
from medtext.findings import findings
from medtext.schema import Mention


@Language.component("medtext_test_fever")
def find_fever(doc: Doc) -> Doc:
    """Marks "fever"; takes its time, breaks, hangs, does not wake up or dies where the note says so."""
    text = doc.text
    if "SLOW" in text:
        time.sleep(0.01)
    if "BREAK" in text:
        raise RuntimeError(f"cannot read {text}")
    if "HANG" in text:
        hang()
    if "STUCK" in text:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])  # as in C code that returns to Python too late
        time.sleep(600)
    if "DIE" in text:
        os._exit(9)
    at = text.find("fever")
    if at >= 0:
        findings(doc).mentions = [Mention(at, at + 5, "DX_NAME", 0.9, "fake")]
    return doc


def hang() -> None:
    """Takes far too long, and takes an alarm for a fault that it can go on after, as components may."""
    with contextlib.suppress(Exception):
        time.sleep(600)


def build_none(_config: object) -> Language:
    raise ModelError("There is no such model.")


def build(_config: object) -> Language:
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": NAME}}})
    nlp.add_pipe("medtext_test_fever")
    nlp.meta["version"] = "fake"
    return nlp


def build_nothing(_config: object) -> Language:
    """A worker that ends as it starts, as where there is no memory for it."""
    os._exit(9)
