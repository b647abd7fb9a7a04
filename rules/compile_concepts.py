"""Compiles open terminologies into the indexes of `rules/concepts/`.

    python rules/compile_concepts.py /path/to/terms [--out rules/concepts]

`/path/to/terms` holds tab-separated, gzipped files with the columns `name code preferred_name type`. A concept is known by its
own names, by those of headings above it that have no code of their own to bill, and by those that MONDO, HPO, MeSH and
the Disease Ontology have for the same thing: a set of synonyms belongs to a concept where one of them is its name, or
where the Disease Ontology says so. The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from compile_lexicons import plain, rows

from medtext.coding import NONE, Everyday
from medtext.rulebook import load_table
from medtext.terminology import Stems

SYNONYMS = {
    "condition": ("do_disease", "mesh_disease", "hpo_phenotype", "mondo_human_disease", "symp_symptom"),
    "procedure": ("mesh_procedures_E",),
    "anatomy": ("mesh_anatomy_A", "uberon_anatomy"),
}
OWN, HEADING, OTHERS = 1.0, 0.97, 0.95  # how much a name is trusted
SILENT = 0.004  # and by how much less for each word that does not count
SHORTEST = 5  # letters of a synonym: shorter ones are acronyms of rare syndromes
FEW = 3  # a set of synonyms that would belong to more concepts belongs to none


@dataclass
class Builder:
    """Gathers concepts and names."""

    stems: Stems
    codes: dict[str, str] = field(default_factory=dict)  # code -> description
    prior: dict[str, float] = field(default_factory=dict)
    names: dict[tuple[str, ...], dict[str, float]] = field(default_factory=dict)  # stems -> code -> trust

    def name(self, text: str, code: str, trust: float) -> None:
        """Adds a name of a concept; one that says more besides ("disorder due to …") is trusted a little less."""
        key = tuple(sorted(self.stems(text)))
        trust -= SILENT * (len(text.split()) - len(key))
        if key:
            of_key = self.names.setdefault(key, {})
            of_key[code] = max(trust, of_key.get(code, 0.0))

    def meant(self, text: str) -> list[str]:
        """The concepts that have this name."""
        return sorted(self.names.get(tuple(sorted(self.stems(text))), ()))

    def write(self, path: Path) -> None:
        """Writes what `medtext.terminology.Terminology` loads."""
        codes = sorted(self.codes)
        place = {code: number for number, code in enumerate(codes)}
        entries = [
            (key, place[code], trust)
            for key, of_key in sorted(self.names.items())
            for code, trust in sorted(of_key.items())
        ]
        having: dict[str, list[int]] = defaultdict(list)
        for number, (key, _, _) in enumerate(entries):
            for stem in key:
                having[stem].append(number)
        words = sorted(having)
        rarity = np.array([np.log(len(entries) / len(having[word])) + 1 for word in words], np.float32)
        weight = dict(zip(words, rarity, strict=True))
        first = np.cumsum([0, *(len(having[word]) for word in words)]).astype(np.int32)
        np.savez_compressed(
            path,
            codes=lines(codes),
            descriptions=lines(self.codes[code] for code in codes),
            stems=lines(words),
            prior=np.array([self.prior.get(code, 0.0) for code in codes], np.float32),
            rarity=rarity,
            first=first,
            names=np.concatenate([np.array(having[word], np.int32) for word in words]),
            lengths=np.array(
                [sum(float(weight[stem]) ** 2 for stem in key) ** 0.5 for key, _, _ in entries], np.float32
            ),
            concept=np.array([number for _, number, _ in entries], np.int32),
            sizes=np.array([len(key) for key, _, _ in entries], np.int32),
            trust=np.array([trust for _, _, trust in entries], np.float32),
        )
        print(path, len(codes), "concepts", len(entries), "names", len(words), "stems")


def lines(texts: Iterable[str]) -> np.ndarray:
    """Texts as bytes, a line each."""
    return np.frombuffer("\n".join(texts).encode(), np.uint8)


def synonyms(terms: Path, source: str) -> Iterator[tuple[str, list[str]]]:
    """Sets of names of one thing, with its code in that source."""
    sets: dict[str, list[str]] = defaultdict(list)
    for row in rows(terms / f"{source}.tsv.gz"):
        usable = "broad" not in row["type"] and "narrow" not in row["type"]
        known = source != "mesh_disease" or re.match(r"[CD]\d{4,}", row["code"])
        if usable and known and len(name := plain(row["name"])) >= SHORTEST:
            sets[row["code"]].append(name)
    yield from sets.items()


def add_synonyms(builder: Builder, terms: Path, sources: Iterable[str], references: dict[str, list[str]]) -> None:
    """Names that others have for the same; `references` says by their code what is the same where no name does."""
    for source in sources:
        found = []
        for code, names in synonyms(terms, source):
            meant = {one for name in names for one in builder.meant(name)} or set(references.get(code, ()))
            if 0 < len(meant) <= FEW:
                found += [(name, one) for name in names for one in sorted(meant)]
        for name, one in found:
            builder.name(name, one, OTHERS)


EXPANDED = 0.93  # how much an abbreviation is trusted
MOSTLY = 0.5  # share of its uses that an abbreviation stands for something in, at least


def add_abbreviations(builder: Builder, terms: Path) -> None:
    """Abbreviations, by what they stand for in most notes of Vanderbilt's hospital."""
    found = []
    for row in rows(terms / "abbreviations.tsv.gz"):
        if row["source"].startswith("vanderbilt") and float(row["frequency"] or 0) >= MOSTLY:
            found += [(row["short_form"], code) for code in builder.meant(row["long_form"])[:FEW]]
    for short, code in found:
        builder.name(short, code, EXPANDED)


