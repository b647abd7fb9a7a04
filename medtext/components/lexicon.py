"""Lexicon matches: terms of `rules/lexicons` in one pass over a note's tokens.

Every kind of term is its own layer: in each layer the longest match that begins first wins, so matches of one kind
never overlap and matches of two kinds may ("chest" in "chest pain" is a site as well). Matching ignores case and any
blanks or line breaks between words. The matches are features of the model (`findings(doc).lexicon`); those of the kinds
that `candidates.tsv` lists are precise enough to stand alone as candidates.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from medtext.components.tokenizer import TOKEN
from medtext.errors import RuleError
from medtext.findings import findings
from medtext.rulebook import load_table, load_words, rules_dir
from medtext.schema import Mention

KINDS = (
    "GENERIC_NAME",
    "BRAND_NAME",
    "DX_NAME",
    "SYSTEM_ORGAN_SITE",
    "TEST_NAME",
    "PROCEDURE_NAME",
    "TREATMENT_NAME",
    "TOBACCO_USE",
    "ALCOHOL_CONSUMPTION",
    "REC_DRUG_USE",
    "ALLERGIES",
    "GENDER",
    "RACE_ETHNICITY",
    "UNIT",
    "FORM",
    "ROUTE_OR_MODE",
    "FREQUENCY",
    "DIRECTION",
    "ACUITY",
    "QUALITY",
    "TIME_EXPRESSION",
    "TEST_VALUE",
    "FIRST_NAME",
    "LAST_NAME",
    "RARE_NAME",
    "PLACE",
    "PROFESSION",
)
"""What a term can be: the types of the guideline where they are one, units, and the lists that help to find PHI."""

BIT = {kind: 1 << place for place, kind in enumerate(KINDS)}
NAME_BITS = BIT["FIRST_NAME"] | BIT["LAST_NAME"] | BIT["RARE_NAME"]
"""Names count only when they are capitalised."""

Match = tuple[int, int, str]
"""First token, token after the last, kind."""


@dataclass(frozen=True, slots=True)
class ExtraTerm:
    """A term written by hand. `case` "exact" counts it only as it is spelled here ("IT" but not "it")."""

    id: str
    term: str
    kind: str
    case: str = "any"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no kind of term")
        if self.case not in ("any", "exact"):
            raise ValueError(f"{self.case!r} is no case; use 'any' or 'exact'")


@dataclass(frozen=True, slots=True)
class CandidateKind:
    """A kind whose matches stand alone as candidates, with the share of them that was right on the training notes."""

    kind: str
    score: float
    letters: int = 3


class Lexicon:
    """Terms by their tokens: `add` fills it, `matches` reads it."""

    def __init__(self, never: Iterable[str] = ()) -> None:
        self._never = frozenset(never)
        self._kinds: dict[str, int] = {}  # a term's tokens, joined by blanks -> its kinds, as bits
        self._exact: dict[str, int] = {}  # the same for words that count in one spelling only
        self._sizes: dict[str, int] = {}  # two first tokens -> the numbers of tokens that such terms have, as bits

    def __len__(self) -> int:
        return len(self._kinds) + len(self._exact)

    def add(self, terms: Iterable[tuple[str, str]]) -> None:
        """Adds `(term, kind)` pairs; a term is its lower-case tokens, joined by blanks."""
        kinds, sizes, never = self._kinds, self._sizes, self._never
        for term, kind in terms:
            if term not in never:
                kinds[term] = kinds.get(term, 0) | BIT[kind]
                if blanks := term.count(" "):
                    pair = term if blanks == 1 else " ".join(term.split(" ", 2)[:2])
                    sizes[pair] = sizes.get(pair, 0) | 1 << blanks + 1

    def add_exact(self, word: str, kind: str) -> None:
        """Adds a word that counts only in this spelling ("IT", not "it"), and not inside a line of capitals."""
        self._exact[word] = self._exact.get(word, 0) | BIT[kind]

    def matches(self, words: Sequence[str]) -> list[Match]:
        """The longest matches of each kind in a note's tokens, by first token, last token and kind."""
        places = [place for place, word in enumerate(words) if not word.isspace()]
        found: list[Match] = []
        taken = [0] * len(KINDS)
        for begin, end, bits in self._hits([words[place] for place in places]):
            for kind in _members(bits):
                if begin >= taken[kind]:
                    taken[kind] = end
                    found.append((places[begin], places[end - 1] + 1, KINDS[kind]))
        return sorted(found)

    def _hits(self, words: list[str]) -> Iterator[tuple[int, int, int]]:
        """Every term in the words, the longest first at each word: `(begin, end, kinds as bits)`."""
        lower = [word.lower() for word in words]
        flat = " ".join(lower)
        begins = [0, *accumulate(len(word) + 1 for word in lower)]
        kinds, sizes, exact, last = self._kinds, self._sizes, self._exact, len(words) - 1
        for index, word in enumerate(lower):
            begin = begins[index]
            if index < last and (bits := sizes.get(flat[begin : begins[index + 2] - 1])):
                for end in (index + size for size in _members(bits) if index + size <= last + 1):
                    if bits := kinds.get(flat[begin : begins[end] - 1]):
                        yield index, end, bits
            if bits := kinds.get(word):
                yield index, index + 1, bits if words[index][0].isupper() else bits & ~NAME_BITS
            if words[index] in exact and not _among_capitals(words, index):
                yield index, index + 1, exact[words[index]]


