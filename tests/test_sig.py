"""Prescriptions as numbers: what is read, what is left out, and where in a note it is looked for."""

from pathlib import Path

import pytest

import medtext
from medtext.config import Config
from medtext.errors import RuleError
from medtext.findings import Findings, Link
from medtext.pipeline import build
from medtext.schema import Mention, Sig
from medtext.sig import drugs, sig_of, sig_reader
from medtext.sig.words import SigRule, load_words
from tests.signatures import Signature, agreement, fields_of, signatures

READER = sig_reader()
BOTH_NAMES = (("DRUG", "GENERIC_NAME"), ("BRAND", "BRAND_NAME"))
ENOUGH = 0.95
ENOUGH_IN_NOTES = 0.93  # where the model finds the spans: of 225 it reached 0.98


def read(text: str, *spans: tuple[str, str]) -> dict[str, object]:
    """The fields of a drug's prescription whose attributes are the `spans`, words and type; the drug is `DRUG`."""
    marks = [("DRUG", "GENERIC_NAME"), *spans]
    mentions = sorted(Mention(text.index(word), text.index(word) + len(word), kind) for word, kind in marks)
    return fields(text, mentions)


def fields(text: str, mentions: list[Mention]) -> dict[str, object]:
    drug = next(place for place, mention in enumerate(mentions) if mention.type == "GENERIC_NAME")
    own = [place for place in range(len(mentions)) if place != drug]
    found = Findings(mentions=mentions, links={place: Link(drug, 1.0, "links") for place in own})
    return dict(fields_of(sig_of(READER, text, found, [drug], own), text))


def of_signature(row: Signature) -> dict[str, object]:
    case = row.case()
    return fields(case.text, sorted(Mention(*place) for place in case.traits))


@pytest.mark.parametrize("name", ["tune", "held"])
def test_fields_are_right_where_spans_are_given(name: str) -> None:
    rows = signatures(name)
    scores = [agreement(row.expected(), of_signature(row)) for row in rows]
    wrong = [row.text for row, (right, of) in zip(rows, scores, strict=True) if right < of]
    assert sum(right for right, _ in scores) / sum(of for _, of in scores) >= ENOUGH, wrong


def test_there_are_enough_signatures_of_which_sixty_were_held_out() -> None:
    assert len(signatures()) >= 200
    assert len(signatures("held")) == 60


def test_fields_are_right_where_the_model_finds_the_spans(nlp) -> None:
    scores = []
    for row in signatures():
        text = row.case().text
        record = medtext.extract(text, nlp=nlp)
        sig = next((entity.sig for entity in record.entities if entity.sig), None)
        scores.append(agreement(row.expected(), fields_of(sig, text)))
    assert sum(right for right, _ in scores) / sum(of for _, of in scores) >= ENOUGH_IN_NOTES


def test_a_record_has_the_prescription_of_each_medication(nlp) -> None:
    text = "Lisinopril 10 mg p.o. daily. She denies chest pain. Tylenol 650 mg q6h p.r.n. for headache."
    record = medtext.extract(text, nlp=nlp)
    lisinopril, tylenol = [entity for entity in record.to_json()["Entities"] if entity["Category"] == "MEDICATION"]
    assert lisinopril["Sig"] == {
        "DoseLow": 10,
        "DoseHigh": 10,
        "DoseUnit": "mg",
        "PerDayLow": 1,
        "PerDayHigh": 1,
        "Route": "PO",
    }
    begin, end = tylenol["Sig"]["AsNeededForBeginOffset"], tylenol["Sig"]["AsNeededForEndOffset"]
    assert (tylenol["Sig"]["AsNeeded"], text[begin:end]) == (True, "headache")
    assert all("Sig" not in row for row in record.to_json()["Entities"] if row["Category"] != "MEDICATION")
    assert medtext.Record.from_json(record.to_json()) == record


def test_given_spans_have_prescriptions_too(nlp) -> None:
    text = "Keflex 500 mg PO QID x 7d"
    spans = [
        (0, 6, "BRAND_NAME"),
        (7, 13, "DOSAGE"),
        (14, 16, "ROUTE_OR_MODE"),
        (17, 20, "FREQUENCY"),
        (23, 25, "DURATION"),
    ]
    (entity,) = medtext.extract(text, nlp=nlp, spans=spans).entities
    assert entity.sig == Sig(500, 500, "mg", 4, 4, "PO", duration_days=7)


def test_an_attribute_that_scores_too_little_is_not_read(nlp) -> None:
    config = Config(min_score=1.0)
    assert all(one.sig is None for one in medtext.extract("Lisinopril 10 mg daily", nlp=nlp, config=config).entities)


