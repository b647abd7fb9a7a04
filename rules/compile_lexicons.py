"""Compiles open terminologies into the term lists of `rules/lexicons/`.

    python rules/compile_lexicons.py /path/to/terms [--out rules/lexicons]

`/path/to/terms` holds tab-separated, gzipped files whose first line names the columns (`name code preferred_name
type`); which rows of which file become which kind of term is the table `RECIPES` below. A compiled list is a gzipped
table of `term` and `kind`, sorted, without duplicates, with the same bytes on every run; its first lines are comments
that name source, version and licence. Terms are written as medtext's tokens, in lower case, with a blank between them
("beta - blocker"), so that loading them needs no tokenizer.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from medtext.components.lexicon import key

Row = dict[str, str]

CREDITS = {
    "rxnorm_combined": "RxNorm Current Prescribable Content 2025-10 and names of RxNorm 2011: U.S. National Library of"
    " Medicine, public domain; NLM is not responsible for this product and does not endorse it",
    "drug_names_drugbank_only": "DrugBank Open Vocabulary: CC0",
    "mesh_disease": "MeSH (C, F01, F03): courtesy of the U.S. National Library of Medicine",
    "mesh_anatomy_A": "MeSH (A): courtesy of the U.S. National Library of Medicine",
    "mesh_procedures_E": "MeSH (E): courtesy of the U.S. National Library of Medicine",
    "hpo_phenotype": "Human Phenotype Ontology 2025-01 (hpo.jax.org), terms as released: HPO licence",
    "mondo_human_disease": "MONDO 2026-05: CC BY 4.0",
    "do_disease": "Disease Ontology 2026-07: CC0",
    "symp_symptom": "Symptom Ontology 2024-05: CC0",
    "snomed_gps_2020": "SNOMED CT Global Patient Set 2020-09: CC BY 4.0, SNOMED International",
    "icd10cm": "ICD-10-CM April 2026: U.S. government, public domain",
    "icd10pcs_axes": "ICD-10-PCS 2025: U.S. government, public domain",
    "uberon_anatomy": "UBERON 2026-04: CC BY",
    "loinc_lab_vitals": "LOINC (loinc.org): copyright Regenstrief Institute, LOINC licence",
    "ucum_units": "UCUM 2.2: copyright Regenstrief Institute, UCUM licence",
    "fhir_routes_forms_roles": "HL7 terminology (routes, dose forms): Apache-2.0",
    "bls_professions": "U.S. Bureau of Labor Statistics occupations: public domain",
    "us_census_names": "U.S. Census Bureau names 1990 and 2010: public domain",
    "philter_firstnames": "Philter (PyPI philter-lite 0.6.0): BSD-3-Clause",
    "philter_nonnames_safe_words": "Philter (PyPI philter-lite 0.6.0): BSD-3-Clause",
    "us_cities": "U.S. cities and states: public domain",
    "cms_hospitals": "Centers for Medicare & Medicaid Services hospitals: public domain",
}


# ---- how a name becomes a term ------------------------------------------------------------------------------------

NOISE = re.compile(
    r"\s*(?:\[[^\]]*\]|\((?:disorder|finding|procedure|body structure|qualifier value)\)|\(\w+\)$|<[^>]*>)"
    r"|,?\s+(?:nos|nec|unspecified|not otherwise specified|not elsewhere classified)\b|\(r\)|\(tm\)"
)
"""Brackets, "NOS" and the like, which nobody writes in a note."""


def plain(name: str) -> str:
    """The name in lower case without brackets, "NOS" and inversion ("Pain, abdominal" -> "abdominal pain")."""
    name = NOISE.sub("", name.lower()).strip(" ,;.")
    head, comma, rest = name.partition(", ")
    if comma and ", " not in rest and not rest.startswith(("and ", "or ", "with", "due", "in ", "of ")):
        name = f"{rest} {head}"
    return " ".join(name.split())


def turned(term: str) -> Iterator[str]:
    """The term, and "femur fracture" beside "fracture of femur"."""
    yield term
    head, of, tail = term.partition(" of ")
    if of and " of " not in tail and len(term.split()) <= 4:
        yield f"{tail.removeprefix('the ')} {head}"


# ---- which rows -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recipe:
    """Rows of `source` that become terms of `kind`: those that `wanted` accepts, spelled as `spell` says."""

    source: str
    kind: str
    wanted: Callable[[Row], bool] = lambda _row: True
    spell: Callable[[str], str] = plain
    words: int = 5
    letters: int = 4
    turned: bool = True


def typed(*types: str) -> Callable[[Row], bool]:
    return lambda row: row["type"] in types


def coded(start: str) -> Callable[[Row], bool]:
    """Rows of a MeSH tree (A01, E04 …): at least one of the row's tree numbers begins so, and the first one does."""
    return lambda row: row["type"].startswith(start)


