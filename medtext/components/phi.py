"""Protected health information, by Presidio recognizers on the pipeline's own Doc.

Presidio's defaults do not fit clinical text: they run a second spaCy pipeline, take a ten-digit record number for a UK
NHS number and "B12" for a driver's licence, and know no record numbers, faxes or ages. So the registry is built by hand:
Presidio's recognizer of social security numbers, and one for each rule of `rules/phi.toml`.
Each runs only where a cheap test says that it could find something. Presidio's logger gets no say: it may hold text.
"""

import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts
from presidio_analyzer.predefined_recognizers import UsSsnRecognizer
from spacy.language import Language
from spacy.tokens import Doc

from medtext.errors import RuleError
from medtext.findings import findings, places, text_of
from medtext.rulebook import expression, load_toml, load_words, rules_dir
from medtext.schema import PHI_SUBTYPES, Mention

for _name in ("presidio-analyzer", "presidio_analyzer"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
    logging.getLogger(_name).propagate = False
    logging.getLogger(_name).disabled = True

SURE = 0.5
"""Presidio's own score from which its finds count: below, nine digits in a row are a social security number to it."""
EXACT = "phi:exact:"
"""How the source of a rule that is `exact` begins."""
AGAIN = 0.8
"""The score of a name that stands elsewhere in the note with a title or a label."""
CAPITALISED = re.compile(r"[A-Z][\w'’-]*[a-zA-Z]")
ANY_CASE = re.compile(r"\b[a-zA-Z][\w'’-]*[a-zA-Z]")
"""A word of a name: for the rules a capitalised one; for the model, which knows hurried notes, any."""
RUN = re.compile(r"(?<![\w'’-])[a-zA-Z][\w'’-]+")
APOSTROPHE = re.compile("['’]")


@dataclass(frozen=True, slots=True)
class PhiRule:
    """One recognizer of `rules/phi.toml`; see its head."""

    id: str
    type: str
    subtype: str
    regex: str
    score: float
    starts: str = ""
    needs: tuple[str, ...] = ()
    case: str = "exact"
    exact: bool = False
    faint: bool = False

    def __post_init__(self) -> None:
        if self.type not in PHI_SUBTYPES:
            raise ValueError(f"{self.type!r} is no type of protected health information")
        if self.subtype not in PHI_SUBTYPES[self.type]:
            raise ValueError(f"{self.type} has no subtype {self.subtype!r}, but {', '.join(PHI_SUBTYPES[self.type])}")
        groups = self.compiled().groupindex
        if list(groups) != ["value"]:
            raise ValueError(f"{self.id!r} needs one named group, 'value'")
        if bool(self.starts) == bool(self.needs):
            raise ValueError(f"{self.id!r} needs either 'starts' or 'needs'")

    def compiled(self) -> re.Pattern[str]:
        return expression(self.id, self.regex, re.VERBOSE | (re.IGNORECASE if self.case == "any" else 0))


class RuleRecognizer(EntityRecognizer):  # type: ignore[misc]
    """A Presidio recognizer for one rule: what its group `value` matches."""

    def __init__(self, rule: PhiRule) -> None:
        self.rule = rule
        self.regex = rule.compiled()
        self.starts = frozenset(rule.starts.split())
        super().__init__(supported_entities=[rule.type], name=rule.id)

    def load(self) -> None:
        """Nothing to load: Presidio calls this once."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: "NoteArtifacts") -> list[RecognizerResult]:  # noqa: ARG002
        matches = self._matches(text, nlp_artifacts) if self.starts else self.regex.finditer(text)
        return [RecognizerResult(self.rule.type, *match.span("value"), self.rule.score) for match in matches]

    def _matches(self, text: str, artifacts: "NoteArtifacts") -> Iterator[re.Match[str]]:
        """The matches that begin with one of the rule's words, from left to right, without overlaps."""
        free = 0
        held = artifacts.places.keys() & self.starts
        for begin in sorted(place for word in held for place in artifacts.places[word]):
            if begin >= free and (match := self.regex.match(text, begin)):
                free = match.end()
                yield match


class NoteArtifacts(NlpArtifacts):  # type: ignore[misc]
    """Presidio's view of a Doc that is there already."""

    def __init__(self, doc: Doc) -> None:
        super().__init__(
            entities=[], tokens=doc, tokens_indices=[], lemmas=[], nlp_engine=None, language="en", scores=[]
        )
        self.places = places(doc)


@dataclass(frozen=True)
class Recognizer:
    """A Presidio recognizer with the cheap test before it and the names of what it finds."""

    recognizer: EntityRecognizer
    entity: str
    type: str
    subtype: str
    source: str
    needs: tuple[str, ...] = ()

    def may_find(self, lower: str, digits: bool) -> bool:
        """The cheap test: whether anything it needs is in the note."""
        return not self.needs or any(digits if need == "digit" else need in lower for need in self.needs)

    def find(self, text: str, artifacts: NoteArtifacts, sure: float) -> Iterator[Mention]:
        for result in self.recognizer.analyze(text, [self.entity], artifacts) or ():
            if result.start < result.end and result.score >= sure:
                yield Mention(result.start, result.end, self.type, result.score, self.source, self.subtype)


def presidios_own() -> Iterator[Recognizer]:
    """The recognizers of Presidio that clinical notes can use as they are.

    Not among them: those of e-mail and web addresses, which ask the network for the list of domains (tldextract) and
    write it to disk, and those that take record numbers and vertebrae for identifiers of other countries.
    """
    yield Recognizer(UsSsnRecognizer(), "US_SSN", "ID", "SSN", "phi:ssn", ("ssn", "social", "ss#", "ss #"))


def recognizer_of(rule: PhiRule) -> Recognizer:
    """The recognizer of a rule."""
    source = f"{EXACT if rule.exact else 'phi:'}{rule.id}"
    return Recognizer(RuleRecognizer(rule), rule.type, rule.type, rule.subtype, source, rule.needs)


def found_by(recognizers: Iterable[Recognizer], doc: Doc, sure: float = SURE) -> Iterator[Mention]:
    """What the recognizers find in the Doc's text, as far as they are this sure of it, one recognizer after the other."""
    text = text_of(doc)
    lower, digits, artifacts = text.lower(), any(map(str.isdigit, text)), NoteArtifacts(doc)
    for recognizer in recognizers:
        if recognizer.may_find(lower, digits):
            yield from recognizer.find(text, artifacts, sure)


class PhiFinder:
    """The spaCy component: a candidate for all that the recognizers find, and for its names wherever they recur."""

    def __init__(self, rules: Iterable[PhiRule], no_names: frozenset[str]) -> None:
        self.no_names = no_names
        self.recognizers = [
            *presidios_own(),
            *(recognizer_of(rule) for rule in rules if not rule.faint),
        ]

    def __call__(self, doc: Doc) -> Doc:
        findings(doc).candidates.extend(self.find(doc))
        return doc

    def find(self, doc: Doc) -> list[Mention]:
        """The mentions of protected health information in the Doc's text."""
        text = text_of(doc)
        found = [
            mention
            for mention in (_trimmed(one, text) for one in found_by(self.recognizers, doc))
            if mention.type != "NAME" or self._is_name(text[mention.begin : mention.end])
        ]
        carried = findings(doc).carried
        return [*found, *again(text, found, self.no_names, carried.names if carried else None)]

    def _is_name(self, name: str) -> bool:
        """Whether any word of the name could be one."""
        found = CAPITALISED.findall(name)
        return bool(found) and not all(word.lower() in self.no_names for word in found)


def again(
    text: str,
    found: Iterable[Mention],
    no_names: frozenset[str],
    carried: dict[str, str] | None,
    name: re.Pattern[str] = CAPITALISED,
) -> Iterator[Mention]:
    """The words of names wherever else they stand, written alike; in windows, those of names in earlier ones as well.

    `carried` are the words of those, with their subtypes, and takes up the words of these; `name` is what a word must be like.
    """
    known = _names_before(text, carried, name) if carried else {}
    for mention in found:
        if mention.type == "NAME":
            for word in name.findall(text, mention.begin, mention.end):
                if len(word) > 2 and word.lower() not in no_names:
                    known.setdefault(word, mention.subtype)
    if carried is not None:
        carried.update(known)
    begins = _begins(text, known) if known else {}
    for word, subtype in known.items():
        for begin in begins.get(word, ()):
            yield Mention(begin, begin + len(word), "NAME", AGAIN, "phi:name-again", subtype)


def _begins(text: str, known: Collection[str]) -> dict[str, list[int]]:
    """Where each of these words stands as a whole word, or with what an apostrophe adds to it."""
    begins: dict[str, list[int]] = {}
    longest = max(map(len, known))
    for run in RUN.finditer(text):
        word = run[0]
        parts = [word[: end.start()] for end in APOSTROPHE.finditer(word, 1, longest + 1)] if not word.isalpha() else ()
        for part in (word, *parts):
            if part in known:
                begins.setdefault(part, []).append(run.start())
    return begins


def _names_before(text: str, carried: Mapping[str, str], name: re.Pattern[str]) -> dict[str, str]:
    """The words of names in earlier windows that may stand in this one: there may be thousands in all."""
    here = {part for word in name.findall(text) for part in (word, re.split("['’]", word)[0])}
    return {word: subtype for word, subtype in carried.items() if word in here}


def _trimmed(mention: Mention, text: str) -> Mention:
    """The name without a possessive."""
    if mention.type == "NAME" and text[mention.begin : mention.end].endswith(("'s", "’s")):
        return replace(mention, end=mention.end - 2)
    return mention


@Language.factory("medtext_phi", default_config={"rules": ""})
def create_phi(nlp: Language, name: str, rules: str) -> PhiFinder:  # noqa: ARG001
    folder = rules_dir(rules)
    loaded = load_toml(folder / "phi.toml", "recognizer", PhiRule)
    if not loaded:
        raise RuleError("phi.toml holds no [[recognizer]].")
    return PhiFinder(loaded, load_words(folder / "no_names.txt"))