@pytest.mark.parametrize(
    ("text", "spans", "expected"),
    [
        ("DRUG 40 mg, 80 mg", [("40 mg", "DOSAGE"), ("80 mg", "DOSAGE")], {}),
        ("DRUG 1 mg to 1 g", [("1 mg to 1 g", "DOSAGE")], {}),
        ("DRUG as directed", [], {}),
        ("DRUG 5 mg tablet", [("5 mg", "STRENGTH"), ("tablet", "FORM")], {}),
        ("DRUG 250 mg-125 mg/5 mL", [("250 mg-125 mg/5 mL", "STRENGTH")], {}),
        ("DRUG bid, then daily", [("bid", "FREQUENCY"), ("daily", "FREQUENCY")], {"PerDayLow": 2, "PerDayHigh": 2}),
        ("DRUG bid or qod", [("bid", "FREQUENCY"), ("qod", "FREQUENCY")], {"PerDayLow": 0.5, "PerDayHigh": 2}),
        ("DRUG bid; qod", [("bid", "FREQUENCY"), ("qod", "FREQUENCY")], {}),
        ("DRUG q12 to q24h", [("q12", "FREQUENCY"), ("q24h", "FREQUENCY")], {}),
        ("DRUG q4h to q6h", [("q4h", "FREQUENCY"), ("q6h", "FREQUENCY")], {"PerDayLow": 4, "PerDayHigh": 6}),
        ("DRUG every 5 minutes", [("every 5 minutes", "FREQUENCY")], {}),
        ("DRUG PO/IV", [("PO", "ROUTE_OR_MODE"), ("IV", "ROUTE_OR_MODE")], {}),
        ("DRUG for 5-7 days", [("5-7 days", "DURATION")], {}),
        ("DRUG over 2 hours", [("2 hours", "DURATION")], {}),
        ("DRUG #30, 2 refills", [], {}),
        ("DRUG 0-0-0", [("0-0-0", "FREQUENCY")], {}),
        ("DRUG given 12-10-19 IM", [("12-10-19", "DATE"), ("IM", "ROUTE_OR_MODE")], {"Route": "IM"}),
        ("DRUG 100-62.5-25", [("100-62.5-25", "STRENGTH")], {}),
        ("DRUG 12-10-12 mg", [("12-10-12 mg", "STRENGTH")], {}),
        ("DRUG 12-10-12 units", [("12-10-12 units", "DOSAGE")], {"PerDayLow": 3, "PerDayHigh": 3}),
        ("DRUG 30-0-24", [("30-0-24", "DOSAGE")], {"PerDayLow": 2, "PerDayHigh": 2}),
    ],
)
def test_what_is_not_sure_is_left_out(text, spans, expected) -> None:
    assert read(text, *spans) == expected


@pytest.mark.parametrize(
    ("text", "spans", "expected"),
    [
        (
            "DRUG every 6 (six) hours",
            [("every 6", "FREQUENCY"), ("six) hours", "FREQUENCY")],
            {"PerDayLow": 4, "PerDayHigh": 4},
        ),
        ("DRUG 2 (two) times daily", [], {"PerDayLow": 2, "PerDayHigh": 2}),
        (
            "DRUG t.i.d. for a week",
            [("t.i.d.", "FREQUENCY"), ("a week", "DURATION")],
            {"PerDayLow": 3, "PerDayHigh": 3, "DurationDays": 7},
        ),
        ("DRUG once a week", [("once a week", "FREQUENCY")], {"PerDayLow": 0.1429, "PerDayHigh": 0.1429}),
        ("DRUG q Sunday", [("q Sunday", "FREQUENCY")], {"PerDayLow": 0.1429, "PerDayHigh": 0.1429}),
        (
            "DRUG gtt ii OU",
            [("gtt", "FORM"), ("OU", "ROUTE_OR_MODE")],
            {"DoseLow": 2, "DoseHigh": 2, "DoseUnit": "drop", "Route": "OPH"},
        ),
        ("DRUG tabs, II degree block", [("tabs", "FORM")], {}),
        ("DRUG tablet t.i.d.", [("tablet", "FORM"), ("t.i.d.", "FREQUENCY")], {"PerDayLow": 3, "PerDayHigh": 3}),
        ("DRUG vial IV", [("vial", "FORM"), ("IV", "ROUTE_OR_MODE")], {"Route": "IV"}),
        ("DRUG can I take it", [], {}),
        ("DRUG for a week or two", [], {}),
        ("DRUG every 6 (or 8) hours", [("every 6 (or 8) hours", "FREQUENCY")], {}),
        (
            "DRUG 150+75+400+275 mg daily",
            [("150+75+400+275 mg", "STRENGTH"), ("daily", "FREQUENCY")],
            {"PerDayLow": 1, "PerDayHigh": 1},
        ),
        (
            "DRUG 2.5 mg, 6 weekly",
            [("2.5 mg", "STRENGTH"), ("6", "DOSAGE")],
            {"DoseLow": 6, "DoseHigh": 6, "PerDayLow": 0.1429, "PerDayHigh": 0.1429},
        ),
        (
            "DRUG 150 mg IM 12 weekly",
            [("150 mg", "DOSAGE"), ("IM", "ROUTE_OR_MODE"), ("12", "DOSAGE")],
            {
                "DoseLow": 150,
                "DoseHigh": 150,
                "DoseUnit": "mg",
                "PerDayLow": 0.0119,
                "PerDayHigh": 0.0119,
                "Route": "IM",
            },
        ),
        ("DRUG day 3 to be taken daily", [("day 3", "FREQUENCY")], {"PerDayLow": 1, "PerDayHigh": 1}),
        ("DRUG one to be taken daily", [], {"DoseLow": 1, "DoseHigh": 1, "PerDayLow": 1, "PerDayHigh": 1}),
        ("DRUG 1 inch", [("1 inch", "DOSAGE")], {"DoseLow": 1, "DoseHigh": 1, "DoseUnit": "inch"}),
        (
            "DRUG 0.1 mL ID",
            [("0.1 mL", "DOSAGE"), ("ID", "ROUTE_OR_MODE")],
            {"DoseLow": 0.1, "DoseHigh": 0.1, "DoseUnit": "mL", "Route": "ID"},
        ),
        ("DRUG 1+0+1", [("1", "STRENGTH")], {"DoseLow": 1, "DoseHigh": 1, "PerDayLow": 2, "PerDayHigh": 2}),
        (
            "DRUG 500 mg bis in die",
            [("500 mg", "DOSAGE")],
            {"DoseLow": 500, "DoseHigh": 500, "DoseUnit": "mg", "PerDayLow": 2, "PerDayHigh": 2},
        ),
        ("DRUG BIDx10days", [("BIDx10days", "FREQUENCY")], {"PerDayLow": 2, "PerDayHigh": 2, "DurationDays": 10}),
        ("DRUG 500mgPO", [("500mgPO", "DOSAGE")], {"DoseLow": 500, "DoseHigh": 500, "DoseUnit": "mg", "Route": "PO"}),
        (
            "DRUG 2 mg OS intravitreal",
            [("2 mg", "DOSAGE"), ("OS", "ROUTE_OR_MODE")],
            {"DoseLow": 2, "DoseHigh": 2, "DoseUnit": "mg", "Route": "IVT"},
        ),
        ("DRUG enema x1", [("enema", "FORM")], {"Route": "PR"}),
        ("DRUG Q0600", [("Q0600", "FREQUENCY")], {"PerDayLow": 1, "PerDayHigh": 1}),
        ("DRUG q0800 and q2000", [("q0800", "FREQUENCY")], {"PerDayLow": 2, "PerDayHigh": 2}),
        ("DRUG q8am and qnoon", [("q8am", "FREQUENCY")], {"PerDayLow": 2, "PerDayHigh": 2}),
        ("DRUG q12h", [("q12h", "FREQUENCY")], {"PerDayLow": 2, "PerDayHigh": 2}),
        ("DRUG qMon", [("qMon", "FREQUENCY")], {"PerDayLow": 0.1429, "PerDayHigh": 0.1429}),
        ("DRUG qTues and qThurs", [("qTues", "FREQUENCY")], {"PerDayLow": 0.2857, "PerDayHigh": 0.2857}),
        ("DRUG TIDAC", [("TIDAC", "FREQUENCY")], {"PerDayLow": 3, "PerDayHigh": 3}),
        ("DRUG QIDACHS", [("QIDACHS", "FREQUENCY")], {"PerDayLow": 4, "PerDayHigh": 4}),
        ("DRUG ACBREAKFAST", [("ACBREAKFAST", "FREQUENCY")], {"PerDayLow": 1, "PerDayHigh": 1}),
        ("DRUG 6/12ly", [("6/12ly", "FREQUENCY")], {"PerDayLow": 0.0056, "PerDayHigh": 0.0056}),
    ],
)
def test_how_machines_and_hurried_people_write(text, spans, expected) -> None:
    assert read(text, *spans) == expected


