"""Lexicon matches: terms of `rules/lexicons` in one pass over a note's tokens.

Every kind of term is its own layer: in each layer the longest match that begins first wins, so matches of one kind
never overlap and matches of two kinds may ("chest" in "chest pain" is a site as well). Matching ignores case, a plural
"s", and blanks or line breaks between words. The matches are features of the model (`findings(doc).lexicon`); those of
the kinds that `candidates.tsv` names are precise enough to be candidates as well.
"""

import gzip
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from medtext.components.tokenizer import TOKEN
from medtext.errors import RuleError
from medtext.findings import findings, words
from medtext.rulebook import load_table, load_words, rules_dir
from medtext.schema import CATEGORY_OF, Mention

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
CAPITALISED = BIT["FIRST_NAME"] | BIT["LAST_NAME"] | BIT["RARE_NAME"] | BIT["PLACE"]
"""Kinds that count only where the note writes a capital."""

Match = tuple[int, int, str]
"""First token, token after the last, kind."""


@dataclass(frozen=True, slots=True)
class ExtraTerm:
    """A term written by hand. `case` "exact" counts a single word only as it is spelled here ("IT" but not "it")."""

    id: str
    term: str
    kind: str
    case: str = "any"

    def __post_init__(self) -> None:
        if self.kind not in BIT:
            raise ValueError(f"{self.kind!r} is no kind of term")
        if self.case not in ("any", "exact"):
            raise ValueError(f"{self.case!r} is no case; use 'any' or 'exact'")
        if self.case == "exact" and len(TOKEN.findall(self.term)) != 1:
            raise ValueError(f"{self.term!r} is more than one token, and only single tokens can be 'exact'")


@dataclass(frozen=True, slots=True)
class CandidateKind:
    """A kind whose matches are candidates: `score`, the share of them right on the training notes; fewer than
    `letters` characters are too ambiguous."""

    id: str
    score: float
    letters: int = 1

    def __post_init__(self) -> None:
        if self.id not in CATEGORY_OF:
            raise ValueError(f"{self.id!r} is no entity type")


class Lexicon:
    """Terms by their key (see `key`): `add` fills it, `matches` reads it."""

    def __init__(self) -> None:
        self._kinds: dict[str, int] = {}  # a term's key -> its kinds, as bits
        self._exact: dict[str, int] = {}  # a word -> its kinds, as bits, for words that count in one spelling only
        self._sizes: dict[str, int] = {}  # two first tokens -> the numbers of tokens that such terms have, as bits

    def __len__(self) -> int:
        return len(self._kinds) + len(self._exact)

    def __contains__(self, term: object) -> bool:
        return term in self._kinds

    def add(self, terms: Iterable[tuple[str, str]], unless: Container[str] = ()) -> None:
        """Adds `(key, kind)` pairs, except the keys in `unless`."""
        kinds, sizes = self._kinds, self._sizes
        for term, kind in terms:
            if term in unless:
                continue
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
        found.sort()
        return found

    def _hits(self, words: list[str]) -> Iterator[tuple[int, int, int]]:
        """Every term in the words, the longest first at each word: `(begin, end, kinds as bits)`."""
        reduced = [_reduced(word) for word in words]
        flat = " ".join(reduced)
        begins = [0, *accumulate(len(word) + 1 for word in reduced)]
        kinds, sizes, exact, last = self._kinds, self._sizes, self._exact, len(words) - 1
        for index, word in enumerate(reduced):
            begin = begins[index]
            if index < last and (bits := sizes.get(flat[begin : begins[index + 2] - 1])):
                for end in (index + size for size in _members(bits) if index + size <= last + 1):
                    if bits := kinds.get(flat[begin : begins[end] - 1]):
                        yield index, end, bits if words[index][0].isupper() else bits & ~CAPITALISED
            if bits := kinds.get(word):
                yield index, index + 1, bits if words[index][0].isupper() else bits & ~CAPITALISED
            if words[index] in exact and not _among_capitals(words, index):
                yield index, index + 1, exact[words[index]]


def key(term: str) -> str:
    """A term as the matcher reads it: its tokens in lower case, without plural "s", and a blank between them."""
    return " ".join(_reduced(token) for token in TOKEN.findall(term) if not token.isspace())


@lru_cache(maxsize=50_000)
def _reduced(word: str) -> str:
    """The word in lower case, and in the singular if it is long enough to tell ("masses" -> "mass", "his" -> "his")."""
    word = word.lower()
    if len(word) < 5 or word[-1] != "s" or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "shes", "ches", "xes")) else word[:-1]


@cache
def _members(bits: int) -> tuple[int, ...]:
    """The positions of the bits that are set, the highest first."""
    return tuple(place for place in reversed(range(bits.bit_length())) if bits >> place & 1)


def _among_capitals(words: Sequence[str], index: int) -> bool:
    """Whether both neighbours are words in capitals, so that the spelling of the word between says nothing."""
    around = (words[near] for near in (index - 1, index + 1) if 0 <= near < len(words))
    return all(len(word) > 1 and word.isupper() for word in around)


def load_lexicon(folder: Path) -> Lexicon:
    """The lexicon of a `rules/lexicons` folder. Raises `RuleError`.

    What is written by hand comes first: a term of the `extra_*.tsv` files is of the kinds they give it and of no
    other, and a term of `never.txt` is nothing, whatever the compiled lists say.
    """
    lexicon = Lexicon()
    for path in sorted(folder.glob("extra_*.tsv")):
        for row in load_table(path, ExtraTerm):
            if row.case == "exact":
                lexicon.add_exact(row.term, row.kind)
            else:
                lexicon.add([(key(row.term), row.kind)])
    settled = {key(word) for word in load_words(folder / "never.txt")} | set(lexicon._kinds)
    for path in sorted(folder.glob("*.tsv.gz")):
        lexicon.add(compiled_terms(path), unless=settled)
    return lexicon


def compiled_terms(path: Path) -> list[tuple[str, str]]:
    """`(key, kind)` of every row of a compiled list. Raises `RuleError`.

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
        self.precise = {row.id: row for row in precise}

    def __call__(self, doc: Doc) -> Doc:
        found = findings(doc)
        found.lexicon = self.lexicon.matches(words(doc))
        found.candidates.extend(self.candidates(doc, found.lexicon))
        return doc

    def candidates(self, doc: Doc, matches: Iterable[Match]) -> Iterator[Mention]:
        """A mention for each match of a precise kind."""
        for first, end, kind in matches:
            if row := self.precise.get(kind):
                span = doc[first:end]
                if span.end_char - span.start_char >= row.letters:
                    yield Mention(span.start_char, span.end_char, kind, row.score, f"lexicon:{kind}")


@Language.factory("medtext_lexicon", default_config={"rules": ""})
def create_lexicon(nlp: Language, name: str, rules: str) -> LexiconMatcher:  # noqa: ARG001
    """The component over the lexicons of the rules folder `rules` (empty: the shipped one). Raises `RuleError`."""
    folder = rules_dir(rules) / "lexicons"
    return LexiconMatcher(load_lexicon(folder), load_table(folder / "candidates.tsv", CandidateKind))
