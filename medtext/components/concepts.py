"""Codes of what was found: `findings(doc).concepts`, for `record.py` to put beside the offsets.

Which code a mention has is in `medtext/coding.py`; here is what of the note it goes by: the mention, in full where the note says
what an abbreviation stands for, and the attributes that hang on it.
"""

from spacy.language import Language
from spacy.tokens import Doc

from medtext.coding import TELLING, Coder
from medtext.findings import Findings, findings, text_of
from medtext.rulebook import rules_dir
from medtext.schema import ATTRIBUTES, CATEGORY_OF, Concepts, Mention

LONGEST = 200
"""Characters of a mention or attribute that count."""


class ConceptFinder:
    """The spaCy component: fills `findings(doc).concepts`."""

    def __init__(self, coder: Coder) -> None:
        self.coder = coder

    def __call__(self, doc: Doc) -> Doc:
        found, text = findings(doc), text_of(doc)
        beside: dict[int, list[tuple[str, str]]] = {}
        for place, link in sorted(found.links.items()):
            mention, owner = found.mentions[place], found.mentions[link.parent]
            if mention.type in TELLING.get(CATEGORY_OF[owner.type], ()):
                beside.setdefault(link.parent, []).append((mention.type, said(text, mention.begin, mention.end)))
        for place, mention in enumerate(found.mentions):
            category = CATEGORY_OF[mention.type]
            hangs = mention.type in ATTRIBUTES or (category == "ANATOMY" and place in found.links)
            if category in TELLING and not hangs:
                concepts = self.coder.concepts(category, in_full(text, found, mention), tuple(beside.get(place, ())))
                if concepts != Concepts():
                    found.concepts[place] = concepts
        return doc


def said(text: str, begin: int, end: int) -> str:
    """The words of a span, as far as they count; in lower case, since the coder keeps what it has seen."""
    return " ".join(text[begin : min(end, begin + LONGEST)].lower().split())


def in_full(text: str, found: Findings, mention: Mention) -> str:
    """What a mention says; where the note says what an abbreviation stands for, that."""
    return said(text, *found.long_forms.get((mention.begin, mention.end), (mention.begin, mention.end)))


@Language.factory("medtext_concepts", default_config={"rules": ""})
def create_concepts(nlp: Language, name: str, rules: str) -> ConceptFinder:  # noqa: ARG001
    return ConceptFinder(Coder.of_rules(rules_dir(rules)))
