"""Sections: medspaCy's sectionizer over the headings of `rules/sections.tsv`.

medspaCy takes a heading wherever its words occur, or only where a line begins. Notes have headings at the start of a
line, with a colon, a dash or nothing else on that line, and in dictated text in the middle of one, after a full stop
and before a colon; `HeadingSectionizer` keeps those and lets "past medical history" in a sentence be.
"""

from dataclasses import dataclass
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span, Token

from medtext.components.medspacy_parts import Sectionizer, SectionRule
from medtext.findings import Carried, SectionSpan, findings, text_of
from medtext.rulebook import load_table, rules_dir

MARKERS = frozenset({":", "-", "–", "—", "="})
BULLETS = frozenset({"-", "*", "•", "#", ">", ".", ")", "(", "[", "]", "|", "="})


@dataclass(frozen=True, slots=True)
class Heading:
    """A title and the category of the section it opens."""

    id: str
    category: str
    title: str


class HeadingSectionizer(Sectionizer):  # type: ignore[misc]
    """medspaCy's sectionizer with its test for the start of a line replaced by one for headings."""

    def filter_start_lines(self, doc: Doc, matches: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
        return [match for match in matches if is_heading(doc, match[1], match[2])]


def is_heading(doc: Doc, begin: int, end: int) -> bool:
    """Whether the title in `doc[begin:end]` stands where a heading stands."""
    marked = end < len(doc) and doc[end].text in MARKERS
    alone = end == len(doc) or "\n" in doc[end].text
    if _begins_line(doc, begin):
        one_letter = end - begin == 1 and len(doc[begin]) == 1
        return (marked and not (one_letter and doc[end].text != ":")) or (alone and not one_letter)
    return marked and doc[end].text == ":" and _after_sentence(doc, begin) and doc[begin].text[0].isupper()


def _begins_line(doc: Doc, begin: int) -> bool:
    """Whether only a bullet or a number stands between the token and the start of its line."""
    for place in range(begin - 1, max(begin - 5, -1), -1):
        token = doc[place]
        if token.is_space:
            return "\n" in token.text or place == 0
        if not (token.text in BULLETS or token.text.isdigit()):
            return False
    return begin <= 4


def _after_sentence(doc: Doc, begin: int) -> bool:
    while begin > 0 and doc[begin - 1].is_space:
        begin -= 1
    return begin == 0 or doc[begin - 1].text[-1] in ".:;?!)"


class SectionFinder:
    """The spaCy component: fills `findings(doc).sections` with what medspaCy finds."""

    def __init__(self, nlp: Language, headings: tuple[Heading, ...]) -> None:
        _set_extensions()
        self.sectionizer = HeadingSectionizer(nlp, rules=None, require_start_line=True, span_attrs=None)
        self.sectionizer.add([SectionRule(heading.title, heading.category) for heading in headings])

    def __call__(self, doc: Doc) -> Doc:
        if len(doc):
            self.sectionizer(doc)
            findings(doc).sections = [_span(doc, section) for section in doc._.sections if section.category]
            doc._.sections = []
            if carried := findings(doc).carried:
                _carry(doc, carried)
        return doc


def _carry(doc: Doc, carried: Carried) -> None:
    """The section that an earlier window left open goes on to the first heading; the last section goes on to the next."""
    sections = findings(doc).sections
    first = next((section.heading[0] for section in sections if section.heading), len(text_of(doc)))
    if carried.section and first:
        sections.insert(0, SectionSpan(0, first, carried.section))
    carried.section = sections[-1].category if sections else None


def _span(doc: Doc, section: Any) -> SectionSpan:
    begin, end = section.title_start, section.title_end
    body_begin, body_end = section.body_start, section.body_end
    heading: Span = doc[begin:end]
    last = doc[body_end - 1]
    start = doc[body_begin].idx if body_begin < len(doc) else len(text_of(doc))
    stop = last.idx + len(last) if body_end > body_begin else start
    return SectionSpan(start, max(start, stop), section.category, (heading.start_char, heading.end_char))


def _set_extensions() -> None:
    """Where medspaCy leaves its sections. It marks every token as well, which nothing here reads: that goes nowhere."""
    if not Doc.has_extension("sections"):
        Doc.set_extension("sections", default=None)
    if not Token.has_extension("section"):
        Token.set_extension("section", getter=_nothing, setter=_nowhere)


def _nothing(_token: Token) -> None:
    return None


def _nowhere(_token: Token, _section: Any) -> None:
    return None


@Language.factory("medtext_sections", default_config={"rules": ""})
def create_sections(nlp: Language, name: str, rules: str) -> SectionFinder:  # noqa: ARG001
    folder = rules_dir(rules)
    return SectionFinder(nlp, load_table(folder / "sections.tsv", Heading))
