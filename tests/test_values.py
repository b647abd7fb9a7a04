"""What results, durations and dates say: the tables of `tests/cases`, the words and units, and whole notes."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

import medtext
from medtext.components.values import TAIL, rest_of_line
from medtext.rulebook import load_table, rules_dir
from medtext.schema import Value
from medtext.times import TimeReader, TimeWord, style_of
from medtext.values import Unit, ValueReader, ValueWord
from tests.cases import FOLDER, parse
from tests.conftest import SAMPLES

UNITS = load_table(rules_dir() / "units.tsv", Unit)
READER = ValueReader(UNITS, load_table(rules_dir() / "values.tsv", ValueWord))
CLOCK = TimeReader(load_table(rules_dir() / "times.tsv", TimeWord))


@dataclass(frozen=True)
class ValueCase:
    """A line of `values.tsv`."""

    set: str
    test: str
    text: str
    reading: str
    before: str = ""
    unit: str = ""
    tail: str = ""


@dataclass(frozen=True)
class TimeCase:
    """A line of `times.tsv`; a `course` is a prescription's length; `others` are the note's other dates, separated by blanks."""

    set: str
    kind: str
    text: str
    reading: str
    before: str = ""
    others: str = ""


VALUES = load_table(FOLDER / "values.tsv", ValueCase)
TIMES = load_table(FOLDER / "times.tsv", TimeCase)


def reading_of(case: ValueCase) -> str:
    tail = case.tail.replace("\\t", "\t")
    text = READER.whole(case.text, tail, case.test)
    tail = tail[len(text) - len(case.text) :]
    value = READER.read(text, case.unit or READER.unit(tail, case.test), case.test, case.before, tail)
    if value is None:
        return "none"
    return written(READER.marked(value, case.test, case.before, tail)[0])


def written(value: Value) -> str:
    """A value as the table writes it."""
    parts = [
        numbers(value),
        f"unit={value.unit}" if value.unit and not value.systolic else "",
        f"of={value.scale}" if value.scale else "",
        f"grade={value.grade}" if value.grade else "",
        f"bp={value.systolic}/{value.diastolic or '-'}" if value.systolic else "",
        value.interpretation,
        f"ref={ends(value.reference_low, value.reference_high)}"
        if (value.reference_low, value.reference_high) != (None, None)
        else "",
        {True: "outside", False: "inside", None: ""}[value.abnormal],
    ]
    return " ".join(filter(None, parts))


def numbers(value: Value) -> str:
    if value.low is None or value.high is None or value.low == value.high:
        bound = value.high if value.low is None else value.low
        return "" if bound is None else f"{value.comparator}{bound:.10g}"
    return value.comparator + ends(value.low, value.high)


def ends(low: float | None, high: float | None) -> str:
    return "..".join("" if end is None else f"{end:.10g}" for end in (low, high))


def time_of(case: TimeCase) -> str:
    if case.kind == "date":
        return CLOCK.date(case.text, style_of([case.text, *case.others.split()])) or "none"
    return CLOCK.duration(case.text, case.before, course=case.kind == "course") or "none"


@pytest.mark.parametrize("case", VALUES, ids=lambda case: f"{case.test}: {case.text}{case.tail}")
def test_a_result(case: ValueCase) -> None:
    assert reading_of(case) == case.reading


@pytest.mark.parametrize("case", TIMES, ids=lambda case: case.text)
def test_a_time(case: TimeCase) -> None:
    assert time_of(case) == case.reading


def test_a_third_of_the_tables_is_held_out() -> None:
    for cases, least in ((VALUES, 150), (TIMES, 80)):
        held = [case for case in cases if case.set == "held"]
        assert len(cases) >= least
        assert 3 * len(held) >= len(cases)
        assert any(case.reading == "none" for case in held)


def test_every_code_is_ucum() -> None:
    parser = pytest.importorskip("ucumvert").get_ucum_parser()
    written_units = (
        {case.unit for case in VALUES} | {unit.term for unit in UNITS} | {"mL/kg/h", "x10^9/L", "mg per day"}
    )
    codes = {unit.ucum for unit in UNITS} | set(map(READER.units.code, written_units)) - {""}
    assert len(codes) > 100
    for code in sorted(codes):
        parser.parse(code)
    with pytest.raises(Exception):  # noqa: B017, PT011 -- of the parser's library
        parser.parse("mg/dLx")


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("MG/DL", "mg/dL"),
        ("mg / dl", "mg/dL"),
        ("µg/L", "ug/L"),
        ("mL per kg per hour", "mL/kg/h"),
        ("x 10^9/L", "10*9/L"),
        ("10E3/uL", "10*3/uL"),
        ("kg/m²", "kg/m2"),
        ("sec.", "s"),
        ("°F", "[degF]"),
        ("units", ""),
        ("degrees", ""),
        ("oz", ""),
        ("m", "m"),
        ("10", ""),
        ("%/L", ""),
        ("mg/blob", ""),
        ("/", ""),
        ("", ""),
    ],
)
def test_units(written: str, code: str) -> None:
    assert READER.units.code(written) == code


def found_in(line: str, nlp, config: medtext.Config | None = None) -> dict[str, str]:
    """What a line's marked spans say, by their text."""
    case = parse(line, "here")
    record = medtext.extract(case.text, spans=list(case.traits), nlp=nlp, config=config)
    assert medtext.Record.from_json(json.loads(json.dumps(record.to_json()))) == record
    assert not record.error
    values = {}
    for span in record.spans():
        if span.value:
            values[span.text(case.text)] = span.value.duration or span.value.date or written(span.value)
    return values


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (
            "[Potassium|TEST_NAME] [5.6|TEST_VALUE] [mmol/L|TEST_UNIT] (3.5-5.0)",
            {"5.6": "5.6 unit=mmol/L ref=3.5..5 outside"},
        ),
        ("[Potassium|TEST_NAME] [5.6|TEST_VALUE] [3.5-5.0|TEST_VALUE]", {"5.6": "5.6", "3.5-5.0": "3.5..5"}),
        (
            "[Sodium|TEST_NAME]   [139|TEST_VALUE]    [mmol/L|TEST_UNIT]   [135-145|TEST_VALUE]",
            {"139": "139 unit=mmol/L ref=135..145 inside"},
        ),
        (
            "[BP|TEST_NAME] [118/64|TEST_VALUE], [HR|TEST_NAME] [82|TEST_VALUE], [sat|TEST_NAME] [95|TEST_VALUE][%|TEST_UNIT]",
            {"118/64": "bp=118/64", "82": "82", "95": "95 unit=%"},
        ),
        ("[HR|TEST_NAME] [110|TEST_VALUE][s|TEST_UNIT]", {}),
        ("[PT|TEST_NAME] [12|TEST_VALUE] [s|TEST_UNIT]", {"12": "12 unit=s"}),
        (
            "[Sodium|TEST_NAME] [128|TEST_VALUE] [L|TEST_UNIT] (135-145) [mmol/L|TEST_UNIT]",
            {"128": "128 unit=mmol/L L ref=135..145 outside"},
        ),
        ("[FVC|TEST_NAME] [2.1|TEST_VALUE] [L|TEST_UNIT]", {"2.1": "2.1 unit=L"}),
        (
            "[Potassium|TEST_NAME]   [6.2|TEST_VALUE]   [HH|TEST_VALUE]   3.5-5.1   [mmol/L|TEST_UNIT]",
            {"6.2": "6.2 unit=mmol/L H ref=3.5..5.1 outside"},
        ),
        (
            "[Lactate|TEST_NAME] [4.2|TEST_VALUE] H* 0.5-2.0 [mmol/L|TEST_UNIT]",
            {"4.2": "4.2 unit=mmol/L H ref=0.5..2 outside"},
        ),
        ("[WCC|TEST_NAME] [14.1|TEST_VALUE] ↓", {"14.1": "14.1"}),
        ("[CO2|TEST_NAME] [18|TEST_VALUE] [L|TEST_UNIT], [BUN|TEST_NAME] [44|TEST_VALUE]", {"18": "18 L", "44": "44"}),
        ("[CEA|TEST_NAME] [8.1|TEST_VALUE] [H|TEST_UNIT]", {"8.1": "8.1 H"}),
        (
            "[Potassium|TEST_NAME] [5.9|TEST_VALUE] [mmol/L|TEST_UNIT] [High|TEST_VALUE] (3/8)",
            {"5.9": "5.9 unit=mmol/L H"},
        ),
        (
            "[Temp|TEST_NAME] [36.8|TEST_VALUE] [°C|TEST_UNIT] ([98.2|TEST_VALUE] °F)",
            {"36.8": "36.8 unit=Cel", "98.2": "98.2 unit=[degF]"},
        ),
        ("[Plt|TEST_NAME] [88|TEST_VALUE] [x10|TEST_UNIT](3)/mcL", {"88": "88 unit=10*3/uL"}),
        ("[GFR|TEST_NAME] [71|TEST_VALUE] [mL/min/1.73 m^2|TEST_UNIT]", {"71": "71 unit=mL/min/{1.73_m2}"}),
        ("[Hgb|TEST_NAME] [8.2|TEST_VALUE], stable. [96|TEST_VALUE][%|TEST_UNIT] on RA", {"8.2": "8.2"}),
        ("[INR|TEST_NAME] goal [2-3|TEST_VALUE]", {}),
        (
            "[Sodium|TEST_NAME]  [136|TEST_VALUE] - 145 [mmol/L|TEST_UNIT]  [138|TEST_VALUE]  [134|TEST_VALUE] (L)",
            {"138": "138 unit=mmol/L ref=136..145 inside", "134": "134 unit=mmol/L L ref=136..145 outside"},
        ),
        (
            "[Cholesterol|TEST_NAME] [<200|TEST_VALUE] [mg/dL|TEST_UNIT]  [244|TEST_VALUE]",
            {"244": "244 unit=mg/dL ref=..200 outside"},
        ),
        ("[Protein|TEST_NAME]   [3+|TEST_VALUE]   A   [Negative|TEST_VALUE]", {"3+": "grade=3"}),
        ("[Protein|TEST_NAME]   [3+|TEST_VALUE]       [Negative|TEST_VALUE]", {"3+": "grade=3", "Negative": "NEG"}),
        ("[Protein|TEST_NAME]   [3+|TEST_VALUE]   A   [Negative|TEST_VALUE] now", {"3+": "grade=3", "Negative": "NEG"}),
        (
            "[ALT|TEST_NAME] [7-56|TEST_VALUE] [U/L|TEST_UNIT], [AST|TEST_NAME] [8|TEST_VALUE]",
            {"7-56": "7..56 unit=U/L", "8": "8"},
        ),
        (
            "[HR|TEST_NAME] [60-80|TEST_VALUE] [/min|TEST_UNIT] [88|TEST_VALUE]",
            {"60-80": "60..80 unit=/min", "88": "88"},
        ),
        ("Goal [SpO2|TEST_NAME] [88-92|TEST_VALUE][%|TEST_UNIT]", {}),
        ("[INR|TEST_NAME] [2.5|TEST_VALUE], goal [2-3|TEST_VALUE]", {"2.5": "2.5"}),
        ("[HIV|TEST_NAME]: [NON REACTIVE|TEST_VALUE]", {"NON REACTIVE": "NEG"}),
        ("[Height|TEST_NAME] [5|TEST_VALUE] [ft|TEST_UNIT] [9|TEST_VALUE] [in|TEST_UNIT]", {"5": "69 unit=[in_i]"}),
        ("[Weight|TEST_NAME] [150|TEST_VALUE] [lb|TEST_UNIT] 6 oz", {"150": "150.375 unit=[lb_av]"}),
        ("[Gait|TEST_NAME] [5|TEST_VALUE] [ft|TEST_UNIT] [9|TEST_VALUE] [in|TEST_UNIT]", {}),
        (
            "[Weight|TEST_NAME] [180|TEST_VALUE] [lb|TEST_UNIT], [82|TEST_VALUE] [kg|TEST_UNIT]",
            {"180": "180 unit=[lb_av]", "82": "82 unit=kg"},
        ),
        ("[TSH|TEST_NAME] [0.02|TEST_VALUE] FT4 0.3", {"0.02": "0.02"}),
        ("[pH|TEST_NAME] [7|TEST_VALUE],[32|TEST_VALUE]", {}),
        ("[AST|TEST_NAME]/ALT [1432|TEST_VALUE]/[987|TEST_VALUE]", {}),
        ("[Reflexes|TEST_NAME] were [2+|TEST_VALUE].", {"2+": "grade=2"}),
        ("[Rapid strep|TEST_NAME] [negative|TEST_VALUE].", {"negative": "NEG"}),
        ("[Liver enzymes|TEST_NAME] are [slightly elevated|TEST_VALUE].", {"slightly elevated": "H"}),
        ("[Liver enzymes|TEST_NAME] are not [elevated|TEST_VALUE].", {}),
        ("[Estimated blood loss|TEST_NAME]: less than [50|TEST_VALUE] [mL|TEST_UNIT].", {"50": "<50 unit=mL"}),
        ("[WBC|TEST_NAME] [5-10|TEST_VALUE]/[hpf|TEST_UNIT]", {"5-10": "5..10 unit=/[HPF]"}),
        ("[Weight|TEST_NAME] [180|TEST_VALUE], [82|TEST_VALUE] [kg|TEST_UNIT]", {"180": "180", "82": "82 unit=kg"}),
        ("[Sodium|TEST_NAME] ([mmol/L|TEST_UNIT]) [138|TEST_VALUE]", {"138": "138 unit=mmol/L"}),
        ("[Glucose|TEST_NAME] [9944771103|TEST_VALUE]", {}),
        ("[Pain|DX_NAME] began [3 weeks ago|TIME_EXPRESSION].", {"3 weeks ago": "P3W"}),
        ("[Pain|DX_NAME] began about [3 weeks ago|TIME_EXPRESSION].", {}),
        ("[Pain|DX_NAME] since [yesterday|TIME_EXPRESSION].", {}),
        ("[3/7|TIME_EXPRESSION] hx of [fever|DX_NAME]", {"3/7": "P3D"}),
        ("[Fever|DX_NAME] since [3/7|TIME_EXPRESSION].", {}),
        ("Return [in 2 weeks|TIME_EXPRESSION].", {"in 2 weeks": "P2W"}),
        ("[Keflex|BRAND_NAME] for [10 days|DURATION]", {"10 days": "P10D"}),
        ("[Flucloxacillin|GENERIC_NAME] [7/7|DURATION]", {"7/7": "P7D"}),
        ("[Colonoscopy|PROCEDURE_NAME] [03/14/2019|DATE].", {}),
        ("[Pain|DX_NAME] since [2019|TIME_EXPRESSION].", {}),
    ],
)
def test_in_a_note(line: str, values: dict[str, str], nlp) -> None:
    assert found_in(line, nlp) == values