@pytest.mark.parametrize(
    ("text", "spans", "reason"),
    [
        ("DRUG prn for chest pain or dyspnea, max 3", [("prn", "FREQUENCY")], "chest pain or dyspnea"),
        ("DRUG for anxiety as needed", [("as needed", "FREQUENCY")], "anxiety"),
        ("DRUG prn q6h for T > 38.5 x 3 days", [("prn", "FREQUENCY")], "T > 38.5"),
        ("DRUG prn. For discharge tomorrow", [("prn", "FREQUENCY")], None),
        ("DRUG prn for 3 days", [("prn", "FREQUENCY")], None),
        ("DRUG Q6HPRN for pain", [("Q6HPRN", "FREQUENCY")], "pain"),
        ("DRUG prn see below", [("prn", "FREQUENCY")], None),
        ("DRUG prn (pain)", [("prn", "FREQUENCY")], "pain"),
        ("DRUG prn itching, anxiety", [("prn", "FREQUENCY")], "itching, anxiety"),
        ("DRUG prn, edema improved", [("prn", "FREQUENCY")], None),
        ("DRUG prn), anxiety", [("prn", "FREQUENCY")], None),
        ("DRUG prn allergies: penicillin", [("prn", "FREQUENCY")], None),
    ],
)
def test_what_it_is_needed_for(text, spans, reason) -> None:
    assert read(text, *spans).get("AsNeededFor") == reason


D, S, F, R = "DOSAGE", "STRENGTH", "FREQUENCY", "ROUTE_OR_MODE"


