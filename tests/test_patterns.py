"""Patterns by themselves, on lines that a clinician would know; look-alikes stand beside what is meant."""

import pytest
import spacy

from medtext.components.patterns import Pattern, PatternFinder
from medtext.components.tokenizer import NAME
from medtext.findings import first_word
from medtext.rulebook import load_toml, rules_dir
from tests.conftest import ROOT, SAMPLES

NLP = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": NAME}}})
PATTERNS = load_toml(rules_dir() / "patterns.toml", "pattern", Pattern)
FINDER = PatternFinder(PATTERNS)
TEXTS = [
    *(path.read_text(encoding="utf-8") for path in sorted(SAMPLES.glob("*.txt"))),
    *(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests" / "cases").glob("*.txt"))),
]


def found(text: str) -> set[tuple[str, str]]:
    return {(text[one.begin : one.end], one.type) for one in FINDER.find(NLP.make_doc(text))}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zestril 10MG", {("10MG", "DOSAGE")}),
        ("lidocaine 2% gel", {("2%", "STRENGTH")}),
        ("2% lidocaine", {("2%", "STRENGTH")}),
        ("half a tablet", {("half a tablet", "DOSAGE")}),
        ("5 mL p.o. q.6h. p.r.n.", {("5 mL", "DOSAGE"), ("p.o.", "ROUTE_OR_MODE"), ("q.6h. p.r.n.", "FREQUENCY")}),
        ("twice daily at bedtime", {("twice daily at bedtime", "FREQUENCY")}),
        ("for 10 days", {("10 days", "DURATION"), ("for 10 days", "TIME_EXPRESSION")}),
        ("T 98.6 F", {("T", "TEST_NAME"), ("98.6", "TEST_VALUE")}),
        ("HR: 72 bpm", {("HR", "TEST_NAME"), ("72", "TEST_VALUE"), ("bpm", "TEST_UNIT")}),
        ("HbA1c 7.2%", {("HbA1c", "TEST_NAME"), ("7.2", "TEST_VALUE"), ("%", "TEST_UNIT")}),
        ("a 3 x 2 cm mass", {("3 x 2 cm", "QUALITY")}),
        ("grip 4+/5", {("4+/5", "TEST_VALUE")}),
        ("POD #2", {("POD #2", "TIME_EXPRESSION")}),
        (
            "Pulse: [78-104] 88\nResp (!) 24",
            {("Pulse", "TEST_NAME"), ("88", "TEST_VALUE"), ("Resp", "TEST_NAME"), ("24", "TEST_VALUE")},
        ),
        ("Heart rate H 128", {("Heart rate", "TEST_NAME"), ("128", "TEST_VALUE")}),
        (
            "ER+ AR-, HER2+",
            {("ER", "TEST_NAME"), ("AR", "TEST_NAME"), ("HER2", "TEST_NAME"), ("+", "TEST_VALUE"), ("-", "TEST_VALUE")},
        ),
        ("CK20-/GATA3+", {("CK20", "TEST_NAME"), ("GATA3", "TEST_NAME"), ("-", "TEST_VALUE"), ("+", "TEST_VALUE")}),
        ("+McBurney's", {("+", "TEST_VALUE"), ("McBurney's", "TEST_NAME")}),
        ("(-) Homans", {("(-)", "TEST_VALUE"), ("Homans", "TEST_NAME")}),
        ("soft, -Murphy's sign", {("-", "TEST_VALUE"), ("Murphy's sign", "TEST_NAME")}),
        ("TIDAC", {("TIDAC", "FREQUENCY")}),
        ("qTues and qThurs", {("qTues", "FREQUENCY"), ("qThurs", "FREQUENCY")}),
        ("daily SCH", {("daily", "FREQUENCY"), ("daily SCH", "FREQUENCY")}),
        ("4 gtts AS BID", {("4 gtts", "DOSAGE"), ("AS", "ROUTE_OR_MODE"), ("BID", "FREQUENCY")}),
        ("OD on about 20", {("OD", "DX_NAME"), ("OD", "FREQUENCY"), ("OD", "ROUTE_OR_MODE")}),
        ("intentional OD", {("intentional OD", "DX_NAME"), ("OD", "FREQUENCY"), ("OD", "ROUTE_OR_MODE")}),
        ("NS @ 75", {("75", "RATE")}),
        ("insulin gtt @ 6.5", {("6.5", "RATE")}),
        ("tube feeds Nepro @45", {("45", "RATE")}),
        ("denies f/c/n/v", {("f", "DX_NAME"), ("c", "DX_NAME")}),
        ("| Resp: 16 | SpO2", {("Resp", "TEST_NAME"), ("16", "TEST_VALUE")}),
        ("rhythm,R:18,", {("R", "TEST_NAME"), ("18", "TEST_VALUE")}),
        ("GATA3+, CD5-", {("GATA3", "TEST_NAME"), ("+", "TEST_VALUE"), ("CD5", "TEST_NAME"), ("-", "TEST_VALUE")}),
        ("PD-L1 TPS 60%", {("PD-L1 TPS", "TEST_NAME")}),
        ("ductal carcinoma, pT1c N1a(sn) Mx", {("pT1c N1a(sn) Mx", "QUALITY")}),
    ],
)
def test_what_is_found(text: str, expected: set[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "pain and prior surgery",
        "the diploid cells",
        "a bidirectional shunt",
        "Type 2 diabetes",
        "x-ray",
        "60% stenosis",
        "pulse L 2+",
        "resp h 24",
        "HER2+ disease",
        "in the ER- no beds",
        "CD4+ T cells",
        "CK20-negative",
        "- Murphy's sign negative",
        "-Murphy's sign negative",
        "neg Murphy's",
        "SCH of the left eye",
        "these drops as before",
        "NS at 1200",
        "IVF at 38 years",
        "drip at 30 ug/minute",
        "seen in the ER- discharged",
        "HER2+ breast cancer",
        "a small R PTX, CT3",
        "½",
        "",
        pytest.param(
            "vertebra T12-L1", marks=pytest.mark.xfail(strict=True, reason="vital-sign takes T for temperature")
        ),
    ],
)
def test_look_alikes(text: str) -> None:
    assert found(text) == set()


