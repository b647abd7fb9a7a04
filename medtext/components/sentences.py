"""Sentences, by rules made for the layout of clinical notes.

A full stop ends a sentence unless it belongs to an abbreviation ("Dr. Ames", "q.d. as needed") or a number. A line
break ends one too, unless the line before it was simply full and the next one goes on: notes list findings a line each
without stops, and wrap their prose at a fixed width as well. PyRuSH does the same with rules a character at a time and
is twenty times slower than the tokenizer.
"""

import re

import numpy as np
from spacy.attrs import SENT_START
from spacy.language import Language
from spacy.tokens import Doc

from medtext.findings import text_of, words
from medtext.rulebook import load_words, rules_dir

STOPS = frozenset(".?!")
BEFORE_NAMES = frozenset({"by", "with", "and", "from", "to", "per", "see"})
CLOSERS = frozenset("\"')]}”’")
FULL_LINE = 0.8  # of the longest line: a line as long as this was wrapped
NARROWEST = 45  # characters: text narrower than this is no wrapped prose
LIST_ITEM = re.compile(r"\s*(?:[-*•·>#+]|\(?\d{1,2}[.)](?!\d)|[A-Za-z][.)]\s|[A-Z][A-Za-z /&,()'-]{0,40}:)")


class SentenceSplitter:
    """The spaCy component: sets `is_sent_start` on every token."""

    def __init__(self, abbreviations: frozenset[str]) -> None:
        self.abbreviations = abbreviations

    def __call__(self, doc: Doc) -> Doc:
        if len(doc):
            starts = self.starts(words(doc), text_of(doc))
            # spaCy keeps 1 for a start and -1 for none; plain arrays set them many times faster than tokens do
            doc.from_array([SENT_START], np.where(starts, 1, -1).astype("int64").view("uint64"))
        return doc

    def starts(self, tokens: list[str], text: str) -> list[bool]:
        """Whether each token begins a sentence. `tokens` joined, blanks between them aside, are `text`."""
        widest = max(map(len, text.split("\n")))
        starts = [False] * len(tokens)
        due, offset = True, 0
        for place, word in enumerate(tokens):
            offset = text.index(word, offset)
            if word.isspace():
                due = due or ("\n" in word and _break_ends(text, offset, word, widest))
            else:
                starts[place], due = due, False
                if word[-1] in STOPS or word in CLOSERS:
                    due = self._stop_ends(tokens, starts, place, text[offset + len(word) : offset + len(word) + 1])
            offset += len(word)
        starts[0] = True
        return starts

    def _stop_ends(self, words: list[str], starts: list[bool], place: int, after: str) -> bool:
        """Whether the token ends a sentence; `after` is the character that follows it."""
        word = words[place]
        before = words[place - 1] if place else ""
        if not after.isspace():  # "3.5", "e.g.,", "?)"
            return False
        if word in CLOSERS:
            return bool(before) and before in STOPS and not starts[place]
        following = next((near for near in words[place + 1 : place + 3] if not near.isspace()), "")
        if len(word) > 1:  # "p.o.", "Dr."
            return following[:1].isupper() and word.lower() not in self.abbreviations and word.count(".") > 1
        if word == "." and self._belongs(words, starts, place - 1):
            return False
        return not following[:1].islower()

    def _belongs(self, words: list[str], starts: list[bool], place: int) -> bool:
        """Whether a full stop after this word belongs to it: "Dr", the number of a list, the initial in "J. Ames"."""
        if place < 0:
            return False
        word = words[place]
        if len(word) == 1 and word.isupper():
            before = words[place - 1] if place else "A"
            return before[0].isupper() or before.isspace() or before in BEFORE_NAMES
        return word.lower() in self.abbreviations or (starts[place] and word.isdigit())


def _break_ends(text: str, offset: int, blank: str, widest: int) -> bool:
    """Whether the line break at `offset` ends a sentence."""
    if blank.count("\n") > 1:
        return True
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    if len(line) < max(NARROWEST, FULL_LINE * widest) or line.rstrip()[-1:] == ":":
        return True
    return LIST_ITEM.match(text, offset + len(blank), offset + len(blank) + 60) is not None


@Language.factory("medtext_sentences", default_config={"rules": ""}, assigns=["token.is_sent_start"])
def create_sentences(nlp: Language, name: str, rules: str) -> SentenceSplitter:  # noqa: ARG001
    folder = rules_dir(rules)
    return SentenceSplitter(load_words(folder / "sentence_abbreviations.txt"))