OFTEN = 0.01  # what each everyday name of a concept raises it by
MOST_OFTEN = 0.05


def add_everyday(builder: Builder, everyday: Iterable[Everyday]) -> None:
    """What was coded by hand: its words, and what it is called in full; and how often a concept is meant."""
    for row in everyday:
        if row.icd10cm in builder.codes:
            builder.name(row.mention, row.icd10cm, OWN)
            if row.name not in ("", NONE):
                builder.name(row.name, row.icd10cm, HEADING)
            prior = builder.prior[row.icd10cm]
            builder.prior[row.icd10cm] = max(prior, min(prior + OFTEN, MOST_OFTEN))


# ---- ICD-10-CM ------------------------------------------------------------------------------------------------------

LATER = re.compile(r"[STVWXYM][\w.]{6}[D-HJKMNP-S]$")
"""Codes of later encounters and sequelae: the seventh character; a note that says no more is coded as the first."""


def icd10cm(terms: Path, stems: Stems) -> Builder:
    """Codes that can be billed, by their own names, their inclusion terms and the names of headings above them."""
    builder = Builder(stems)
    table = list(rows(terms / "icd10cm.tsv.gz"))
    for row in table:
        if row["type"] == "preferred" and not LATER.match(row["code"]):
            builder.codes[row["code"]] = row["preferred_name"]
            builder.prior[row["code"]] = prior_of(row["code"], row["preferred_name"])
    usual = UsualCodes(builder.codes)
    for row in table:
        own = row["code"] in builder.codes
        code = row["code"] if own else usual.below(row["code"])
        if code:
            builder.name(re.sub(r",? without .*", "", row["name"]), code, OWN if own else HEADING)
    return builder


RARE = (
    (r"[OP]", 0.1),  # pregnancy and newborns say so
    (r"[VWXY]", 0.15),  # causes of injuries
    (r"Z", 0.08),
    (r"T(?:3[6-9]|[4-6])", 0.08),  # poisoning and adverse effects
    (r"I69|M84|Q|T79", 0.04),  # sequelae, pathological fractures, malformations
    (r"A(?:0[0-8]|[1-9])", 0.02),
)
"""Codes that fewer notes mean than their names say, and how much less they count."""


def prior_of(code: str, description: str) -> float:
    prior = -sum(less for codes, less in RARE if re.match(codes, code))
    said = description.lower()
    if said.startswith("other ") or "other specified" in said:
        prior -= 0.06
    if "unspecified" in said or "without" in said:
        prior += 0.02
    return prior