def anatomical(name: str) -> str:
    """SNOMED's "Structure of iliac vein (body structure)" as "iliac vein"."""
    name = re.sub(r"^(?:skin )?structure of |^entire |\bstructure\b|\bof (?:left|right)\b", " ", plain(name))
    return " ".join(name.split())


def analyte(name: str) -> str:
    """What a LOINC name measures: "Glucose [Mass/volume] in Serum or Plasma" as "glucose"."""
    name = re.sub(r"\s*(?:\[| in | by | of |/100| --| [(]).*", "", name)
    return plain(name)


def index_term(name: str) -> str:
    """A main term of the ICD-10-PCS index, if it names an act."""
    term = plain(re.sub(r"\s*\(.*?\)", "", name))
    acts = r"(?:ectomy|otomy|ostomy|plasty|pexy|scopy|desis|centesis|rrhaphy|tripsy|lysis|ation|section|graphy|gram|graft)$"
    return term if re.search(acts, term) else ""


def medicinal(name: str) -> str:
    return re.sub(r"^(?:vaccine )?product containing (?:only )?", "", plain(name))


def drug(name: str) -> str:
    return "" if re.search(r"\d{3}|\d-|pollen|allergenic|extract$|\d ?%", name.lower()) else plain(name)


MESH = re.compile(r"[CD]\d{4,}")

RECIPES: dict[str, tuple[Recipe, ...]] = {
    "drugs": (
        Recipe("rxnorm_combined", "GENERIC_NAME", typed("IN", "PIN", "MIN"), drug, turned=False),
        Recipe("rxnorm_combined", "BRAND_NAME", typed("BN"), drug, words=3, turned=False),
        Recipe("drug_names_drugbank_only", "BRAND_NAME", typed("brand"), drug, words=2, turned=False),
        Recipe("rxnorm_combined", "GENERIC_NAME", typed("IN~2011"), drug, turned=False),
        Recipe("rxnorm_combined", "BRAND_NAME", typed("BN~2011"), drug, words=3, turned=False),
        Recipe("drug_names_drugbank_only", "GENERIC_NAME", typed("preferred"), drug, words=3, letters=5, turned=False),
        Recipe(
            "drug_names_drugbank_only",
            "GENERIC_NAME",
            lambda row: row["type"] == "synonym" and row["name"].isalpha() and row["name"].islower(),
            words=1,
            letters=7,
            turned=False,
        ),
        Recipe("snomed_gps_2020", "GENERIC_NAME", typed("medicinal product"), medicinal, words=4, turned=False),
    ),
    "conditions": (
        Recipe("mesh_disease", "DX_NAME", lambda row: bool(MESH.match(row["code"])), words=4, letters=5),
        Recipe("hpo_phenotype", "DX_NAME", lambda row: "broad" not in row["type"], words=4, letters=5),
        Recipe("mondo_human_disease", "DX_NAME", words=4, letters=5),
        Recipe("do_disease", "DX_NAME", letters=5),
        Recipe("symp_symptom", "DX_NAME", letters=5),
        Recipe("snomed_gps_2020", "DX_NAME", typed("disorder", "morphologic abnormality"), letters=5),
        Recipe("icd10cm", "DX_NAME", words=4, letters=5),
    ),
    "anatomy": (
        Recipe("mesh_anatomy_A", "SYSTEM_ORGAN_SITE", words=4, letters=3),
        Recipe("snomed_gps_2020", "SYSTEM_ORGAN_SITE", typed("body structure"), anatomical, words=4, letters=3),
        Recipe("uberon_anatomy", "SYSTEM_ORGAN_SITE", words=3, letters=3),
        Recipe("icd10pcs_axes", "SYSTEM_ORGAN_SITE", lambda row: row["axis"] == "body_part", anatomical, words=4),
    ),
    "tests": (
        Recipe("loinc_lab_vitals", "TEST_NAME", typed("preferred", "display", "flowsheet_name"), analyte, letters=3),
        Recipe("mesh_procedures_E", "TEST_NAME", coded("E01"), letters=3),
    ),
    "procedures": (
        Recipe("mesh_procedures_E", "PROCEDURE_NAME", coded("E04"), letters=5),
        Recipe("snomed_gps_2020", "PROCEDURE_NAME", typed("procedure"), words=4, letters=5),
        Recipe("icd10pcs_axes", "PROCEDURE_NAME", lambda row: row["axis"] == "index", index_term, words=3, letters=6),
    ),
    "treatments": (
        Recipe("mesh_procedures_E", "TREATMENT_NAME", coded("E02"), letters=5),
        Recipe("mesh_procedures_E", "TREATMENT_NAME", coded("E03"), letters=5),
        Recipe("snomed_gps_2020", "TREATMENT_NAME", typed("regime/therapy"), words=4, letters=5),
    ),
    "units": (Recipe("ucum_units", "UNIT", typed("name"), words=3, turned=False),),
    "routes": (
        Recipe("fhir_routes_forms_roles", "ROUTE_OR_MODE", typed("v2-0162", "v3-RouteOfAdministration"), words=3),
    ),
    "forms": (Recipe("fhir_routes_forms_roles", "FORM", typed("v3-orderableDrugForm"), words=3),),
    "professions": (Recipe("bls_professions", "PROFESSION", words=3),),
    "places": (
        Recipe("us_cities", "PLACE", words=3, turned=False),
        Recipe("cms_hospitals", "PLACE", words=5, turned=False),
    ),
}
"""What each list is made of. `words` and `letters` bound a term's length; conditions shorter than five letters are
nearly all acronyms of rare syndromes, so the common short ones are in `extra_conditions.tsv`."""