def test_a_range_of_the_day_is_no_result(nlp) -> None:
    text = "Resp: [14-22] 18, Na [131] K [3.5]"
    spans = [(text.index(word), text.index(word) + len(word), "TEST_NAME") for word in ("Resp", "Na", "K")]
    spans += [
        (text.index(word), text.index(word) + len(word), "TEST_VALUE") for word in ("14", "22", "18", "131", "3.5")
    ]
    values = {one.text(text): one.value.low for one in medtext.extract(text, spans=spans, nlp=nlp).spans() if one.value}
    assert values == {"18": 18, "131": 131, "3.5": 3.5}


def test_dates_are_written_only_where_asked_for(nlp) -> None:
    line = "[Colonoscopy|PROCEDURE_NAME] [3/4/2019|DATE], [biopsy|PROCEDURE_NAME] [25/12/2018|DATE]."
    assert found_in(line, nlp) == {}
    asked = found_in(line, nlp, medtext.Config(date_values=True))
    assert asked == {"3/4/2019": "2019-04-03", "25/12/2018": "2018-12-25"}


def test_a_date_that_dates_an_entity_has_its_value_twice(nlp) -> None:
    text = "Colonoscopy 03/14/2019."
    spans = [(0, 11, "PROCEDURE_NAME"), (12, 22, "DATE")]
    record = medtext.extract(text, spans=spans, nlp=nlp, config=medtext.Config(date_values=True))
    dated = [(entity.type, entity.value.date) for entity in record.entities if entity.value]
    assert dated == [("DATE", "2019-03-14"), ("TIME_TO_PROCEDURE_NAME", "2019-03-14")]


