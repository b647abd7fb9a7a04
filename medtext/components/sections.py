"""Sections: medspaCy's section rules and matcher over the headings of `rules/sections.tsv`.

medspaCy's sectionizer takes a heading wherever its words occur, or only where a line begins. Notes have headings at the
start of a line, with a colon, a dash or nothing else on that line, and in dictated text in the middle of one, after a full
stop and before a colon; `is_heading` keeps those and lets "past medical history" in a sentence be. The sectionizer would
also mark every token with its section, which took longer than to find them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc

from medtext.components.medspacy_parts import MedspacyMatcher, SectionRule
from medtext.findings import Carried, SectionSpan, findings, offsets, text_of, words
from medtext.rulebook import load_table, rules_dir

MARKERS = frozenset({":", "-", "–", "—", "="})
BULLETS = frozenset({"-", "*", "•", "#", ">", ".", ")", "(", "[", "]", "|", "="})


@dataclass(frozen=True, slots=True)
class Heading:
    """A title and the category of the section it opens."""

    id: str
    category: str
    title: str


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
    """The spaCy component: fills `findings(doc).sections`, from each heading to the next."""

    def __init__(self, nlp: Language, headings: Iterable[Heading]) -> None:
        self._matcher = MedspacyMatcher(nlp)
        self._matcher.add([SectionRule(heading.title, heading.category) for heading in headings])

    def __call__(self, doc: Doc) -> Doc:
        if len(doc):
            headings = [(rule, begin, end) for rule, begin, end in self._matcher(doc) if is_heading(doc, begin, end)]
            stops = [*(begin for _, begin, _ in headings), len(doc)][1:]
            findings(doc).sections = [
                _span(doc, begin, end, stop, self._matcher.rule_map[doc.vocab.strings[rule]].category)
                for (rule, begin, end), stop in zip(headings, stops, strict=True)
            ]
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


def _span(doc: Doc, begin: int, end: int, stop: int, category: str) -> SectionSpan:
    """The section whose title is `doc[begin:end]` and whose text is `doc[end:stop]`."""
    title, starts, tokens = doc[begin:end], offsets(doc), words(doc)
    start = starts[end] if end < len(doc) else len(text_of(doc))
    last = starts[stop - 1] + len(tokens[stop - 1]) if stop > end else start
    return SectionSpan(start, last, category, (title.start_char, title.end_char))


@Language.factory("medtext_sections", default_config={"rules": ""})
def create_sections(nlp: Language, name: str, rules: str) -> SectionFinder:  # noqa: ARG001
    folder = rules_dir(rules)
    return SectionFinder(nlp, load_table(folder / "sections.tsv", Heading))
