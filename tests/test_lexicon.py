"""The lexicon: what the matcher counts, what the shipped lists hold, and how they are compiled."""

import gzip
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from medtext.components.lexicon import KINDS, ExtraTerm, Lexicon, compiled_terms, key, load_lexicon
from medtext.components.tokenizer import TOKEN
from medtext.errors import RuleError
from medtext.rulebook import load_table, load_words
from tests.conftest import ROOT

LEXICONS = ROOT / "rules" / "lexicons"
COMPILED = sorted(LEXICONS.glob("*.tsv.gz"))
EXTRA = sorted(LEXICONS.glob("extra_*.tsv"))


@pytest.fixture(scope="module")
def shipped() -> Lexicon:
    return load_lexicon(LEXICONS)


def found(lexicon: Lexicon, text: str) -> set[tuple[str, str]]:
    """The matches in a text, as `(words, kind)`."""
    words = TOKEN.findall(text)
    return {("".join(words[first:end]), kind) for first, end, kind in lexicon.matches(words)}


def lexicon_of(*terms: tuple[str, str]) -> Lexicon:
    lexicon = Lexicon()
    lexicon.add((key(term), kind) for term, kind in terms)
    return lexicon


# ---- the matcher --------------------------------------------------------------------------------------------------


def test_the_longest_term_wins_in_its_kind() -> None:
    lexicon = lexicon_of(("chest pain", "DX_NAME"), ("pain", "DX_NAME"))
    assert found(lexicon, "chest pain") == {("chest pain", "DX_NAME")}


def test_kinds_may_overlap() -> None:
    lexicon = lexicon_of(("chest pain", "DX_NAME"), ("chest", "SYSTEM_ORGAN_SITE"))
    assert found(lexicon, "chest pain") == {("chest pain", "DX_NAME"), ("chest", "SYSTEM_ORGAN_SITE")}


def test_matches_are_token_numbers_in_order() -> None:
    lexicon = lexicon_of(("chest pain", "DX_NAME"), ("chest", "SYSTEM_ORGAN_SITE"), ("cough", "DX_NAME"))
    words = ["cough", "\n", "chest", "\n", "pain"]
    assert lexicon.matches(words) == [(0, 1, "DX_NAME"), (2, 3, "SYSTEM_ORGAN_SITE"), (2, 5, "DX_NAME")]


@pytest.mark.parametrize("text", ["beta-blocker", "Beta - Blocker", "BETA-BLOCKERS", "beta-\nblocker"])
def test_case_blanks_and_plural_do_not_matter(text: str) -> None:
    assert found(lexicon_of(("beta-blocker", "GENERIC_NAME")), text) == {(text, "GENERIC_NAME")}


@pytest.mark.parametrize("text", ["beta", "beta blocker", "betablocker", "beta-block"])
def test_half_a_term_is_none(text: str) -> None:
    assert found(lexicon_of(("beta-blocker", "GENERIC_NAME")), text) == set()


@pytest.mark.parametrize("text", ["takes", "", "\n \n"])
def test_a_text_without_terms(text: str) -> None:
    assert lexicon_of(("cough", "DX_NAME")).matches(TOKEN.findall(text)) == []


@pytest.mark.parametrize(
    ("word", "reduced"),
    [("Masses", "mass"), ("allergies", "allergy"), ("lungs", "lung"), ("his", "his"), ("stenosis", "stenosis")],
)
def test_plurals(word: str, reduced: str) -> None:
    assert key(word) == reduced


@pytest.mark.parametrize(("text", "counts"), [("seen by Rose", True), ("a rose bush", False)])
def test_a_name_needs_its_capital(text: str, counts: bool) -> None:
    assert bool(found(lexicon_of(("rose", "FIRST_NAME")), text)) is counts


@pytest.mark.parametrize(
    ("text", "counts"),
    [("given IT today", True), ("gave it today", False), ("GIVEN IT TODAY", False), ("dose: IT", True)],
)
def test_an_exact_word_counts_as_it_is_spelled(text: str, counts: bool) -> None:
    lexicon = Lexicon()
    lexicon.add_exact("IT", "ROUTE_OR_MODE")
    assert found(lexicon, text) == ({("IT", "ROUTE_OR_MODE")} if counts else set())


