"""Which candidates are protected health information: a second look, after the model.

Rules alone take "4/4" for a date, the model alone takes "BAHA" for a name, and each misses what the other sees. So all
that either of them found, what the rules marked `faint` in `rules/phi.toml` allow, the words of sure names wherever they
recur and words that the model half suspects are judged once more, by a logistic regression over what is known of them
(`phi_features`). The weights are learned from notes that the model was not trained on, by
`medtext/training/phi_review.py`, and stand in the model's `phi_review.tsv`. What the look-alikes of `rules/phi.toml` name
is never judged.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from spacy.language import Language
from spacy.tokens import Doc

from medtext.components.ner import learned
from medtext.components.phi import ANY_CASE, PhiRule, again, found_by, recognizer_of
from medtext.components.phi_features import PLACE_OF, SHORT_DATE, SURE, Candidate, Clues, Suspicion
from medtext.components.phi_subtypes import SubtypeRule, Subtypes
from medtext.components.subtype_judge import SubtypeJudge, read_subtypes
from medtext.config import USUAL, find_model
from medtext.findings import findings, offsets, text_of, words
from medtext.forms import Form
from medtext.regression import logistic, read_weights
from medtext.rulebook import load_table, load_toml, load_words, rules_dir
from medtext.schema import CATEGORY_OF, Mention

MASKED = re.compile(rf"\[(?:{'|'.join(PLACE_OF)})(?:-(?:\d{{1,3}}|[a-p]{{16}}))?\]")
"""What `medtext redact` leaves of an identifier, and no more: "[ID-4471932]" in a note is somebody's number."""
_LEAST = {
    "EMAIL": r"@|\bat\b",
    "URL": r"\.|://|\bdot\b",
    "PHONE_OR_FAX": r"\d|zero|one|two|three|four|five|six|seven|eight|nine|oh",
}
NEEDED = {kind: re.compile(_LEAST.get(kind, r"\w"), re.IGNORECASE) for kind in PLACE_OF}
"""What an identifier of a type has at least: "OS-first" is no address, though it stands where one could."""
BEFORE = 60
"""Characters before a candidate that a look-alike is known by."""
Edges = Collection[tuple[str, int]]
"""Of entities their types, and where they begin; or where they end."""
LIKE, UNLIKE = 0.5, 0.01
"""From what likelihood a day of the month makes a date of the same day elsewhere, and of how unlikely a one at least."""


@dataclass(frozen=True, slots=True)
class LookAlike:
    """What looks like an identifier of these types and is none; see the head of `rules/phi.toml`."""

    id: str
    types: tuple[str, ...]
    text: str
    before: str = ""
    after: str = ""
    first: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    case: str = "exact"

    def __post_init__(self) -> None:
        if unknown := [kind for kind in self.types if kind not in PLACE_OF]:
            raise ValueError(f"{unknown[0]!r} is no type of protected health information")
        if unknown := [kind for kind in (*self.first, *self.then) if kind not in CATEGORY_OF]:
            raise ValueError(f"{unknown[0]!r} is no entity type")
        self.form()

    def form(self) -> Form:
        """What the candidate is, what it stands after, and what follows it."""
        flags = re.VERBOSE | (re.IGNORECASE if self.case == "any" else 0)
        return Form.of(self.id, self.text, self.before, self.after, flags, BEFORE)


class LookAlikes:
    """Tells whether a candidate only looks like an identifier."""

    def __init__(self, rules: Iterable[LookAlike]) -> None:
        self._of: dict[str, list[tuple[LookAlike, Form]]] = {}
        for rule in rules:
            for kind in rule.types:
                self._of.setdefault(kind, []).append((rule, rule.form()))

    def has(self, mention: Mention, text: str, begins: Edges, ends: Edges) -> bool:
        """Whether it is one in this text, in which entities of all types begin and end at these places."""
        return any(
            (found := form.match(text, mention))
            and (not rule.first or _any_at(ends, rule.first, found[0], mention.begin))
            and (not rule.then or _any_at(begins, rule.then, mention.end, found[1]))
            for rule, form in self._of.get(mention.type, ())
        )


def _any_at(edges: Edges, types: Iterable[str], first: int, last: int) -> bool:
    """Whether one of these types has an edge at one of these characters."""
    return any((kind, at) in edges for kind in types for at in range(first, last + 1))