class UsualCodes:
    """The code that is billed where only a heading is known: the unspecified one below it."""

    def __init__(self, codes: Iterable[str]) -> None:
        self._below: dict[str, list[str]] = defaultdict(list)
        for code in codes:
            for length in range(3, len(code)):
                self._below[code[:length].rstrip(".")].append(code)

    def below(self, heading: str) -> str:
        choices = dict.fromkeys(self._below.get(heading, []))
        return min(
            choices,
            key=lambda code: (_openness(code.replace(".", "")[len(heading.replace(".", "")) :]), code),
            default="",
        )


def _openness(rest: str) -> list[int]:
    """How much the rest of a code leaves open: 9 is "unspecified", and so is 0 more often than not."""
    return [{"9": 0, "0": 1, "X": 1, "A": 0}.get(digit, 2) for digit in rest]


def references(terms: Path, source: str) -> dict[str, list[str]]:
    """What the Disease Ontology says that its codes are in another terminology."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows(terms / "do_xrefs.tsv.gz"):
        if row["xref_source"] == source:
            found[row["doid"]].append(row["xref_code"])
    return found


# ---- SNOMED CT ------------------------------------------------------------------------------------------------------

HIERARCHIES = {  # of each part of SNOMED CT, and how much likelier or less they make a concept
    "condition": {
        "disorder": 0.0,
        "finding": 0.0,
        "morphologic abnormality": -0.05,
        "event": -0.05,
        "situation": -0.05,
    },
    "procedure": {"procedure": 0.0, "regime/therapy": 0.0, "observable entity": 0.0},
    "anatomy": {"body structure": 0.0},
}


def snomedct(terms: Path, stems: Stems, part: str) -> Builder:
    """A part of the Global Patient Set."""
    builder = Builder(stems)
    for row in rows(terms / "snomed_gps_2020.tsv.gz"):
        if row["type"] in HIERARCHIES[part]:
            builder.codes[row["code"]] = row["preferred_name"]
            builder.prior[row["code"]] = HIERARCHIES[part][row["type"]]
            builder.name(row["name"], row["code"], OWN)
    return builder


# ---- RxNorm ---------------------------------------------------------------------------------------------------------

DRUGS = {"IN": 0.0, "PIN": -0.02, "MIN": 0.0, "BN": 0.0, "IN~2011": -0.03, "BN~2011": -0.03, "SCD": 0.0, "SBD": 0.0}


def rxnorm(terms: Path, stems: Stems) -> Builder:
    """Ingredients, brands and products."""
    builder = Builder(stems)
    for row in rows(terms / "rxnorm_combined.tsv.gz"):
        if row["type"] in DRUGS and not (row["type"].startswith("BN") and re.search(r"\d", row["name"])):
            builder.codes[row["code"]] = row["preferred_name"]
            builder.prior[row["code"]] = DRUGS[row["type"]]
            builder.name(row["name"], row["code"], OWN)
    return builder


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("terminologies", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "concepts")
    options = parser.parse_args(arguments)
    terms, rules = options.terminologies, Path(__file__).parent
    stems = Stems.of_rules(rules)
    icd = icd10cm(terms, stems)
    usual = UsualCodes(icd.codes)
    billable = {
        code: list(filter(None, (one if one in icd.codes else usual.below(one) for one in codes)))
        for code, codes in references(terms, "ICD10CM").items()
    }
    add_everyday(icd, load_table(rules / "concepts" / "everyday.tsv", Everyday))
    add_synonyms(icd, terms, SYNONYMS["condition"], billable)
    add_abbreviations(icd, terms)
    icd.write(options.out / "icd10cm.npz")
    for part, sources in SYNONYMS.items():
        snomed = snomedct(terms, stems, part)
        known = {
            code: [one for one in codes if one in snomed.codes]
            for code, codes in references(terms, "SNOMEDCT_US").items()
        }
        add_synonyms(snomed, terms, sources, known)
        add_abbreviations(snomed, terms)
        snomed.write(options.out / f"snomedct_{part}.npz")
    rxnorm(terms, stems).write(options.out / "rxnorm.npz")


if __name__ == "__main__":
    main()
