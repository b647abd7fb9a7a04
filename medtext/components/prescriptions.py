"""What is prescribed of each medication, as numbers: `findings(doc).sigs`, for `record.py` to put beside it.

How a prescription is read is in `medtext/sig`, its words are in `rules/sig.tsv`.
"""

from dataclasses import replace

from spacy.language import Language
from spacy.tokens import Doc

from medtext.findings import findings, text_of
from medtext.schema import Sig
from medtext.sig import SigReader, drugs, needed_lists, sig_of, sig_reader, without_titles


class PrescriptionFinder:
    """The spaCy component: fills `findings(doc).sigs`."""

    def __init__(self, reader: SigReader) -> None:
        self.reader = reader

    def __call__(self, doc: Doc) -> Doc:
        found, text = findings(doc), text_of(doc)
        lists = tuple(needed_lists(self.reader.words, text, found))
        text = without_titles(text, lists)
        own: dict[int, list[int]] = {}
        for place, link in sorted(found.links.items()):
            own.setdefault(link.parent, []).append(place)
        for names in drugs(text, found):
            sig = sig_of(self.reader, text, found, names, [below for name in names for below in own.get(name, ())])
            if any(one.begin <= found.mentions[names[0]].begin < one.end for one in lists):
                sig = replace(sig or Sig(), as_needed=True)
            if sig and any(trait.name == "NEGATION" for name in names for trait in found.traits.get(name, ())):
                sig = replace(sig, duration_days=None)  # "hold for 24 hours"
            if sig and sig != Sig():
                found.sigs.update(dict.fromkeys(names, sig))
        return doc


@Language.factory("medtext_prescriptions", default_config={"rules": ""})
def create_prescriptions(nlp: Language, name: str, rules: str) -> PrescriptionFinder:  # noqa: ARG001
    return PrescriptionFinder(sig_reader(rules))