@pytest.mark.parametrize(
    ("text", "spans", "dose", "unit"),
    [
        ("DRUG tab 2 daily", [("tab", "FORM"), ("2", D), ("daily", F)], (2, 2), "tablet"),
        ("DRUG tab 40 daily", [("tab", "FORM"), ("40", D), ("daily", F)], (40, 40), None),
        ("DRUG 10 mg tabs 6 daily", [("10 mg", S), ("tabs", "FORM"), ("6", D), ("daily", F)], (6, 6), "tablet"),
        ("DRUG 2-10 mg IV", [("2-10 mg", D), ("IV", R)], (2, 10), "mg"),
        ("DRUG 5-325 q6h", [("5-325", D), ("q6h", F)], None, None),
        ("DRUG 50-1000 mg BID", [("50-1000 mg", D), ("BID", F)], None, None),
        ("DRUG 10-325 mg 1-2 q6h", [("10-325 mg", D), ("1-2", D), ("q6h", F)], (1, 2), None),
        ("DRUG 500 mg 2 bid", [("500 mg", D), ("2", D), ("bid", F)], (2, 2), None),
        ("DRUG 300 mg three at bedtime", [("300 mg", D), ("three at bedtime", F)], (3, 3), None),
        ("DRUG 40 mg (2) BID", [("40 mg", S), ("2", D), ("BID", F)], (2, 2), None),
        ("DRUG 500 mg x 2 BID", [("500 mg", D), ("x 2", D), ("BID", F)], None, None),
        ("DRUG 10 mg T2T QD", [("10 mg", S), ("T2T", D), ("QD", F)], (2, 2), "tablet"),
        ("DRUG tab x 3 days", [("tab", "FORM"), ("3 days", "DURATION")], None, None),
        ("DRUG tabs v. liquid", [("tabs", "FORM")], None, None),
        ("DRUG gtt i to ii", [("gtt i to ii", D)], (1, 2), "drop"),
        ("DRUG five thousand units", [("five thousand units", D)], (5000, 5000), "unit"),
        ("DRUG forty-two units", [("forty-two units", D)], (42, 42), "unit"),
        ("DRUG one hundred and thirty seven mcg", [("one hundred and thirty seven mcg", D)], (137, 137), "mcg"),
        ("DRUG thirty seven point five mg", [("thirty seven point five mg", D)], (37.5, 37.5), "mg"),
        ("DRUG one sixty mg", [("one sixty mg", D)], None, None),
        ("DRUG three quarters of a tablet", [("three quarters of a tablet", D)], (0.75, 0.75), "tablet"),
        ("DRUG 0,125 mg", [("0,125 mg", D)], None, None),
        ("DRUG 1,000 mg", [("1,000 mg", D)], (1000, 1000), "mg"),
        ("DRUG 1 000 mg", [("1 000 mg", D)], None, None),
        ("DRUG by 2 units every 3 days", [("2 units", D), ("every 3 days", F)], None, None),
        ("DRUG 10 units with 1 amp", [("10 units", D), ("1 amp", D)], (10, 10), "unit"),
        ("DRUG 100 unit/mL (3 mL) pen: 38 units", [("100 unit/mL", S), ("3 mL", D), ("38 units", D)], (38, 38), "unit"),
        ("DRUG (10 mL) vial 20 units", [("10 mL", D), ("20 units", D)], (20, 20), "unit"),
        ("DRUG 0.1 % cream (30 g) BID", [("0.1 %", S), ("30 g", S), ("BID", F)], None, None),
        ("DRUG 5 mg/5 mL (60 mL) syrup, 10 mL daily", [("60 mL", D), ("10 mL", D)], (10, 10), "mL"),
        ("DRUG 160 mg (5 mL) q6h", [("160 mg", S), ("5 mL", D), ("q6h", F)], (160, 160), "mg"),
        ("DRUG 2 mg AM/1.5 mg PM", [("2 mg", D), ("AM", F), ("1.5 mg", D), ("PM", F)], None, None),
        ("DRUG 2 tabs AM/ 1 tab PM", [("2 tabs", D), ("AM", F), ("1 tab", D), ("PM", F)], None, None),
        ("DRUG 5 mg AM/5 mg PM", [("5 mg", D), ("AM", F), ("PM", F)], (5, 5), "mg"),
        ("DRUG 400 mg/ 5 mL 7.5 mL BID", [("400 mg/ 5 mL", S), ("7.5 mL", D), ("BID", F)], (7.5, 7.5), "mL"),
        ("DRUG 70/30 40 units BID", [("70/30", S), ("40 units", D), ("BID", F)], (40, 40), "unit"),
        ("DRUG 80mg 2 mane 1 nocte", [("80mg", D), ("2", D), ("mane", F), ("1", D), ("nocte", F)], None, None),
        ("DRUG 10mg 1-2 nocte", [("10mg", D), ("1-2", F), ("nocte", F)], (1, 2), None),
        ("DRUG 5/325 1-2 q6h", [("5/325", S), ("1-2", D), ("q6h", F)], (1, 2), None),
        ("DRUG 500 2 BD", [("500", D), ("2", D), ("BD", F)], (2, 2), None),
        ("DRUG 5 2.5 daily", [("5", D), ("2.5", D), ("daily", F)], None, None),
        ("DRUG 22 units AM / 18 PM", [("22 units", D), ("AM", F), ("18", D), ("PM", F)], None, None),
        ("DRUG 3 mg AM, 2 PM", [("3 mg", D), ("AM", F), ("2", D), ("PM", F)], None, None),
        ("DRUG 20 am 15 pm", [("20", D)], None, None),
        ("DRUG 500 AM 1000 PM", [("500", D), ("AM", F)], None, None),
        ("DRUG 500 AM, 30 tabs", [("500", D), ("AM", F)], (500, 500), None),
        ("DRUG 300 units nightly 7-9pm", [("300 units", D), ("nightly 7-9pm", F)], (300, 300), "unit"),
        ("DRUG 20 units AM 12 PM", [("20 units", D), ("AM", F), ("12 PM", F)], None, None),
        ("DRUG 25 mg (1/2 tab of 50 mg) bid", [("25 mg", S), ("1/2 tab", D), ("50 mg", D), ("bid", F)], (25, 25), "mg"),
        ("DRUG 7.5 mg (half of 15 mg) daily", [("7.5 mg", S), ("15 mg", D), ("daily", F)], (7.5, 7.5), "mg"),
        ("DRUG 500 mg 1 AM 2 PM", [("500 mg", D), ("1 AM 2 PM", F)], None, None),
        ("DRUG 500 mg 8 AM 2 PM", [("500 mg", D), ("8 AM 2 PM", F)], (500, 500), "mg"),
        ("DRUG 650 mg q6h (3 g max daily)", [("650 mg", D), ("q6h", F), ("3 g", D)], (650, 650), "mg"),
        ("DRUG 650 mg = 2 tab, q6h", [("650 mg", S), ("2 tab", D), ("q6h", F)], (650, 650), "mg"),
        ("DRUG 15 mg/kg = 126 mg q6h", [("15 mg/kg", S), ("126 mg", S), ("q6h", F)], (126, 126), "mg"),
        ("DRUG 15 mg/kg = 126 mg", [("15 mg/kg", D), ("126 mg", S)], (126, 126), "mg"),
        ("DRUG 75 mg/kg/day = 1.5 g q24h", [("75 mg/kg/day", D), ("1.5 g", D), ("q24h", F)], None, None),
        ("DRUG 50 mg/kg q24h (420 mg)", [("50 mg/kg", D), ("q24h", F), ("420 mg", D)], (50, 50), "mg/kg"),
        ("DRUG 50 mg q24h (420 mg)", [("50 mg", D), ("q24h", F), ("420 mg", D)], None, None),
        ("DRUG 100 unit/mL (3 mL) pen", [("100 unit/mL", S), ("3 mL", D)], None, None),
        ("DRUG 1% (20 mL) was given", [("1%", S), ("20 mL", D)], (20, 20), "mL"),
        (
            "DRUG syringe 40 mg, 41 mg daily",
            [("syringe", "FORM"), ("40 mg", S), ("41 mg", S), ("daily", F)],
            None,
            None,
        ),
        ("DRUG 100 units at 5 units/hr", [("100 units", D), ("5 units/hr", "RATE")], None, None),
        (
            "DRUG 100 units daily at 5 units/hr",
            [("100 units", D), ("daily", F), ("5 units/hr", "RATE")],
            (100, 100),
            "unit",
        ),
        ("DRUG 80 units bolus, 18 units/hr", [("80 units", D), ("18 units/hr", "RATE")], (80, 80), "unit"),
        ("DRUG 18 units/hr, bolus 80 units", [("18 units/hr", "RATE"), ("80 units", D)], (80, 80), "unit"),
        ("DRUG 18 units 0.18 mL daily", [("18 units", D), ("0.18 mL", D), ("daily", F)], (18, 18), "unit"),
        ("DRUG 200 units 1 tab daily", [("200 units", S), ("1 tab", D), ("daily", F)], (1, 1), "tablet"),
        ("DRUG 4 mg 2 mL daily", [("4 mg", D), ("2 mL", D), ("daily", F)], (2, 2), "mL"),
        ("DRUG 25 mcg/hr 1 patch", [("25 mcg/hr", "RATE"), ("1 patch", D)], (1, 1), "patch"),
        ("DRUG 0.3% 1-2 drops prn, 10 ml", [("1-2 drops", D), ("prn", F), ("10 ml", D)], (1, 2), "drop"),
        ("DRUG 15 ml BD, 500 ml", [("15 ml", D), ("BD", F), ("500 ml", D)], (15, 15), "mL"),
        ("DRUG 15 ml BD, 20 ml", [("15 ml", D), ("BD", F), ("20 ml", D)], None, None),
        ("DRUG 240 ml BD", [("240 ml", D), ("BD", F)], (240, 240), "mL"),
        ("DRUG cream, apply BD, 100 gram", [("cream", "FORM"), ("BD", F), ("100 gram", D)], None, None),
        ("DRUG gel 4 g QID", [("gel", "FORM"), ("4 g", D), ("QID", F)], (4, 4), "g"),
        ("DRUG powder 17 g daily", [("powder", "FORM"), ("17 g", D), ("daily", F)], (17, 17), "g"),
        ("DRUG two sprays bd, 200 dose", [("two sprays", D), ("bd", F), ("200 dose", D)], (2, 2), "spray"),
        ("DRUG 100 mcg inhale 2 doses bd", [("100 mcg", S), ("inhale", R), ("2 doses", D), ("bd", F)], (2, 2), None),
        ("DRUG 100 mcg 2 doses", [("100 mcg", D), ("2 doses", D)], (100, 100), "mcg"),
        ("DRUG 1 unit dose via neb q6h", [("1 unit", D), ("q6h", F)], (1, 1), "unit dose"),
        ("DRUG 20 units qhs, ISS q6h", [("20 units", D), ("qhs", F), ("ISS", D), ("q6h", F)], (20, 20), "unit"),
        ("DRUG 4 units plus sliding scale", [("4 units", D), ("sliding scale", D)], (4, 4), "unit"),
        ("DRUG 4 units per sliding scale", [("4 units", D), ("sliding scale", D)], None, None),
        ("DRUG 40 mg daily, extra 20 mg prn", [("40 mg", D), ("daily", F), ("20 mg", D), ("prn", F)], (40, 40), "mg"),
        ("DRUG 5mg prn (uses about one a week)", [("5mg", D), ("prn", F), ("one", D), ("a week", F)], (5, 5), "mg"),
    ],
)
def test_the_dose_that_is_sure(text, spans, dose, unit) -> None:
    sig = read(text, *spans)
    assert (sig.get("DoseLow"), sig.get("DoseHigh"), sig.get("DoseUnit")) == (*(dose or (None, None)), unit)