@pytest.mark.parametrize(("word", "first"), [("13.5", "0"), ("p.o.", "p"), ("Daily", "daily"), (".", ""), ("\n", "\n")])
def test_the_first_word_of_a_token(word: str, first: str) -> None:
    assert first_word(word) == first


def test_starts_leave_nothing_out() -> None:
    """Trying an expression at its `starts` finds what searching the whole text for it finds."""
    searched = [
        (match.start(), match.end(), pattern.id)
        for text in TEXTS
        for pattern in PATTERNS
        for match in pattern.compiled().finditer(text)
    ]
    tried = [
        (match.start(), match.end(), pattern.id)
        for text in TEXTS
        for pattern in PATTERNS
        for match in matches(pattern, text)
    ]
    assert len(searched) > 200
    assert tried == searched


def matches(pattern: Pattern, text: str):
    end = 0
    for token in NLP.make_doc(text):
        starts = first_word(token.text) in pattern.starts.split()
        if starts and token.idx >= end and (match := pattern.compiled().match(text, token.idx)):
            end = match.end()
            yield match


def test_a_find_names_its_pattern_and_score() -> None:
    (rate,) = (one for one in FINDER.find(NLP.make_doc("125 mL/hr")) if one.type == "RATE")
    assert (rate.source, rate.score) == ("pattern:rate", 0.81)


@pytest.mark.parametrize(
    ("regex", "score", "complaint"),
    [
        ("(?P<DOSAGE>x", 0.5, "is wrong"),
        ("(?P<DOSE>x)", 0.5, "'DOSE'"),
        ("x", 0.5, "no named group"),
        ("(?P<DOSAGE>x)", 5, "score"),
    ],
)
def test_a_wrong_pattern_is_refused(regex: str, score: float, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Pattern("one", regex, "x", score)