@cache
def _members(bits: int) -> tuple[int, ...]:
    """The positions of the bits that are set, the highest first."""
    return tuple(place for place in reversed(range(bits.bit_length())) if bits >> place & 1)


def _among_capitals(words: Sequence[str], index: int) -> bool:
    """Whether both neighbours are capitals too, so that the spelling of the word says nothing."""
    around = (words[near] for near in (index - 1, index + 1) if 0 <= near < len(words))
    return all(len(word) > 1 and word.isupper() for word in around)


def tokens(term: str) -> str:
    """A term as the note's tokens with a blank between them."""
    return " ".join(token for token in TOKEN.findall(term) if not token.isspace())


def load_lexicon(folder: Path) -> Lexicon:
    """The lexicon of a `rules/lexicons` folder. Raises `RuleError`."""
    lexicon = Lexicon(load_words(folder / "never.txt"))
    for path in sorted(folder.glob("*.tsv.gz")):
        lexicon.add(compiled_terms(path))
    for path in sorted(folder.glob("extra_*.tsv")):
        for row in load_table(path, ExtraTerm):
            if row.case == "exact":
                lexicon.add_exact(row.term, row.kind)
            else:
                lexicon.add([(tokens(row.term.lower()), row.kind)])
    return lexicon


def compiled_terms(path: Path) -> list[tuple[str, str]]:
    """`(term, kind)` of every row of a compiled list. Raises `RuleError`.

    The lists are long and machine-made: they are split in one go instead of row by row through `rulebook.load_table`.
    """
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    start = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    if lines[start : start + 1] != ["term\tkind"]:
        raise RuleError(f"{path.name}: the columns are not 'term' and 'kind'; run rules/compile_lexicons.py again.")
    rows = [tuple(line.split("\t")) for line in lines[start + 1 :]]
    if not all(len(row) == 2 and row[1] in BIT for row in rows):
        raise RuleError(f"{path.name}: a row is not a term and one of {', '.join(KINDS)}.")
    return rows  # type: ignore[return-value]


def lexicon_matches(doc: Doc) -> list[Match]:
    """The lexicon's matches in a Doc that `medtext_lexicon` has seen: `(first token, token after the last, kind)`.

    Sorted; matches of one kind never overlap. Empty for a Doc that the component has not seen.
    """
    return findings(doc).lexicon


class LexiconMatcher:
    """The spaCy component: matches into `findings(doc).lexicon`, candidates from the precise kinds."""

    def __init__(self, lexicon: Lexicon, precise: Iterable[CandidateKind]) -> None:
        self.lexicon = lexicon
        self.precise = {row.kind: row for row in precise}

    def __call__(self, doc: Doc) -> Doc:
        found = findings(doc)
        found.lexicon = self.lexicon.matches([token.text for token in doc])
        found.candidates.extend(self.candidates(doc, found.lexicon))
        return doc

    def candidates(self, doc: Doc, matches: Iterable[Match]) -> Iterator[Mention]:
        """A mention for each match of a kind that stands alone."""
        for begin, end, kind in matches:
            row = self.precise.get(kind)
            span = doc[begin:end]
            if row and span.end_char - span.start_char >= row.letters:
                yield Mention(span.start_char, span.end_char, kind, row.score, f"lexicon:{kind}")


@Language.factory("medtext_lexicon", default_config={"rules": ""})
def create_lexicon(nlp: Language, name: str, rules: str) -> LexiconMatcher:  # noqa: ARG001
    folder = (Path(rules) if rules else rules_dir()) / "lexicons"
    return LexiconMatcher(load_lexicon(folder), load_table(folder / "candidates.tsv", CandidateKind))
