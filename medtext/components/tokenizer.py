"""Tokens: one regular expression, made for clinical shorthand.

spaCy's English tokenizer keeps "BP130/56", "81MG" and "x-ray" whole, so that spans inside them have no token of their
own; and it is the slowest step of a rule pipeline. This one splits wherever letters, digits and punctuation meet, and
keeps together only what is written as one: decimals ("13.5", "1,000"), dotted abbreviations ("q.d.", "Dr.") and
clitics ("'s"). A run of line breaks is one token, as is a run of spaces beyond the first.
"""

import re
from pathlib import Path
from typing import Any, Self

import spacy
from spacy.tokens import Doc
from spacy.vocab import Vocab

NAME = "medtext.ClinicalTokenizer.v1"

TOKEN = re.compile(
    r"""
      (?:[A-Za-z]\.){2,}(?![A-Za-z])                # q.d.  p.r.n.  U.S.
    | q\.\d{1,2}h\.                                 # q.6h.
    | (?:Dr|Mr|Mrs|Ms|Jr|Sr|St|vs|No|Drs|Prof)\.(?=[ ])
    | \d+(?:,\d{3})+(?:\.\d+)?(?!\d)                # 1,000
    | \d+\.\d+(?![\d.])                             # 13.5
    | (?<!\d)\.\d+(?![\d.])                         # .5
    | \d+
    | '(?:s|S)\b
    | [^\W\d_]+
    | \s*\n\s*                                      # a line break with the blanks round it
    | [^\S\n]+
    | .
    """,
    re.VERBOSE,
)


class ClinicalTokenizer:
    """Splits a note into a `Doc` whose text is the note, character for character."""

    def __init__(self, vocab: Vocab) -> None:
        self.vocab = vocab

    def __call__(self, text: str) -> Doc:
        """The Doc of `text`; never raises on any string."""
        words: list[str] = []
        spaces: list[bool] = []
        append, space = words.append, spaces.append
        for word in TOKEN.findall(text):
            if word == " " and spaces and not spaces[-1] and not words[-1].isspace():
                spaces[-1] = True
            else:
                append(word)
                space(False)
        return Doc(self.vocab, words=words, spaces=spaces)

    def to_bytes(self, **_: Any) -> bytes:
        return b""

    def from_bytes(self, _data: bytes, **_kwargs: Any) -> Self:
        return self

    def to_disk(self, _path: str | Path, **_: Any) -> None:
        """Nothing to store: the expression above is all there is."""

    def from_disk(self, _path: str | Path, **_: Any) -> Self:
        return self


@spacy.registry.tokenizers(NAME)
def create_tokenizer() -> Any:
    def create(nlp: spacy.Language) -> ClinicalTokenizer:
        return ClinicalTokenizer(nlp.vocab)

    return create