def test_a_whole_note(nlp) -> None:
    text = (SAMPLES / "laboratory_printout.txt").read_text(encoding="utf-8")
    record = medtext.extract(text, nlp=nlp)
    results = {
        entity.text(text): written(attribute.value)
        for entity in record.entities
        for attribute in entity.attributes
        if attribute.value
    }
    assert results["Glucose"] == "112 unit=mg/dL H ref=70..99 outside"
    assert results["Sodium"] == "139 unit=mmol/L ref=135..145 inside"
    assert results["HbA1c"] == "6.1 unit=% H ref=..5.7 outside"


@pytest.mark.parametrize(
    "text",
    [" " * 500, "|" * 500, "1-" * 250, "a " * 250, "(" * 500, "9" * 500, "1 to " * 100, "x10^" * 100, "5 ft " * 100],
)
def test_long_lines_take_no_time(text: str) -> None:
    tail = rest_of_line(text, 0)
    assert len(tail) <= TAIL + 2
    READER.unit(tail)
    READER.whole(text, tail, "height")
    READER.reference_before(text, 0, "sodium")
    READER.marked(Value(low=5, high=5), text[:60], text[:24], tail)
    READER.read(text[:60], text[:24], text[:60], text[:24], tail)
    CLOCK.duration(text[:80], text[:24], tail)
    assert READER.read("5", text) is None
    assert READER.read("5", "", text) is None


def test_a_line_that_is_cut_off_ends_no_column() -> None:
    text = " " + "x" * 60 + "  " + "135-145 " + "y" * 40
    assert rest_of_line(text, 0).endswith("…")
    assert rest_of_line("a\nb", 0) == "a"
    assert rest_of_line("a", 1) == ""