@pytest.mark.parametrize(
    ("text", "spans", "expected"),
    [
        ("DRUG 40 mg BID (was 20 mg daily)", [("40 mg", D), ("BID", F), ("20 mg", D), ("daily", F)], (40, 2)),
        ("DRUG 150 mg daily (up from 100)", [("150 mg", D), ("daily", F), ("100", D)], (150, 1)),
        ("DRUG from 10 mg to 20 mg daily", [("10 mg", D), ("20 mg", D), ("daily", F)], (20, 1)),
        ("Change DRUG 50 mg to 100 mg daily", [("50 mg", D), ("100 mg", D), ("daily", F)], (100, 1)),
        ("DRUG 50 mg to 100 mg daily", [("50 mg to 100 mg", D), ("daily", F)], (50, 1)),
        ("DRUG 25 mg BID → 100 mg daily", [("25 mg", D), ("BID", F), ("100 mg", D), ("daily", F)], (100, 1)),
        ("DRUG 30 mg 5 days a week", [("30 mg", D), ("5 days a week", F)], (30, 0.7143)),
        ("DRUG 60 mg twice yearly", [("60 mg", D), ("twice yearly", F)], (60, 0.0055)),
        ("DRUG 10 mg 0 times a day", [("10 mg", D), ("0 times a day", F)], (10, None)),
        ("DRUG 10 mg prn, may repeat q2h", [("10 mg", D), ("prn", F), ("q2h", F)], (10, None)),
        ("Switch from DRUG 25 mg to 50 mg BID", [("25 mg to 50 mg", D), ("BID", F)], (50, 2)),
        ("Change DRUG 2 g q8h to q12h", [("2 g", D), ("q8h", F), ("q12h", F)], (2, 2)),
        ("DRUG 1 mg bd (increase to 2 mg bd)", [("1 mg", D), ("bd", F), ("2 mg", D)], (None, 2)),
        ("DRUG 300 mg qhs, increase to TID", [("300 mg", D), ("qhs", F), ("TID", F)], (300, None)),
        ("DRUG 1 mg bd x 3d, increase to 2 mg", [("1 mg", D), ("bd", F), ("3d", "DURATION"), ("2 mg", D)], (1, 2)),
        ("DRUG 1 mg bd, may increase to 2 mg", [("1 mg", D), ("bd", F), ("2 mg", D)], (1, 2)),
        ("DRUG 40->30->20", [("40", S), ("30", S), ("20", D)], (None, None)),
        ("DRUG 40 mg bd x 5d -> 20 mg od", [("40 mg", D), ("bd", F), ("5d", "DURATION"), ("20 mg", D)], (40, 2)),
        ("DRUG 100 mg D1-5, q21d", [("100 mg", D), ("D1-5", F), ("q21d", F)], (100, None)),
        ("DRUG 100 mg D1, D8, D15 q28d", [("100 mg", D), ("q28d", F)], (100, None)),
        ("DRUG 100 mg BID days 1-14 q21d", [("100 mg", D), ("BID", F), ("q21d", F)], (100, 2)),
        ("DRUG 85 mg D1, q14d", [("85 mg", D), ("q14d", F)], (85, 0.0714)),
        ("DRUG 25 mg the morning of surgery", [("25 mg", D), ("the morning of surgery", F)], (25, None)),
        ("DRUG 25 mg in the morning", [("25 mg", D), ("in the morning", F)], (25, 1)),
        ("DRUG 5 units TID WC & HS", [("5 units", D), ("TID", F)], (5, 4)),
        ("DRUG 40->20 daily", [("40", S), ("20", D), ("daily", F)], (20, 1)),
        ("DRUG 10 mg taper: 40 mg x 5d, 30 mg", [("10 mg", D), ("40 mg", D), ("30 mg", D)], (40, None)),
        ("DRUG 1 tab each morning, two on Sundays", [("1 tab", D), ("each morning", F), ("two", D)], (None, None)),
        ("DRUG 70 mg in the morning on Sundays", [("70 mg", D), ("in the morning", F)], (70, 0.1429)),
    ],
)
def test_what_is_taken_now(text, spans, expected) -> None:
    sig = read(text, *spans)
    assert (sig.get("DoseLow"), sig.get("PerDayLow")) == expected


