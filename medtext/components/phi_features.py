"""What is known of a span that may be protected health information: the clues of `medtext.components.phi_review`."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from medtext.components.clues import words_of
from medtext.components.phi import EXACT
from medtext.decoding import OUTSIDE, TAGS
from medtext.findings import findings, text_of, words
from medtext.schema import CATEGORIES, Mention

TYPES = CATEGORIES["PROTECTED_HEALTH_INFORMATION"]
PLACE_OF = {kind: place for place, kind in enumerate(TYPES)}
COLUMNS = np.array([[TAGS.index(f"{place}-{kind}") for place in "BILU"] for kind in TYPES])
SUSPECT = 0.04
"""The probability of being an identifier from which a word is looked at."""
SURE = 0.7
"""The score from which a name is a name wherever it stands."""
NEAR = 5  # candidates before and after that may overlap
PARTS = (4, 5, 6, 7, 8, 10, 12, 18, 52)
"""What scores and durations are counted in: "7/10", "4/5", "6/52"; seldom a day of the month."""
SHORT_DATE = re.compile(r"(\d{1,2})[/-](\d{1,2})")
FULL_DATE = re.compile(r"\d[/-]\d{1,2}[/-]\d\d")
WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span that may be an identifier of this type, and who says so."""

    begin: int
    end: int
    type: str
    mentions: tuple[Mention, ...]  # of this very span and type

    @property
    def sources(self) -> str:
        """The finders behind it: "ner", "phi" or both."""
        return "+".join(sorted({mention.source.partition(":")[0] for mention in self.mentions}))

    @property
    def exact(self) -> bool:
        """Whether a rule that is exact is behind it."""
        return any(mention.source.startswith(EXACT) for mention in self.mentions)

    @property
    def score(self) -> float:
        return max(mention.score for mention in self.mentions)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What the model says of every word: the probability of each type of TYPES, of any, and of no entity at all."""

    types: NDArray[np.float32]  # words by TYPES
    any: NDArray[np.float32]
    outside: NDArray[np.float32]

    @classmethod
    def of(cls, tags: NDArray[np.float32]) -> "Suspicion":
        types = np.exp(tags[:, COLUMNS]).sum(2)
        return cls(types, types.sum(1), np.exp(tags[:, OUTSIDE]))

    def runs(self) -> Iterator[tuple[int, int, str]]:
        """Words in a row that may be one identifier: `(first, after the last, type)`."""
        best = self.types.argmax(1)
        suspects = np.flatnonzero(self.any >= SUSPECT)
        if not len(suspects):
            return
        breaks = np.flatnonzero((np.diff(suspects) > 1) | (np.diff(best[suspects]) != 0)) + 1
        for run in np.split(suspects, breaks):
            yield int(run[0]), int(run[-1]) + 1, TYPES[best[run[0]]]


class Clues:
    """What is known of a note's candidates. `candidates` are sorted by offset."""

    def __init__(
        self, doc: Doc, suspicion: Suspicion, candidates: Sequence[Candidate], no_names: frozenset[str]
    ) -> None:
        self._text, self._words, self._found = text_of(doc), words(doc), findings(doc)
        self._suspicion, self._candidates, self._no_names = suspicion, candidates, no_names
        self._begins, self._ends = words_of(doc, [(one.begin, one.end) for one in candidates])
        self._kinds: dict[int, set[str]] = {
            place: set() for begin, end in zip(self._begins, self._ends, strict=True) for place in range(begin, end)
        }
        for first, end, kind in self._found.lexicon:
            for place in range(first, end):
                if place in self._kinds:
                    self._kinds[place].add(kind)
        self._full_dates = bool(FULL_DATE.search(self._text))
        self._names = self._sure_names()
        self._suspected = self._suspected_words()

    def of(self, place: int) -> list[str]:
        """The clues to the candidate at `place`, as names; each begins with its type."""
        one = self._candidates[place]
        found = [
            "bias",
            *self._said(one),
            *self._probabilities(place),
            *self._rivals(place),
            *self._listed(place),
            *self._shapes(place),
            *self._around(place),
        ]
        if one.type == "NAME":
            found += self._as_name(place)
        elif one.type == "DATE":
            found += self._as_date(one)
        elif one.type == "AGE":
            found += self._as_age(one)
        return [f"{one.type}|{clue}" for clue in found]

    def _sure_names(self) -> dict[str, int]:
        """The words of names that some finder is sure of, and how often they are."""
        names: dict[str, int] = {}
        for one in self._candidates:
            if one.type == "NAME" and one.score >= SURE:
                for word in WORD.findall(self._text[one.begin : one.end].lower()):
                    if len(word) > 2 and word not in self._no_names:
                        names[word] = names.get(word, 0) + 1
        return names

    def _suspected_words(self) -> dict[str, list[tuple[float, int]]]:
        """The words that the model half suspects to be of names, in lower case: how likely, and where, likeliest first."""
        suspected: dict[str, list[tuple[float, int]]] = {}
        names = self._suspicion.types[:, PLACE_OF["NAME"]]
        for place in np.flatnonzero(names >= SUSPECT).tolist():
            suspected.setdefault(self._words[place].lower(), []).append((float(names[place]), place))
        return {word: sorted(found, reverse=True) for word, found in suspected.items()}

    def _own_words(self, place: int) -> list[str]:
        own = self._words[self._begins[place] : self._ends[place]]
        return [word for word in own if not word.isspace()] or [""]

    def _said(self, one: Candidate) -> Iterator[str]:
        yield from (f"rule={mention.source.rpartition(':')[2]}" for mention in one.mentions)
        yield f"says={one.sources}"
        model = max((mention.score for mention in one.mentions if mention.source == "ner"), default=0.0)
        yield f"ner={_log_odds(model)}"

    def _probabilities(self, place: int) -> Iterator[str]:
        begin, end, column = self._begins[place], self._ends[place], PLACE_OF[self._candidates[place].type]
        own = self._suspicion.types[:, column]
        yield f"least={_log_odds(own[begin:end].min())}"
        yield f"mean={_log_odds(own[begin:end].mean())}"
        yield f"any={_log_odds(self._suspicion.any[begin:end].min())}"
        yield f"outside={_log_odds(self._suspicion.outside[begin:end].max())}"
        if begin:
            yield f"before is={_log_odds(own[begin - 1]) // 2}"
        if end < len(own):
            yield f"after is={_log_odds(own[end]) // 2}"

    def _rivals(self, place: int) -> Iterator[str]:
        """The candidates on the same characters."""
        one = self._candidates[place]
        for near in range(max(0, place - NEAR), min(len(self._candidates), place + NEAR + 1)):
            other = self._candidates[near]
            if near == place or not (one.begin < other.end and other.begin < one.end):
                continue
            how = "cross"
            if other.begin <= one.begin and one.end <= other.end:
                how = "in"
            elif one.begin <= other.begin and other.end <= one.end:
                how = "has"
            yield f"rival {how} {'same' if other.type == one.type else other.type} {other.sources}"

    def _listed(self, place: int) -> Iterator[str]:
        """The lexicons that hold its words."""
        tokens = range(self._begins[place], self._ends[place])
        kinds = [self._kinds[token] for token in tokens if not self._words[token].isspace()]
        listed = sorted(set().union(*kinds))
        for kind in listed:
            yield f"lexicon={kind}:{'all' if all(kind in one for one in kinds) else 'some'}"
        if not listed:
            yield "lexicon=none"

    def _shapes(self, place: int) -> Iterator[str]:
        one, own = self._candidates[place], self._own_words(place)
        yield f"shape={shape(self._text[one.begin : one.end])}"
        yield from (f"first shape={shape(own[0])}", f"last shape={shape(own[-1])}", f"words={min(len(own), 6)}")
        yield from (f"first={own[0].lower()}", f"last={own[-1].lower()}")

    def _around(self, place: int) -> Iterator[str]:
        one, text = self._candidates[place], self._text
        begin, end = self._begins[place], self._ends[place]
        before = [word for word in self._words[max(0, begin - 4) : begin] if not word.isspace()][::-1]
        after = [word for word in self._words[end : end + 3] if not word.isspace()]
        stop = text.find("\n", one.end)
        begins_line = not text[text.rfind("\n", 0, one.begin) + 1 : one.begin].strip()
        yield f"begins line={begins_line}"
        yield f"ends line={not text[one.end : stop if stop >= 0 else None].strip()}"
        yield from (f"before{n}={'^' if begins_line and not n else word.lower()}" for n, word in enumerate(before[:2]))
        yield from (f"after{n}={word.lower()}" for n, word in enumerate(after[:2]))
        yield from (f"before shape={shape(word)}" for word in before[:1])
        yield from (f"after shape={shape(word)}" for word in after[:1])
        yield f"touches={_mark(text[one.begin - 1 : one.begin])}"
        yield f"touched by={_mark(text[one.end : one.end + 1])}"
        yield f"section={self._found.section_of(one.begin)}"

    def _as_name(self, place: int) -> Iterator[str]:
        own = [word.lower() for word in self._own_words(place) if word[:1].isalpha()]
        no = sum(word in self._no_names for word in own)
        yield f"no name={'all' if no == len(own) else 'some' if no else 'none'}"
        itself = self._candidates[place].score >= SURE
        yield f"elsewhere={min(max((self._names.get(word, 0) - itself for word in own), default=0), 2)}"
        here = range(self._begins[place], self._ends[place])
        elsewhere = (
            next((likely for likely, at in self._suspected.get(word, ()) if at not in here), 0.0) for word in set(own)
        )
        likeliest = max(elsewhere, default=0.0)
        yield f"suspected elsewhere={_log_odds(likeliest) if likeliest else None}"

    def _as_date(self, one: Candidate) -> Iterator[str]:
        if short := SHORT_DATE.fullmatch(self._text, one.begin, one.end):
            first, second = int(short[1]), int(short[2])
            yield from (f"of={second if second in PARTS else '?'}", f"same={first == second}", f"more={first > second}")
            yield from (f"month={1 <= first <= 12}", f"day={1 <= second <= 31}", f"full dates={self._full_dates}")

    def _as_age(self, one: Candidate) -> Iterator[str]:
        if (text := self._text[one.begin : one.end]).isdecimal():
            yield f"tens={min(int(text), 120) // 10}"


def _log_odds(probability: float) -> int:
    """Log odds, rounded, from -5 to 5."""
    inside = min(max(float(probability), 0.007), 0.993)
    return round(log(inside / (1 - inside)))


def _mark(char: str) -> str:
    return "blank" if char.isspace() else "word" if char.isalnum() else char


_SHAPES: Iterable[tuple[re.Pattern[str], str]] = (
    (re.compile(r"[A-Z]"), "X"),
    (re.compile(r"[^\W\d_A-Z]"), "x"),
    (re.compile(r"\d"), "d"),
    (re.compile(r"\s+"), "_"),
    (re.compile(r"(.)\1{2,}"), r"\1\1"),
)


def shape(text: str) -> str:
    """The kinds of its characters in order, of a run of one kind two: "O'Brien" is "X'Xxx", "1974" is "dd"."""
    for regex, letter in _SHAPES:
        text = regex.sub(letter, text)
    return text[:16]