def rows(path: Path) -> Iterator[Row]:
    """The rows of a terminology file."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        for row in reader:
            row["name"] = row.get("name") or row.get("city") or ""
            row["type"] = row.get("type") or ""
            yield row


def terms(terminologies: Path, recipe: Recipe) -> Iterator[tuple[str, str]]:
    """`(term, kind)` of every row that the recipe wants."""
    for row in rows(terminologies / f"{recipe.source}.tsv.gz"):
        if not recipe.wanted(row):
            continue
        for term in turned(recipe.spell(row["name"])) if recipe.turned else (recipe.spell(row["name"]),):
            if recipe.letters <= len(term) <= 60 and len(term.split()) <= recipe.words and writable(term):
                yield key(term), recipe.kind


FUNCTION_WORDS = (
    "a an and as at by for from has her his in is it its no not of off on or other the their to with without"
)
BARE_START = re.compile(rf"(?:\W|\d|(?:{FUNCTION_WORDS.replace(' ', '|')})\b)")


def writable(term: str) -> bool:
    """Whether someone could write this in a note, and it begins with a word that says something."""
    return not re.search(r"[,;:\[\]()]|/.*/", term) and not BARE_START.match(term) and any(map(str.isalpha, term))


def compiled(terminologies: Path, name: str) -> list[tuple[str, str]]:
    """The sorted terms of one list; a term of two kinds is what the first recipe says."""
    kinds: dict[str, str] = {}
    for recipe in RECIPES[name]:
        for term, kind in terms(terminologies, recipe):
            kinds.setdefault(term, kind)
    return sorted(kinds.items())


COMMON_PERCENT = 0.005
"""A census name borne by at least this share of people (in per cent) counts as common."""


def names(terminologies: Path) -> list[tuple[str, str]]:
    """Common first and last names of the 1990 census; and as rare names the rest of it and Philter's first names,
    less the words that Philter knows as no names ("the" is a last name of the census)."""
    census = [row for row in rows(terminologies / "us_census_names.tsv.gz") if row["type"].endswith("1990")]
    common = {
        (key(row["name"]), "LAST_NAME" if row["type"].startswith("last") else "FIRST_NAME")
        for row in census
        if float(row["freq_pct_1990"]) >= COMMON_PERCENT
    }
    rare = {row["name"].lower() for row in (*census, *rows(terminologies / "philter_firstnames.tsv.gz"))}
    rare -= {row["word"] for row in rows(terminologies / "philter_nonnames_safe_words.tsv.gz")}
    rare -= {name for name, _ in common}
    return sorted(common | {(key(name), "RARE_NAME") for name in rare if name.isalpha() and len(name) > 2})


def write(path: Path, sources: Iterable[str], table: Iterable[tuple[str, str]]) -> None:
    """Writes one list; the same terms give the same bytes."""
    text = io.StringIO()
    for source in dict.fromkeys(sources):
        text.write(f"# {CREDITS[source]}\n")
    text.write("# compiled by rules/compile_lexicons.py; edit the extra_*.tsv files instead\n")
    text.write("term\tkind\n")
    text.writelines(f"{term}\t{kind}\n" for term, kind in table)
    path.write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("terminologies", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "lexicons")
    options = parser.parse_args(arguments)
    for name, recipes in RECIPES.items():
        write(
            options.out / f"{name}.tsv.gz", (recipe.source for recipe in recipes), compiled(options.terminologies, name)
        )
    sources = ("us_census_names", "philter_firstnames", "philter_nonnames_safe_words")
    write(options.out / "names.tsv.gz", sources, names(options.terminologies))


if __name__ == "__main__":
    main()