@pytest.mark.parametrize(
    ("text", "spans", "days"),
    [
        ("DRUG 500 mg tds 5/7", [("500 mg", D), ("tds", F), ("5/7", "DURATION")], 5),
        ("DRUG 500 mg for 2/7", [("500 mg", D), ("2/7", "DURATION")], 2),
        ("DRUG 500 mg TID 5/7", [("500 mg", D), ("TID", F), ("5/7", "DURATION")], 5),
        ("DRUG 500 mg TID 5/7", [("500 mg", D), ("TID", F)], None),
        ("DRUG 30 mg 5/7", [("30 mg", D), ("5/7", "DURATION")], 5),
        ("DRUG 70 mg weekly 2/7", [("70 mg", D), ("weekly", F), ("2/7", "DURATION")], None),
        ("DRUG 70 mg weekly 2/52", [("70 mg", D), ("weekly", F), ("2/52", "DURATION")], 14),
        ("DRUG patch 12 hours on 12 hours off", [("patch", "FORM"), ("12 hours", "DURATION")], None),
        ("DRUG 20 mg 3 days before surgery", [("3 days", "DURATION")], None),
        ("DRUG 20 mg 3 days after surgery", [("3 days", "DURATION")], 3),
    ],
)
def test_for_how_many_days(text, spans, days) -> None:
    assert read(text, *spans).get("DurationDays") == days


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("Max DRUG 4 g/day", [("4 g/day", D)]),
        ("Limit DRUG to 2 g/day.", [("2 g/day", D)]),
        ("Maximum daily dose of DRUG: 4 g daily", [("4 g", D), ("daily", F)]),
        ("Do not exceed 4 g of DRUG a day", [("4 g", D), ("a day", F)]),
        ("No more than 3 g of DRUG daily", [("more than 3 g", D), ("daily", F)]),
        ("Keep DRUG <3 g/day", [("3 g", D), ("/day", F)]),
        ("Overdose of 20 tablets of DRUG 500 mg", [("20 tablets", D), ("500 mg", S)]),
        ("OD on ~30 tabs of DRUG 50 mg", [("OD", F), ("30 tabs", D), ("50 mg", S)]),
        ("She overdosed on her mother's DRUG 50 mg", [("50 mg", S)]),
        ("He ingested about 15 tabs DRUG 1 mg", [("15 tabs", D), ("1 mg", S)]),
        ("Took 40 tabs of DRUG 300 mg in a suicide attempt", [("40 tabs", D), ("300 mg", S)]),
    ],
)
def test_limits_and_overdoses_are_no_prescriptions(text, spans) -> None:
    assert read(text, *spans) == {}


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("She is on max DRUG 5 mg daily", [("5 mg", D), ("daily", F)]),
        ("3 g at most, 4 g max\nDRUG 5 mg daily", [("5 mg", D), ("daily", F)]),
        ("Admitted after an overdose. DRUG 5 mg daily", [("5 mg", D), ("daily", F)]),
        ("History of overdose, on DRUG 5 mg daily", [("5 mg", D), ("daily", F)]),
        ("DRUG 5 mg daily since her suicide attempt", [("5 mg", D), ("daily", F)]),
        ("DRUG 5 mg OD on waking", [("5 mg", D), ("OD", F)]),
    ],
)
def test_what_looks_like_a_limit_or_an_overdose(text, spans) -> None:
    sig = read(text, *spans)
    assert (sig["DoseLow"], sig["PerDayLow"]) == (5, 1)


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("PRN meds:\n- oxycodone 5 mg q4h\n- Zofran 4 mg q8h\n\nPlan: Lasix 40 mg daily", ["oxycodone", "Zofran"]),
        ("Scheduled: lisinopril 10 mg daily PRN: Tylenol 650 mg q6h", ["Tylenol"]),
        (
            "PRN: (2)\nmorphine 2 mg IV q2h\nTylenol 650 mg q4h\nContinuous: (1)\nheparin 5 units/hr",
            ["morphine", "Tylenol"],
        ),
        ("Lisinopril 10 mg daily\nTylenol 650 mg q6h PRN\nLasix 40 mg daily", ["Tylenol"]),
        ("Tylenol 650 mg q6h PRN: pain\nLasix 40 mg daily", ["Tylenol"]),
    ],
)
def test_what_stands_under_a_title_is_taken_as_needed(nlp, text: str, needed: list[str]) -> None:
    drugs = [entity for entity in medtext.extract(text, nlp=nlp).entities if entity.sig]
    assert [text[drug.begin : drug.end] for drug in drugs if drug.sig.as_needed] == needed
    assert len(drugs) > len(needed) or len(drugs) == 2