# ---- the shipped lists --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("on Lasix", ("Lasix", "BRAND_NAME")),
        ("on furosemide", ("furosemide", "GENERIC_NAME")),
        ("on Advil", ("Advil", "BRAND_NAME")),
        ("on amlodipine", ("amlodipine", "GENERIC_NAME")),
        ("on beta blockers", ("beta blockers", "GENERIC_NAME")),
        ("lactated Ringer's at 50", ("lactated Ringer's", "GENERIC_NAME")),
        ("a femur fracture", ("femur fracture", "DX_NAME")),
        ("SOB at rest", ("SOB", "DX_NAME")),
        ("BP low", ("BP", "TEST_NAME")),
        ("after CABG", ("CABG", "PROCEDURE_NAME")),
        ("in physical therapy", ("physical therapy", "TREATMENT_NAME")),
        ("taken p.o. now", ("p.o.", "ROUTE_OR_MODE")),
        ("taken by mouth", ("by mouth", "ROUTE_OR_MODE")),
        ("one tablet", ("tablet", "FORM")),
        ("5 mg", ("mg", "UNIT")),
        ("bid dosing", ("bid", "FREQUENCY")),
        ("the left side", ("left", "DIRECTION")),
        ("smokes daily", ("smokes", "TOBACCO_USE")),
        ("works as a plumber", ("plumber", "PROFESSION")),
        ("lives in Boston", ("Boston", "PLACE")),
    ],
)
def test_shipped_terms(shipped: Lexicon, text: str, match: tuple[str, str]) -> None:
    assert match in found(shipped, text)


@pytest.mark.parametrize(
    ("text", "not_a"),
    [
        ("on Lasix", ("Lasix", "GENERIC_NAME")),
        ("on furosemide", ("furosemide", "BRAND_NAME")),
        ("a creatinine was sent", ("creatinine", "GENERIC_NAME")),  # an ingredient in RxNorm, a test in notes
        ("seen today", ("today", "BRAND_NAME")),  # a contraceptive sponge of that name
        ("the right side", ("right", "DX_NAME")),
        ("lidocaine was given", ("lidocaine", "TEST_NAME")),  # LOINC measures its level
        ("it was given", ("it", "ROUTE_OR_MODE")),  # "IT" is intrathecal
        ("all were seen", ("all", "DX_NAME")),  # "ALL" is a leukaemia
    ],
)
def test_shipped_terms_are_not_of_every_kind(shipped: Lexicon, text: str, not_a: tuple[str, str]) -> None:
    assert not_a not in found(shipped, text)


def test_no_word_of_the_never_list_is_a_term(shipped: Lexicon) -> None:
    never = load_words(LEXICONS / "never.txt")
    assert {"his", "all", "as", "it"} <= never
    assert sorted(word for word in never if key(word) in shipped) == []


def test_the_lists_the_readme_names_are_there() -> None:
    names = {path.name.removesuffix(".tsv.gz") for path in COMPILED}
    assert {"drugs", "conditions", "anatomy", "tests", "procedures", "units", "routes", "forms"} <= names


@pytest.mark.parametrize("path", COMPILED, ids=lambda path: path.name)
def test_a_compiled_list_is_sorted_and_names_its_sources(path: Path) -> None:
    terms = compiled_terms(path)
    assert terms == sorted(set(terms))
    assert all(term == key(term) for term, _ in terms)
    comments = [line for line in gzip.decompress(path.read_bytes()).decode().splitlines() if line.startswith("#")]
    licences = ("public domain", "CC0", "CC BY", "licence", "courtesy", "BSD", "Apache")
    assert len(comments) > 1
    assert all(any(licence in line for licence in licences) for line in comments[:-1])


@pytest.mark.parametrize("path", EXTRA, ids=lambda path: path.name)
def test_a_hand_written_list_says_each_thing_once(path: Path) -> None:
    rows = load_table(path, ExtraTerm)
    said = [(row.term if row.case == "exact" else row.term.lower(), row.kind, row.case) for row in rows]
    assert len(said) == len(set(said)) > 0


def test_the_lists_stay_small_enough_for_git() -> None:
    assert sum(path.stat().st_size for path in LEXICONS.iterdir()) < 6_000_000


# ---- what is wrong is named ---------------------------------------------------------------------------------------


def folder_with(folder: Path, extra: str, never: str = "", compiled: str = "term\tkind\n") -> Path:
    (folder / "extra_mine.tsv").write_text(f"id\tterm\tkind\tcase\n{extra}", encoding="utf-8")
    (folder / "never.txt").write_text(never, encoding="utf-8")
    (folder / "drugs.tsv.gz").write_bytes(gzip.compress(compiled.encode()))
    return folder


