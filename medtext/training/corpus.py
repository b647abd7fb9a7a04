"""Gold notes as words, tags and traits: the one form that every training script reads.

A note's words are those of medtext's tokenizer, so that what a model learns is what it will see. Each word carries a
BILOU tag over the types of the guideline and, inside a span, the traits of that span.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import spacy

from medtext.components.tokenizer import ClinicalTokenizer
from medtext.decoding import OUTSIDE, TAGS, decode, spans
from medtext.errors import UsageError
from medtext.schema import TRAITS

NEAR = 40  # words round what an annotator settled in a note that a teacher labelled
TAG_INDEX = {tag: index for index, tag in enumerate(TAGS)}
TRAIT_INDEX = {trait: index for index, trait in enumerate(TRAITS)}
MARKS = frozenset(".,:;")
LITTLE_WORDS = frozenset(
    (
        *("a", "an", "the", "is", "are", "was", "were", "has", "had", "have", "been", "be", "she", "he", "her", "his"),
        *("patient", "there", "and", "this", "that", "of", "in", "with", "also", "who", "which", "then", "did", "does"),
    )
)
"""What hurried writers leave out."""


@dataclass(frozen=True, slots=True)
class Example:
    """One note. `traits` is words by TRAITS: 1 or 0 inside spans that can have traits, -1 elsewhere.

    `soft`, words by TAGS, are a teacher's probabilities, of a note that no person annotated.
    """

    id: str
    words: tuple[str, ...]
    spaces: tuple[bool, ...]
    tags: np.ndarray
    traits: np.ndarray
    soft: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.words)

    def taken(self, order: Sequence[int]) -> Example:
        """The note with the words at `order` only, in that order."""
        at = np.array(order, dtype=np.int64)
        return Example(
            self.id,
            tuple(self.words[index] for index in order),
            tuple(self.spaces[index] for index in order),
            self.tags[at],
            self.traits[at],
            None if self.soft is None else self.soft[at],
        )


def read_gold(paths: Iterable[Path]) -> list[Example]:
    """The notes of gold files (JSON Lines of `{"id", "text", "spans"}`), in order."""
    return examples(read_rows(paths))


def read_rows(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """The rows of JSON Lines files, `.gz` or not, as they stand there."""
    rows = []
    for path in paths:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8") as lines:
            rows += [json.loads(line) for line in lines]
    return rows


def examples(rows: Iterable[Mapping[str, Any]]) -> list[Example]:
    """Gold notes as words and tags."""
    tokenizer = ClinicalTokenizer(spacy.blank("en").vocab)
    return [example(row["id"], row["text"], row["spans"], tokenizer) for row in rows]


def read_silver(path: Path) -> list[Example]:
    """The notes that a teacher labelled, each with its probabilities (16 bits); its tags are the likeliest."""
    with np.load(path, allow_pickle=False) as stored:
        names, texts, ends, tags = (stored[key] for key in ("ids", "texts", "ends", "tags"))
    tokenizer = ClinicalTokenizer(spacy.blank("en").vocab)
    notes = []
    for name, text, begin, end in zip(names, texts, ends, ends[1:], strict=False):
        note = example(str(name), str(text), (), tokenizer)
        notes.append(replace(note, tags=tags[begin:end].argmax(-1), soft=tags[begin:end]))
    return notes


def settled(silver: Iterable[Example], rows: Sequence[Mapping[str, Any]]) -> list[Example]:
    """The surroundings of what annotators settled in notes that a teacher labelled.

    A row has the note's `id` and `spans`, as gold notes have, and `parts`: the stretches, `[begin, end)` in code points,
    that were annotated in full. There the annotator's tags stand in the place of the teacher's probabilities. A span
    elsewhere is a mention of the teacher's, of which only the traits were judged. Raises `UsageError` for a note that is
    not there.
    """
    notes = {note.id: note for note in silver}
    if missing := [row["id"] for row in rows if row["id"] not in notes]:
        raise UsageError(f"There is no silver note {missing[0]!r} to put annotations in.")
    return [part for row in rows for part in _settled(notes[row["id"]], row)]


def _settled(note: Example, row: Mapping[str, Any]) -> Iterator[Example]:
    assert note.soft is not None
    starts = np.cumsum([0, *(len(word) + space for word, space in zip(note.words, note.spaces, strict=True))])
    tags, traits, soft = note.tags.copy(), note.traits.copy(), note.soft.copy()
    near, full = np.zeros(len(note), dtype=bool), np.zeros(len(note), dtype=bool)

    def words(begin: int, end: int) -> slice:
        return slice(int(np.searchsorted(starts, begin, "right")) - 1, int(np.searchsorted(starts, end)))

    for begin, end in row["parts"]:
        full[words(begin, end)] = True
    for span in row["spans"]:
        if full[place := words(span["start"], span["end"])].any():
            full[place] = True  # a part that ends within a span is annotated up to the span's end
    tags[full] = OUTSIDE
    for span in row["spans"]:
        place = words(span["start"], span["end"])
        length = place.stop - place.start
        if full[place].all() or span.get("traits") is not None:
            tags[place] = tags_of(span["type"], length)
            near[max(place.start - NEAR, 0) : place.stop + NEAR] = True
        if span.get("traits") is not None:
            traits[place] = [trait in span["traits"] for trait in TRAITS]
    soft[full] = np.eye(len(TAGS), dtype=soft.dtype)[tags[full]]
    for place in np.flatnonzero(full):
        near[max(place - NEAR, 0) : place + NEAR] = True
    whole = replace(note, tags=tags, traits=traits, soft=soft)
    edges = np.flatnonzero(np.diff([0, *near.astype(int), 0]))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        yield whole.taken(range(first, last))


def example(name: str, text: str, annotations: Iterable[dict], tokenizer: ClinicalTokenizer) -> Example:
    """A note and its spans; a span that does not fall on word boundaries is widened to them."""
    doc = tokenizer(text)
    tags = np.zeros(len(doc), dtype=np.int64)
    traits = np.full((len(doc), len(TRAITS)), -1, dtype=np.int8)
    for span in annotations:
        words = doc.char_span(span["start"], span["end"], alignment_mode="expand")
        if words is None or tags[words.start : words.end].any():
            continue
        tags[words.start : words.end] = tags_of(span["type"], len(words))
        if span.get("traits") is None:
            continue  # nobody said
        traits[words.start : words.end] = 0
        for trait in span["traits"]:
            traits[words.start : words.end, TRAIT_INDEX[trait]] = 1
    texts = tuple(token.text for token in doc)
    return Example(name, texts, tuple(bool(token.whitespace_) for token in doc), tags, traits)


def tags_of(kind: str, length: int) -> list[int]:
    """The tags of a span of `length` words."""
    if length == 1:
        return [TAG_INDEX[f"U-{kind}"]]
    return [TAG_INDEX[f"B-{kind}"], *[TAG_INDEX[f"I-{kind}"]] * (length - 2), TAG_INDEX[f"L-{kind}"]]


def scores(gold: Iterable[np.ndarray], found: Iterable[np.ndarray]) -> dict[str, float]:
    """Exact precision, recall and F1 of tag sequences, over all types."""
    right = wanted = given = 0
    for one, other in zip(gold, found, strict=True):
        want, have = set(spans(one)), set(spans(other))
        right, wanted, given = right + len(want & have), wanted + len(want), given + len(have)
    precision, recall = right / max(given, 1), right / max(wanted, 1)
    return {"p": precision, "r": recall, "f": 2 * precision * recall / max(precision + recall, 1e-9)}


def exact_f1(gold: Iterable[np.ndarray], log_probabilities: Iterable[np.ndarray]) -> float:
    """Exact span F1 of the best tags, against the tags of `gold`."""
    return scores(gold, map(decode, log_probabilities))["f"]


def augmented(note: Example, chance: random.Random) -> Example:
    """A copy of the note in another dress: case, line breaks and punctuation, as other hospitals write."""
    note = _recased(note, chance)
    if chance.random() < 0.3:
        note = _rebroken(note, chance)
    if chance.random() < 0.2:
        note = _without(note, MARKS, chance.uniform(0.3, 1.0), chance)
    if chance.random() < 0.08:
        note = _without(note, LITTLE_WORDS, chance.uniform(0.3, 1.0), chance)
    if chance.random() < 0.1:
        note = _mistyped(note, chance.uniform(0.01, 0.06), chance)
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
    broken = note.taken([index for index, _ in order])
    fresh = np.array([new for _, new in order])
    broken.tags[fresh], broken.traits[fresh] = OUTSIDE, -1
    if broken.soft is not None:
        broken.soft[fresh] = np.eye(len(TAGS), dtype=broken.soft.dtype)[OUTSIDE]
    words = tuple("\n" if new else note.words[index] for index, new in order)
    spaces = tuple(False if new or index in chosen else note.spaces[index] for index, new in order)
    return replace(broken, words=words, spaces=spaces)


def _without(note: Example, words: frozenset[str], share: float, chance: random.Random) -> Example:
    """The note without a share of these words outside spans (telegraphese, dictation)."""
    keep = [
        index
        for index, word in enumerate(note.words)
        if not (word.lower() in words and note.tags[index] == OUTSIDE and chance.random() < share)
    ]
    return note.taken(keep) if keep else note


def _mistyped(note: Example, share: float, chance: random.Random) -> Example:
    """The note with slips of the keyboard in a share of its longer words: a letter gone, doubled, or in the wrong place."""
    words = tuple(
        _slip(word, chance) if len(word) >= 5 and word.isalpha() and chance.random() < share else word
        for word in note.words
    )
    return replace(note, words=words)


def _slip(word: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(word) - 1)
    middle = chance.choice(("", 2 * word[at], word[at + 1] + word[at]))
    return word[:at] + middle + word[at + (2 if len(middle) == 2 and middle[0] != middle[1] else 1) :]


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