def test_how_long_a_drug_is_held_is_no_course_of_it(nlp) -> None:
    held, taken = (
        medtext.extract(text, nlp=nlp).entities[0].sig
        for text in ("Hold glipizide 5 mg BID x 24h.", "Keflex 500 mg QID x 10 days.")
    )
    assert held.duration_days is None
    assert taken.duration_days == 10


@pytest.mark.parametrize(
    ("text", "spans", "same"),
    [
        ("DRUG (BRAND) 5 mg", [], True),
        ("DRUG BRAND 5 mg", [], False),
        ("DRUG 5 mg (BRAND held) daily", [("5 mg", 0)], False),
        ("DRUG 5 mg (BRAND XL) daily", [("5 mg", 0)], True),
        ("DRUG 5 mg (brand name BRAND) daily", [("5 mg", 0)], True),
        ("DRUG (BRAND or another) 5 mg", [], True),
        ("DRUG (or BRAND) 5 mg", [], False),
        ("DRUG, BRAND 5 mg", [], False),
        ("DRUG-BRAND 20-12.5 mg daily", [], True),
        ("DRUG - BRAND 20 mg daily", [], False),
        ("DRUG/BRAND 160/12.5 mg daily", [], True),
        ("DRUG/BRAND 75 mg daily", [], False),
        ("DRUG/BRAND 5/7", [], False),
        ("DRUG (BRAND 5 mg daily)", [], False),
        ("DRUG 5 mg\n   Commonly known as:  BRAND\n   Take 1 daily", [("5 mg", 0)], True),
        ("DRUG 5 mg   Brand name: BRAND", [("5 mg", 0)], True),
        ("DRUG 5 mg, commonly used as: BRAND", [("5 mg", 0)], False),
        ("DRUG and 5 mg (BRAND)", [("5 mg", None)], False),
    ],
)
def test_a_name_in_brackets_names_the_same_drug(text, spans, same) -> None:
    names = [Mention(text.index(word), text.index(word) + len(word), kind) for word, kind in BOTH_NAMES]
    others = [Mention(text.index(word), text.index(word) + len(word), "DOSAGE") for word, _ in spans]
    mentions = sorted([*names, *others])
    links = {
        mentions.index(other): Link(0, 1.0, "") for other, (_, parent) in zip(others, spans, strict=True) if parent == 0
    }
    found = [len(drug) for drug in drugs(text, Findings(mentions=mentions, links=links))]
    assert found == ([2] if same else [1, 1])