def test_what_is_written_by_hand_settles_a_term(tmp_path: Path) -> None:
    compiled = "term\tkind\ncough\tGENERIC_NAME\niron\tGENERIC_NAME\nlasix\tBRAND_NAME\n"
    lexicon = load_lexicon(folder_with(tmp_path, "a\tcoughs\tDX_NAME\n", "iron\n", compiled))
    assert found(lexicon, "cough iron Lasix") == {("cough", "DX_NAME"), ("Lasix", "BRAND_NAME")}


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("a\tcough\tDISEASE\n", "line 2: 'DISEASE' is no kind of term"),
        ("a\tcough\tDX_NAME\tupper\n", "line 2: 'upper' is no case"),
        ("a\tdry cough\tDX_NAME\texact\n", "line 2: 'dry cough' is more than one token"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, extra: str, said: str) -> None:
    with pytest.raises(RuleError, match=said):
        load_lexicon(folder_with(tmp_path, extra))


@pytest.mark.parametrize("compiled", ["", "name\tkind\n", "term\tkind\nlasix\n", "term\tkind\nlasix\tDRUG\n"])
def test_a_broken_compiled_list_is_named(tmp_path: Path, compiled: str) -> None:
    with pytest.raises(RuleError, match=r"drugs\.tsv\.gz"):
        load_lexicon(folder_with(tmp_path, "", compiled=compiled))


# ---- compiling ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compiler() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compile_lexicons", ROOT / "rules" / "compile_lexicons.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look their own module up
    spec.loader.exec_module(module)
    return module


TINY = {
    "rxnorm_combined": (
        "name\tcode\tpreferred_name\ttype\n"
        "Zolamine\t1\tZolamine\tIN\nZolacor\t2\tZolacor\tBN\nzolamine 5 MG Oral Tablet\t3\t\tSCD\nGuessine\t4\t\tIN?\n"
    ),
    "mesh_disease": (
        "name\tcode\tpreferred_name\ttype\n"
        "fever, marsh\tD000001\t\tsynonym\nSize Perception\t8\t\tpreferred\nFractures of the elbow NOS\tD000002\t\tpreferred\n"
        "The fever\tD000003\t\tpreferred\n"
    ),
    "us_census_names": (
        "name\tfreq_pct_1990\ttype\nQuimby\t0.100\tlast_1990\nThe\t0.001\tlast_1990\nZrake\t0.000\tlast_1990\n"
    ),
    "philter_nonnames_safe_words": "word\ttype\nthe\tsafe\n",
}
"""Invented terminologies, in the form of the real ones; the sources that are not here are empty."""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, compiler: ModuleType) -> Path:
    folder = tmp_path_factory.mktemp("terms")
    for source in compiler.CREDITS:
        text = TINY.get(source, "name\tcode\tpreferred_name\ttype\taxis\n")
        (folder / f"{source}.tsv.gz").write_bytes(gzip.compress(text.encode()))
    return folder


def test_compiling_a_tiny_terminology(tiny: Path, compiler: ModuleType, tmp_path: Path) -> None:
    compiler.main([str(tiny), "--out", str(tmp_path)])
    assert compiled_terms(tmp_path / "drugs.tsv.gz") == [("zolacor", "BRAND_NAME"), ("zolamine", "GENERIC_NAME")]
    assert compiled_terms(tmp_path / "conditions.tsv.gz") == [
        ("elbow fracture", "DX_NAME"),
        ("fracture of the elbow", "DX_NAME"),
        ("marsh fever", "DX_NAME"),
    ]
    assert compiled_terms(tmp_path / "names.tsv.gz") == [("quimby", "LAST_NAME"), ("zrake", "RARE_NAME")]


def test_compiling_twice_gives_the_same_bytes(tiny: Path, compiler: ModuleType, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        compiler.main([str(tiny), "--out", str(folder)])
    assert {path.name for path in COMPILED} == {path.name for path in one.iterdir()}
    assert all(path.read_bytes() == (other / path.name).read_bytes() for path in one.iterdir())


@pytest.mark.parametrize(
    ("name", "term"),
    [
        ("Pain, abdominal", "abdominal pain"),
        ("Anemia NOS", "anemia"),
        ("Asthma (disorder)", "asthma"),
        ("Hernia, with obstruction", "hernia, with obstruction"),
    ],
)
def test_names_become_terms(compiler: ModuleType, name: str, term: str) -> None:
    assert compiler.plain(name) == term


def test_every_kind_that_is_compiled_is_known(compiler: ModuleType) -> None:
    assert {recipe.kind for recipes in compiler.RECIPES.values() for recipe in recipes} <= set(KINDS)
