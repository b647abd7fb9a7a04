"""Gold notes as words, tags and traits: the one form that every training script reads.

A note's words are those of medtext's tokenizer, so that what a model learns is what it will see. Each word carries a
BILOU tag over the types of the guideline and, inside a span, the traits of that span.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import spacy

from medtext.components.tokenizer import ClinicalTokenizer
from medtext.decoding import OUTSIDE, TAGS, spans
from medtext.schema import TRAITS

TAG_INDEX = {tag: index for index, tag in enumerate(TAGS)}
TRAIT_INDEX = {trait: index for index, trait in enumerate(TRAITS)}
UNMARKED = -1
"""The tag of a word on which a corpus says nothing: it costs no loss."""


@dataclass(frozen=True, slots=True)
class Example:
    """One note. `traits` is words by TRAITS: 1 or 0 inside spans that can have traits, -1 elsewhere."""

    id: str
    words: tuple[str, ...]
    spaces: tuple[bool, ...]
    tags: np.ndarray
    traits: np.ndarray

    def __len__(self) -> int:
        return len(self.words)


def read_gold(paths: Iterable[Path]) -> list[Example]:
    """The notes of gold files (JSON Lines of `{"id", "text", "spans"}`), in order."""
    tokenizer = ClinicalTokenizer(spacy.blank("en").vocab)
    rows = (json.loads(line) for path in paths for line in path.open(encoding="utf-8"))
    return [example(row["id"], row["text"], row["spans"], tokenizer) for row in rows]


def read_silver(path: Path) -> list[tuple[Example, np.ndarray]]:
    """The notes that a teacher labelled, each with its probabilities, words by TAGS (16 bits)."""
    with np.load(path, allow_pickle=False) as stored:
        names, texts, ends, tags, traits = (stored[key] for key in ("ids", "texts", "ends", "tags", "traits"))
    tokenizer = ClinicalTokenizer(spacy.blank("en").vocab)
    notes = []
    for name, text, begin, end in zip(names, texts, ends, ends[1:], strict=False):
        note = example(str(name), str(text), (), tokenizer)
        inside = tags[begin:end, OUTSIDE] < 0.5
        known = np.where(inside[:, None], traits[begin:end], np.float16(-1))  # outside spans the teacher never learned
        notes.append((replace(note, traits=known), tags[begin:end]))
    return notes


def example(name: str, text: str, annotations: Iterable[dict], tokenizer: ClinicalTokenizer) -> Example:
    """A note and its spans; a span that does not fall on word boundaries is widened to them."""
    doc = tokenizer(text)
    tags = np.zeros(len(doc), dtype=np.int64)
    traits = np.full((len(doc), len(TRAITS)), -1, dtype=np.int8)
    for span in annotations:
        words = doc.char_span(span["start"], span["end"], alignment_mode="expand")
        if words is None or tags[words.start : words.end].any():
            continue
        kind = span["type"]
        tags[words.start : words.end] = TAG_INDEX[f"I-{kind}"]
        tags[words.start] = TAG_INDEX[f"B-{kind}"]
        tags[words.end - 1] = TAG_INDEX[f"L-{kind}"]
        if len(words) == 1:
            tags[words.start] = TAG_INDEX[f"U-{kind}"]
        traits[words.start : words.end] = 0
        for trait in span["traits"]:
            traits[words.start : words.end, TRAIT_INDEX[trait]] = 1
    texts = tuple(token.text for token in doc)
    return Example(name, texts, tuple(bool(token.whitespace_) for token in doc), tags, traits)


def scores(gold: Iterable[np.ndarray], found: Iterable[np.ndarray]) -> dict[str, float]:
    """Exact precision, recall and F1 of tag sequences, over all types."""
    right = wanted = given = 0
    for one, other in zip(gold, found, strict=True):
        want, have = set(spans(one)), set(spans(other))
        right, wanted, given = right + len(want & have), wanted + len(want), given + len(have)
    precision, recall = right / max(given, 1), right / max(wanted, 1)
    return {"p": precision, "r": recall, "f": 2 * precision * recall / max(precision + recall, 1e-9)}


def augmented(note: Example, chance: random.Random) -> Example:
    """A copy of the note in another dress: case, line breaks and punctuation, as other hospitals write."""
    note = _recased(note, chance)
    if chance.random() < 0.3:
        note = _rebroken(note, chance)
    if chance.random() < 0.2:
        note = _without(note, ".,:;", chance.uniform(0.3, 1.0), chance)
    return note


def _recased(note: Example, chance: random.Random) -> Example:
    draw = chance.random()
    if draw < 0.12:
        return replace(note, words=tuple(word.upper() for word in note.words))
    if draw < 0.24:
        return replace(note, words=tuple(word.lower() for word in note.words))
    return note


def _rebroken(note: Example, chance: random.Random) -> Example:
    """Line breaks taken out or put in where the text allows it."""
    if chance.random() < 0.5:
        keep = chance.random()
        words = tuple(" " if "\n" in word and chance.random() > keep else word for word in note.words)
        return replace(note, words=words)
    breaks = [
        index for index, word in enumerate(note.words) if word == "." and note.spaces[index] and note.tags[index] == 0
    ]
    chosen = {index for index in breaks if chance.random() < 0.7}
    order = [(index, fresh) for index in range(len(note)) for fresh in ((False, True) if index in chosen else (False,))]
    words = tuple("\n" if fresh else note.words[index] for index, fresh in order)
    spaces = tuple(False if fresh or index in chosen else note.spaces[index] for index, fresh in order)
    picked = np.array([index for index, _ in order])
    fresh = np.array([new for _, new in order])
    tags, traits = note.tags[picked].copy(), note.traits[picked].copy()
    tags[fresh], traits[fresh] = 0, -1
    return replace(note, words=words, spaces=spaces, tags=tags, traits=traits)


def _without(note: Example, marks: str, share: float, chance: random.Random) -> Example:
    """The note without a share of its punctuation outside spans (telegraphese, dictation)."""
    keep = [
        index
        for index, word in enumerate(note.words)
        if not (word in marks and note.tags[index] == 0 and chance.random() < share)
    ]
    if not keep:
        return note
    picked = np.array(keep)
    return replace(
        note,
        words=tuple(note.words[index] for index in keep),
        spaces=tuple(note.spaces[index] for index in keep),
        tags=note.tags[picked],
        traits=note.traits[picked],
    )


def windows(length: int, size: int, margin: int) -> Iterator[tuple[int, int, int, int]]:
    """Overlapping windows over a note: `(begin, end, first, last)`, of which `[first, last)` is to be kept."""
    step = size - 2 * margin
    begin = 0
    while True:
        end = min(begin + size, length)
        first = begin if begin == 0 else begin + margin
        last = end if end == length else end - margin
        yield begin, end, first, last
        if end == length:
            return
        begin += step