@pytest.mark.parametrize(
    ("text", "spans", "dose"),
    [
        ("Take two DRUG tablets daily", [("tablets", "FORM"), ("daily", "FREQUENCY")], (2, "tablet")),
        (
            "take one DRUG 500 mg tablet daily",
            [("500 mg", "STRENGTH"), ("tablet", "FORM"), ("daily", "FREQUENCY")],
            (1, "tablet"),
        ),
        ("take one DRUG, a tablet, daily", [("tablet", "FORM"), ("daily", "FREQUENCY")], (None, None)),
        ("Take DRUG tablets daily", [("tablets", "FORM"), ("daily", "FREQUENCY")], (None, None)),
        ("2 DRUG tablets daily", [("tablets", "FORM"), ("daily", "FREQUENCY")], (None, None)),
        ("take two tablets of DRUG daily", [("daily", "FREQUENCY")], (2, "tablet")),
    ],
)
def test_the_amount_before_a_drug(text, spans, dose) -> None:
    sig = read(text, *spans)
    assert (sig.get("DoseLow"), sig.get("DoseUnit")) == dose


def test_an_amount_and_its_unit_in_two_cells() -> None:
    spans = [("5", "DOSAGE"), ("mg", "DOSAGE"), ("oral", "ROUTE_OR_MODE"), ("OD", "FREQUENCY")]
    found = read("| DRUG | 5 | mg | oral | OD |", *spans)
    assert found == {"DoseLow": 5, "DoseHigh": 5, "DoseUnit": "mg", "PerDayLow": 1, "PerDayHigh": 1, "Route": "PO"}


def test_the_course_of_a_drug_is_its_duration() -> None:
    assert read("a ten-day course of DRUG daily", ("daily", "FREQUENCY"))["DurationDays"] == 10
    assert "DurationDays" not in read("ten days after DRUG daily", ("daily", "FREQUENCY"))


def test_the_words_of_another_drug_are_not_read() -> None:
    text = "DRUG 5 mg, OTHER 10 mg prn daily"
    mentions = [
        Mention(0, 4, "GENERIC_NAME"),
        Mention(5, 9, "DOSAGE"),
        Mention(11, 16, "GENERIC_NAME"),
        Mention(17, 22, "DOSAGE"),
        Mention(23, 26, "FREQUENCY"),
        Mention(27, 32, "FREQUENCY"),
    ]
    links = {1: Link(0, 1.0, ""), 3: Link(2, 1.0, ""), 4: Link(2, 1.0, ""), 5: Link(0, 1.0, "")}
    found = Findings(mentions=mentions, links=links)
    assert sig_of(READER, text, found, [0], [1, 5]) == Sig(5, 5, "mg", 1, 1)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("DRUG " + " " * 100_000 + "daily", [("daily", F)]),
        ("DRUG daily" + "1-" * 50_000, [("daily", F)]),
        ("DRUG prn for x" + " " * 100_000 + "daily", [("prn", F), ("daily", F)]),
        ("İ" * 500 + " DRUG daily prn for İtch", [("daily", F)]),
        ("overdose " + " of the" * 10_000 + " " * 1_000 + ", DRUG daily", [("daily", F)]),
        ("max " + " daily" * 10_000 + " " * 1_000 + ", DRUG daily", [("daily", F)]),
        ("DRUG daily" + " (3 mL" * 20_000, [("daily", F)]),
    ],
    ids=["blanks", "digits", "reason", "letters that grow", "overdose", "ceiling", "brackets"],
)
def test_long_and_odd_text_is_no_trouble(text: str, spans: list[tuple[str, str]]) -> None:
    """One that runs away would never end."""
    assert "PerDayLow" in read(text, *spans)


def test_a_sig_goes_to_json_and_back_and_refuses_to_be_wrong() -> None:
    sig = Sig(0.5, 1, "tablet", None, 4, "PO", True, (3, 9), 7)
    assert Sig.from_json(sig.to_json()) == sig
    assert sig.to_json()["DoseHigh"] == 1
    assert not Sig().to_json()
    with pytest.raises(ValueError, match="no range"):
        Sig(2, 1)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("a", "herb", "x"), "no kind"),
        (("a", "frequency", "x", "often"), "no number"),
        (("a", "frequency", "x", "1/0"), "no number"),
        (("a", "route", "x"), "do not go together"),
        (("a", "stop", "x", "1"), "do not go together"),
        (("a", "stop", "x||y"), "a term is empty"),
        (("a", "route", "x", "PO", "DX_NAME"), "no attribute"),
    ],
)
def test_a_rule_refuses_to_be_wrong(values, said) -> None:
    with pytest.raises(ValueError, match=said):
        SigRule(*values)


@pytest.mark.parametrize("value", ["2", "often"])
def test_the_rules_that_a_pipeline_is_built_with_are_checked_and_used(tmp_path: Path, value: str) -> None:
    (tmp_path / "sig.tsv").write_text(f"id\tkind\tterms\tvalue\na\tfrequency\tbis\t{value}\nb\tcounted\ttab\ttablet\n")
    config = Config(rules=tmp_path)
    if value == "often":
        with pytest.raises(RuleError, match=r"sig\.tsv, line 2"):
            build(config, steps=("prescriptions",))
    else:
        reader = build(config, steps=("prescriptions",)).get_pipe("medtext_prescriptions").reader
        assert reader.read((("FREQUENCY", "bis"),)) == Sig(per_day_low=2, per_day_high=2)


def test_a_term_with_two_meanings_is_told(tmp_path: Path) -> None:
    (tmp_path / "sig.tsv").write_text("id\tkind\tterms\tvalue\na\tfrequency\tb.d.\t2\nb\tfrequency\tbd\t3\n")
    with pytest.raises(RuleError, match="'bd' means a and b"):
        load_words(tmp_path)
