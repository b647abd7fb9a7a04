"""Cues round mentions: medspaCy's ConText over `rules/context.tsv`, a sentence at a time.

Rules, scopes and verdicts are medspaCy's (ConText: Harkema et al. 2009). What it does to a whole note at once, matching
every rule and setting every cue against every other, is done here only for sentences that hold a cue and a mention,
with the cues found by one pass of a PhraseMatcher: the same verdicts, in a tenth of the time.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc, Span

from medtext.components.medspacy_parts import ConTextGraph, ConTextModifier, ConTextRule
from medtext.findings import words
from medtext.schema import Mention

DIRECTIONS = ("FORWARD", "BACKWARD", "TERMINATE", "PSEUDO")
CATEGORIES = (
    "NEGATED_EXISTENCE",
    "POSSIBLE_EXISTENCE",
    "HISTORICAL",
    "HYPOTHETICAL",
    "FAMILY",
    "FUTURE",
    "PSEUDO_NEGATION",
    "PSEUDO_HISTORY",
)


BRACKETS = {"(": 1, "[": 1, ")": -1, "]": -1}
PSEUDO_REACH = 4
"""Tokens: a cue that only seems to negate is said of what follows it this closely ("no increase in the effusion")."""
MOST_CUES = 100
"""Cues that are set against each other; sentences that people write have a quarter of these at most."""


@dataclass(frozen=True, slots=True)
class ContextCue:
    """One cue; see the head of `rules/context.tsv`."""

    id: str
    category: str
    direction: str
    literal: str

    def __post_init__(self) -> None:
        if self.category not in CATEGORIES:
            raise ValueError(f"{self.category!r} is no category; there are {', '.join(CATEGORIES)}")
        if self.direction not in DIRECTIONS:
            raise ValueError(f"{self.direction!r} is no direction; there are {', '.join(DIRECTIONS)}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """ConText's word on one mention: a category, and the cue that it rests on."""

    category: str
    literal: str
    cue: str
    distance: int  # tokens between the cue and the mention


class Context:
    """ConText for the mentions of a Doc whose sentences are set."""

    def __init__(self, nlp: Language, cues: Iterable[ContextCue]) -> None:
        self._rules: dict[str, list[tuple[ContextCue, ConTextRule]]] = {}
        for cue in cues:
            rule = ConTextRule(cue.literal, cue.category, direction=cue.direction)
            self._rules.setdefault(cue.literal.lower(), []).append((cue, rule))
        self._matcher = PhraseMatcher(nlp.vocab, attr="LOWER")
        for literal in self._rules:
            self._matcher.add(literal, [nlp.make_doc(literal)])
        self._strings = nlp.vocab.strings

    def literals(self, category: str) -> frozenset[str]:
        """The cues of a category, in lower case."""
        return frozenset(
            literal for literal, rules in self._rules.items() if any(cue.category == category for cue, _ in rules)
        )

    def __call__(self, doc: Doc, mentions: Sequence[Mention]) -> list[list[Verdict]]:
        """The verdicts on each mention, in the order of `mentions`."""
        verdicts: list[list[Verdict]] = [[] for _ in mentions]
        cues = self._cues(doc)
        if not cues:
            return verdicts
        spans = [doc.char_span(one.begin, one.end, one.type, alignment_mode="expand") for one in mentions]
        cue_begins, span_begins = [begin for _, begin, _ in cues], [span.start for span in spans]
        for begin, end in _stretches(doc, cue_begins):
            here = cues[bisect_left(cue_begins, begin) : bisect_left(cue_begins, end)]
            first, last = bisect_left(span_begins, begin), bisect_left(span_begins, end)
            if here and last > first:
                self._judge(words(doc), (begin, end), here, spans[first:last], verdicts[first:last])
        return verdicts

    def _cues(self, doc: Doc) -> list[tuple[str, int, int]]:
        """`(literal, first token, token after the last)` of the cues, in order; of two that overlap the longer."""
        matches = sorted(self._matcher(doc), key=lambda match: (match[1] - match[2], match[1]))
        taken = [False] * len(doc)
        kept = []
        for key, begin, end in matches:
            if not any(taken[begin:end]):
                taken[begin:end] = [True] * (end - begin)
                kept.append((self._strings[key], begin, end))
        return sorted(kept, key=lambda cue: cue[1])

    def _judge(
        self,
        said: Sequence[str],
        stretch: tuple[int, int],
        cues: Sequence[tuple[str, int, int]],
        spans: Sequence[Span],
        verdicts: Sequence[list[Verdict]],
    ) -> None:
        """Adds ConText's verdicts on the mentions of one stretch of `_stretches`."""
        modifiers = [
            (cue, ConTextModifier(rule, begin, end, None, *_scope(cue.direction, begin, end, *stretch)))
            for literal, begin, end in cues
            for cue, rule in self._rules[literal]
        ]
        graph = ConTextGraph(targets=list(spans), modifiers=[modifier for _, modifier in modifiers])
        graph.update_scopes()
        reaches = [_reach(said, modifier.modifier_span[1], spans[-1].end) for _, modifier in modifiers]
        for span, found in zip(spans, verdicts, strict=True):
            for (cue, modifier), reach in zip(modifiers, reaches, strict=True):
                begin, end = modifier.modifier_span
                distance = span.start - end if end <= span.start else begin - span.end
                reached = modifier.modifies(span) and span.start < reach
                if reached or (cue.direction == "PSEUDO" and 0 <= span.start - end <= PSEUDO_REACH):
                    found.append(Verdict(cue.category, cue.literal, cue.id, distance))


def _scope(direction: str, begin: int, end: int, first: int, last: int) -> tuple[int, int]:
    """How far a cue at `[begin, end)` reaches at most in the stretch `[first, last)`; medspaCy looks for its sentence."""
    return (end if direction == "FORWARD" else first), (begin if direction == "BACKWARD" else last)


def _reach(words: Sequence[str], begin: int, end: int) -> int:
    """How far what stands before `begin` can be said: to where a bracket closes that was opened before it, or to `end`."""
    depth = 0
    for place in range(begin, end):
        depth += BRACKETS.get(words[place], 0)
        if depth < 0:
            return place
    return end


def _stretches(doc: Doc, cues: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Begin and end of the sentences; where more than MOST_CUES of the `cues` begin in one, of parts that have so many."""
    for sentence in doc.sents:
        begin = sentence.start
        for cut in cues[bisect_left(cues, begin) + MOST_CUES : bisect_left(cues, sentence.end) : MOST_CUES]:
            yield begin, cut
            begin = cut
        yield begin, sentence.end
