"""Codes: the table of `tests/cases/codes.tsv`, the parts that it rests on, and whole notes."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pytest

import medtext
from medtext.coding import KINDS, Coder
from medtext.config import Config
from medtext.errors import RuleError, UsageError
from medtext.products import strengths, strengths_of, written
from medtext.rulebook import load_table, rules_dir
from medtext.schema import Concept, Concepts, Record
from medtext.terminology import Equivalent, Stems, Terminology
from tests.cases import FOLDER
from tests.conftest import ROOT

NOTE = "No chest pain. Pain in the right knee. Lisinopril 10 mg daily. Atrial fibrillation (AF); AF is rate controlled."


@dataclass(frozen=True)
class CodeCase:
    """A line of `codes.tsv`."""

    set: str
    category: str
    mention: str
    beside: str = ""
    icd10cm: str = ""
    snomedct: str = ""
    rxnorm: str = ""


CASES = load_table(FOLDER / "codes.tsv", CodeCase)
CATEGORIES = {kind: category for category, kind in KINDS.items()} | {
    "test": "TEST_TREATMENT_PROCEDURE",
    "treatment": "TEST_TREATMENT_PROCEDURE",
}


@pytest.fixture(scope="module")
def coder() -> Coder:
    return Coder.of_rules(rules_dir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.set}: {case.mention} {case.beside}")
def test_the_first_code_is_what_a_coder_gives(coder: Coder, case: CodeCase) -> None:
    beside = tuple(tuple(part.split("=")) for part in case.beside.split("; ") if part)
    found = coder.concepts(CATEGORIES[case.category], case.mention, beside)
    for terminology in ("icd10cm", "snomedct", "rxnorm"):
        if wanted := getattr(case, terminology):
            given = [concept.code for concept in getattr(found, terminology)]
            assert (given or ["-"])[0] == wanted, f"{terminology}: {given}"


def test_concepts_are_five_at_most_and_the_likeliest_come_first(coder: Coder) -> None:
    for mention in ("diabetes", "pneumonia", "anemia", "arthritis"):
        found = coder.concepts("MEDICAL_CONDITION", mention)
        for concepts in (found.icd10cm, found.snomedct):
            scores = [concept.score for concept in concepts]
            assert 0 < len(concepts) <= 5
            assert scores == sorted(scores, reverse=True)
            assert len({concept.code for concept in concepts}) == len(concepts)


def test_two_letters_are_less_sure(coder: Coder) -> None:
    pneumonia, embolism = (coder.concepts("MEDICAL_CONDITION", said).icd10cm[0] for said in ("pneumonia", "PE"))
    assert (pneumonia.score, embolism.score) == (0.9, 0.75)


def test_every_code_given_by_hand_is_one(coder: Coder) -> None:
    from medtext.coding import NONE, Everyday

    rows = load_table(rules_dir() / "concepts" / "everyday.tsv", Everyday)
    billable = set(Terminology.load(rules_dir() / "concepts" / "icd10cm.npz").codes)
    assert not [row.mention for row in rows if row.icd10cm not in ("", NONE) and row.icd10cm not in billable]
    assert all(row.icd10cm for row in rows if row.kind == "condition")


@pytest.mark.parametrize(
    ("text", "stems"),
    [
        ("Fractured hips", ["fractur", "hip"]),
        ("fracture of the hip", ["fractur", "hip"]),
        ("oedema", ["edema"]),
        ("toe pain", ["toe", "pain"]),
        ("Renal failure, unspecified", ["kidney", "failur"]),
        ("type II diabetes", ["2", "diabet"]),
        ("of the", []),
        ("", []),
    ],
)
def test_names_are_compared_by_what_their_words_mean(text: str, stems: list[str]) -> None:
    assert list(Stems.of_rules(rules_dir())(text)) == stems


def test_an_equivalent_may_be_several_words() -> None:
    stems = Stems(["of"], [Equivalent("cancer", "malignant neoplasm|cancer")])
    assert stems("Cancer of colon") == ("malign", "neoplasm", "colon")


@pytest.mark.parametrize(
    ("said", "amounts"),
    [
        (["40 mg"], {40}),
        (["125 mcg"], {0.125}),
        (["0.5 g"], {500}),
        (["1,000 mg"], {1000}),
        (["5/325 mg"], {5, 325}),
        (["50-1000"], {50, 1000}),
        (["20 units"], {20}),
        (["10 mg/kg"], set()),
        (["2 tablets"], set()),
        (["100 mg/mL"], set()),
        (["250 mg/5 mL"], set()),
        (["50 mg/m2"], set()),
        (["100 μg"], {0.1}),
        (["10 mEq"], {10}),
        ([], set()),
    ],
)
def test_strengths_are_read_in_milligrams(said: list[str], amounts: set[float]) -> None:
    assert strengths(said) == amounts


@pytest.mark.parametrize(
    ("said", "amounts"), [("5-10 mg", set()), ("1/2", set()), ("5/325 mg", {5, 325}), ("10 mg", {10})]
)
def test_a_range_of_doses_is_no_strength(said: str, amounts: set[float]) -> None:
    assert strengths([said], dose=True) == amounts


def test_strengths_stand_in_names_of_products() -> None:
    assert strengths_of("levothyroxine sodium 0.125 MG Oral Tablet [Synthroid]") == {0.125}
    assert strengths_of("acetaminophen 325 MG / hydrocodone bitartrate 5 MG Oral Tablet") == {5, 325}
    assert strengths_of("lisinopril 1 MG/ML Oral Solution") == set()
    assert [written(strength) for strength in (0.025, 10.0, 12.5)] == ["0.025", "10", "12.5"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rxnorm.npz", None, "rxnorm.npz cannot be read"),
        ("rxnorm.npz", "version https://git-lfs.github.com/spec/v1", "rxnorm.npz cannot be read"),
        (
            "everyday.tsv",
            "condition\thip fracture\tS72.009A\t\ncondition\tfractured hip\tS72.009A\t\n",
            "the same condition twice",
        ),
        ("everyday.tsv", "condition\tgout\tM1O.9\t\n", "'M1O.9' of 'gout' is no code"),
        ("everyday.tsv", "disease\tgout\tM10.9\t\n", "'disease' is no kind of mention"),
    ],
)
def test_terminologies_that_are_wrong_are_named(tmp_path: Path, name: str, content: str | None, said: str) -> None:
    shutil.copytree(ROOT / "rules" / "concepts", tmp_path / "concepts")
    file = tmp_path / "concepts" / name
    file.unlink()
    if content:
        file.write_text(("kind\tmention\ticd10cm\tname\n" if name.endswith("tsv") else "") + content, encoding="utf-8")
    with pytest.raises(RuleError, match=said):
        Coder.of_rules(tmp_path)


def test_a_note_is_coded(nlp) -> None:
    record = medtext.extract(NOTE, nlp=nlp)
    codes = {
        NOTE[entity.begin : entity.end]: [
            concepts[0].code for concepts in (entity.concepts.icd10cm, entity.concepts.rxnorm) if concepts
        ]
        for entity in record.entities
        if entity.concepts
    }
    assert codes["chest pain"] == ["R07.9"]  # though it is negated
    assert codes["Pain"] == ["M25.561"]
    assert codes["Lisinopril"] == ["314076"]
    assert codes["AF"] == codes["Atrial fibrillation"] == ["I48.91"]


def test_codes_go_to_json_and_back(nlp) -> None:
    record = medtext.extract(NOTE, nlp=nlp)
    rows = record.to_json()["Entities"]
    pain = next(row for row in rows if row["Type"] == "DX_NAME")
    assert pain["ICD10CMConcepts"][0] == {"Code": "R07.9", "Description": "Chest pain, unspecified", "Score": 0.9}
    assert "RxNormConcepts" not in pain
    assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_only_the_codes_that_are_asked_for_are_given(nlp) -> None:
    def lists(concepts: tuple[str, ...]) -> set[str]:
        record = medtext.extract(NOTE, nlp=nlp, config=Config(concepts=concepts))
        return {name for row in record.to_json()["Entities"] for name in row if name.endswith("Concepts")}

    assert lists(("icd10cm", "rxnorm", "snomedct")) == {"ICD10CMConcepts", "RxNormConcepts", "SNOMEDCTConcepts"}
    assert lists(("rxnorm",)) == {"RxNormConcepts"}
    assert lists(()) == set()
    with pytest.raises(UsageError, match="terminology 'loinc'"):
        Config(concepts=("loinc",))


def test_without_codes_the_terminologies_are_not_loaded() -> None:
    from medtext.pipeline import build

    assert "medtext_concepts" not in build(Config(concepts=())).pipe_names
    assert not Config(categories=("PROTECTED_HEALTH_INFORMATION",)).coded
    assert Config(categories=("MEDICATION",)).coded
    assert not replace(Config(categories=("MEDICATION",)), concepts=("icd10cm",)).coded


def test_concepts_are_empty_where_there_are_none() -> None:
    assert Concepts().to_json() == {}
    assert Concepts.from_json({"Type": "DX_NAME"}) is None
    concept = Concept("I10", "Essential (primary) hypertension", 0.95)
    assert Concepts.from_json(Concepts((concept,)).to_json()) == Concepts((concept,))


# ---- compiling ----------------------------------------------------------------------------------------------------

TINY = {
    "icd10cm": (
        "name\tcode\tpreferred_name\ttype\n"
        "Zorb fever\tZ91\tZorb fever\tpreferred_nonbillable\n"
        "Zorb fever with rash\tZ91.1\tZorb fever with rash\tpreferred\n"
        "Zorb fever, unspecified\tZ91.9\tZorb fever, unspecified\tpreferred\n"
        "Quonk\tZ91.9\tZorb fever, unspecified\tinclusion_term\n"
        "Quonk\tS91.9XXA\tBreak of toe, initial encounter\tinclusion_term\n"
        "Quonk\tZ91.1\tZorb fever with rash\tinclusion_term\n"
        "Break of toe, initial encounter\tS91.9XXA\tBreak of toe, initial encounter\tpreferred\n"
        "Break of toe, sequela\tS91.9XXS\tBreak of toe, sequela\tpreferred\n"
    ),
    "mondo_human_disease": "name\tcode\tpreferred_name\ttype\nQuonk\tM1\t\tpreferred\nMarsh zorbosis\tM1\t\tsynonym\n",
    "do_xrefs": "doid\tname\txref_source\txref_code\n",
    "abbreviations": "short_form\tlong_form\tsource\tfrequency\nzf\tzorb fever\tvanderbilt_clinic\t0.9\nmz\tmarsh zorbosis\twikipedia\t\n",
    "rxnorm_combined": "name\tcode\tpreferred_name\ttype\nzolamine\t1\tzolamine\tIN\nguessine\t4\tguessine\tIN?\n",
    "snomed_gps_2020": (
        "name\tcode\tpreferred_name\ttype\nZorb fever\t11\tZorb fever (disorder)\tdisorder\n"
        "Zorbectomy\t12\tZorbectomy (procedure)\tprocedure\nZorb\t13\tZorb structure (body structure)\tbody structure\n"
    ),
}
"""Invented terminologies, in the form of the real ones; the sources that are not here are empty."""


@pytest.fixture(scope="module")
def compiler() -> ModuleType:
    sys.path.insert(0, str(ROOT / "rules"))
    try:
        spec = importlib.util.spec_from_file_location("compile_concepts", ROOT / "rules" / "compile_concepts.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # where dataclasses look their own module up
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(ROOT / "rules"))
    return module


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, compiler: ModuleType) -> tuple[Path, Path]:
    """The tiny terminologies, and what they are compiled to."""
    folder, out = tmp_path_factory.mktemp("terms"), tmp_path_factory.mktemp("concepts")
    for source in (*TINY, *(source for sources in compiler.SYNONYMS.values() for source in sources)):
        text = TINY.get(source, "name\tcode\tpreferred_name\ttype\n")
        (folder / f"{source}.tsv.gz").write_bytes(gzip.compress(text.encode()))
    compiler.main([str(folder), "--out", str(out)])
    return folder, out


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("zorb fever", "Z91.9"),  # the heading, and what leaves things open below it
        ("zorb fever with rash", "Z91.1"),
        ("marsh zorbosis", "S91.9XXA"),  # by its synonym quonk, which is three things: of these the first
        ("zf", "Z91.9"),
        ("mz", None),  # Wikipedia is not asked
        ("break of toe", "S91.9XXA"),
    ],
)
def test_concepts_are_known_by_their_names_and_those_of_others(tiny: tuple[Path, Path], name: str, code: str) -> None:
    index = Terminology.load(tiny[1] / "icd10cm.npz")
    assert index.codes == ["S91.9XXA", "Z91.1", "Z91.9"]
    found = index.search(dict.fromkeys(Stems.of_rules(rules_dir())(name), 1.0), 5)
    assert (index.codes[found[0][0]] if found else None) == code


def test_parts_hold_their_own(tiny: tuple[Path, Path]) -> None:
    parts = ("rxnorm", "snomedct_condition", "snomedct_procedure", "snomedct_anatomy")
    assert [Terminology.load(tiny[1] / f"{part}.npz").codes for part in parts] == [["1"], ["11"], ["12"], ["13"]]


@pytest.mark.parametrize("seed", ["1", "2"])
def test_compiling_gives_the_same_bytes_under_any_hash_seed(tiny: tuple[Path, Path], seed: str, tmp_path: Path) -> None:
    script = ROOT / "rules" / "compile_concepts.py"
    command = [sys.executable, str(script), str(tiny[0]), "--out", str(tmp_path)]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)})
    assert all(path.read_bytes() == (tmp_path / path.name).read_bytes() for path in tiny[1].iterdir())
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in (ROOT / "rules/concepts").glob("*.npz")}