class Reviewer:
    """The candidates of a note, with what is known of each."""

    def __init__(self, faint: Iterable[PhiRule], look_alikes: Iterable[LookAlike], no_names: frozenset[str]) -> None:
        self._recognizers = [recognizer_of(rule) for rule in faint]
        self._look_alikes = LookAlikes(look_alikes)
        self._no_names = no_names

    @classmethod
    def of_rules(cls, folder: str = "") -> "Reviewer":
        """From a folder of rules, the shipped one by default."""
        path = rules_dir(folder) / "phi.toml"
        faint = [rule for rule in load_toml(path, "recognizer", PhiRule) if rule.faint]
        return cls(faint, load_toml(path, "look_alike", LookAlike), load_words(path.with_name("no_names.txt")))

    def __call__(self, doc: Doc) -> list[tuple[Candidate, list[str]]]:
        """Every candidate with its clues, sorted by offset."""
        suspicion = Suspicion.of(findings(doc).tags)
        spans: dict[tuple[int, int, str], list[Mention]] = {}
        text = text_of(doc)
        masked = [found.span() for found in MASKED.finditer(text)]
        mask_ends = [end for _, end in masked]
        begins = {(mention.type, mention.begin) for mention in findings(doc).candidates}
        ends = {(mention.type, mention.end) for mention in findings(doc).candidates}
        for mention in self._mentions(doc, suspicion):
            nearest = bisect_right(mask_ends, mention.begin)
            marked = nearest < len(masked) and masked[nearest][0] < mention.end
            needed = NEEDED[mention.type].search(text, mention.begin, mention.end)
            if needed and not marked and not self._look_alikes.has(mention, text, begins, ends):
                spans.setdefault((mention.begin, mention.end, mention.type), []).append(mention)
        candidates = [Candidate(*span, tuple(spans[span])) for span in sorted(spans)]
        clues = Clues(doc, suspicion, candidates, self._no_names)
        return [(candidate, clues.of(place)) for place, candidate in enumerate(candidates)]

    def _mentions(self, doc: Doc, suspicion: Suspicion) -> Iterator[Mention]:
        found = [mention for mention in findings(doc).candidates if mention.type in PLACE_OF]
        yield from found
        sure, carried = [one for one in found if one.score >= SURE], findings(doc).carried
        yield from again(text_of(doc), sure, self._no_names, carried.sure_names if carried else None, ANY_CASE)
        yield from found_by(self._recognizers, doc, sure=0.0)
        yield from _suspects(doc, suspicion)


def _suspects(doc: Doc, suspicion: Suspicion) -> Iterator[Mention]:
    """What the model half suspects."""
    starts, tokens = offsets(doc), words(doc)
    for begin, end, kind in suspicion.runs():
        inside = [place for place in range(begin, end) if tokens[place].isalnum()]
        if inside:
            yield Mention(starts[inside[0]], starts[inside[-1]] + len(tokens[inside[-1]]), kind, 0.0, "ner:suspect")


class PhiReview:
    """The spaCy component: replaces the candidates of PHI by those that stand the second look, with their subtypes."""

    def __init__(self, reviewer: Reviewer, subtypes: Subtypes, weights: Mapping[str, float], threshold: float) -> None:
        self._reviewer, self.subtypes, self._weights, self._threshold = reviewer, subtypes, weights, threshold

    def __call__(self, doc: Doc) -> Doc:
        found = findings(doc)
        if found.tags is not None and found.given is None:
            judged = [(self._likelihood(clues), candidate) for candidate, clues in self._reviewer(doc)]
            others = [mention for mention in found.candidates if mention.type not in PLACE_OF]
            likely = same_days(text_of(doc), judged)
            found.candidates = [*others, *self.subtypes(doc, chosen(likely, self._threshold))]
        return doc

    def _likelihood(self, clues: Iterable[str]) -> float:
        return logistic(sum([self._weights.get(clue, 0.0) for clue in clues]))


def same_days(text: str, judged: Sequence[tuple[float, Candidate]]) -> Iterator[tuple[float, Candidate]]:
    """The candidates, where "1/8" is a date in one place every other "1/8" that may be one half as likely."""
    days = [
        text[one.begin : one.end] if one.type == "DATE" and SHORT_DATE.fullmatch(text, one.begin, one.end) else ""
        for _, one in judged
    ]
    best: dict[str, float] = {}
    for day, (score, _) in zip(days, judged, strict=True):
        if day and score >= LIKE:
            best[day] = max(score, best.get(day, 0.0))
    for day, (score, one) in zip(days, judged, strict=True):
        yield max(score, best.get(day, 0.0) / 2) if score >= UNLIKE else score, one


def chosen(judged: Iterable[tuple[float, Candidate]], threshold: float) -> list[Mention]:
    """The likeliest candidates that do not overlap, sorted by offset; each at least as likely as `threshold`.

    What an exact rule finds is as likely as is usually asked for, and is taken whole: those of its type that cover a part
    are widened.
    """
    kept: list[Mention] = []  # sorted, and apart
    settled = [(max(score, USUAL) if one.exact else score, one) for score, one in judged]
    likely = [one for one in settled if one[0] >= threshold]
    for score, candidate in sorted(likely, key=lambda one: (-one[0], one[1].begin, -one[1].end, one[1].type)):
        best = _mention(score, candidate)
        first = bisect_right(kept, best.begin, key=lambda one: one.end)
        last = bisect_left(kept, best.end, key=lambda one: one.begin)
        rivals = kept[first:last]
        if not rivals:
            kept.insert(first, best)
        elif candidate.exact and {rival.type for rival in rivals} == {best.type}:
            begin, end = min(best.begin, rivals[0].begin), max(best.end, rivals[-1].end)
            kept[first:last] = [replace(rivals[0], begin=begin, end=end)]
    return kept


def _mention(score: float, candidate: Candidate) -> Mention:
    best = max(candidate.mentions, key=lambda mention: (mention.score, mention.source))
    subtype = next((mention.subtype for mention in candidate.mentions if mention.subtype), "")
    return replace(best, score=score, subtype=subtype)


@Language.factory("medtext_phi_review", default_config={"rules": "", "model": "fast", "threshold": USUAL})
def create_phi_review(nlp: Language, name: str, rules: str, model: str, threshold: float) -> PhiReview:  # noqa: ARG001
    weights = read_weights(learned(model, "phi_review.tsv"))
    judge = SubtypeJudge(read_subtypes(find_model("fast") / "phi_subtypes.tsv"))
    subtypes = Subtypes(load_table(rules_dir(rules) / "phi_subtypes.tsv", SubtypeRule), judge)
    return PhiReview(Reviewer.of_rules(rules), subtypes, weights, threshold)
