"""Which of HIPAA's identifiers one is."""

from time import perf_counter

import pytest

import medtext
from medtext.components.phi import PhiRule
from medtext.components.phi_review import LookAlike, LookAlikes
from medtext.components.phi_subtypes import SubtypeRule, Subtypes
from medtext.components.subtype_judge import SubtypeJudge
from medtext.deid.keyed import Keyed
from medtext.errors import RuleError
from medtext.findings import findings
from medtext.rulebook import load_table, load_toml, rules_dir
from medtext.schema import PHI_SUBTYPES, Mention


@pytest.fixture(scope="module")
def subtypes():
    return Subtypes(load_table(rules_dir() / "phi_subtypes.tsv", SubtypeRule))


@pytest.mark.parametrize(
    ("text", "span", "kind", "expected"),
    [
        ("DOB 3/4/1961, seen 5/6/2024", "3/4/1961", "DATE", "BIRTH_DATE"),
        ("DOB 3/4/1961, seen 5/6/2024", "5/6/2024", "DATE", "DATE"),
        ("hysterectomy in 2019", "2019", "DATE", "YEAR"),
        ("He was born in 1931.", "1931", "DATE", "BIRTH_DATE"),
        ("widow, b. 1929", "1929", "DATE", "BIRTH_DATE"),
        ("YOB: 1930", "1930", "DATE", "BIRTH_DATE"),
        ("born in Ohio, hysterectomy in 2019", "2019", "DATE", "YEAR"),
        ("hepatitis B 2019", "2019", "DATE", "YEAR"),
        ("a 89 year old man", "89", "AGE", "AGE"),
        ("a 91 year old man", "91", "AGE", "AGE_OVER_89"),
        ("in her nineties", "nineties", "AGE", "AGE_OVER_89"),
        ("in her eighties", "eighties", "AGE", "AGE"),
        ("Fax 555-0101", "555-0101", "PHONE_OR_FAX", "FAX"),
        ("Tel 555-0101", "555-0101", "PHONE_OR_FAX", "PHONE"),
        ("MRN 4471932", "4471932", "ID", "MRN"),
        ("SSN 523-00-1187", "523-00-1187", "ID", "SSN"),
        ("NPI 1457382910", "1457382910", "ID", "NPI"),
        ("DEA AB1234563", "AB1234563", "ID", "DEA"),
        ("pacemaker serial PJN4471", "PJN4471", "ID", "DEVICE"),
        ("plate 7XKR221", "7XKR221", "ID", "VEHICLE"),
        ("from 10.118.9.41", "10.118.9.41", "ID", "IP"),
        ("token 7731", "7731", "ID", "OTHER"),
        ("Joan, dtr of Walter Pruett, called", "Walter Pruett", "NAME", "PATIENT"),
        ("his dtr Joan Pruett called", "Joan Pruett", "NAME", "RELATIVE"),
        ("lives at 14 Orchard Lane, Dayton, OH", "14 Orchard Lane, Dayton, OH", "ADDRESS", "STREET"),
        ("transferred from Mercy Hospital", "Mercy Hospital", "ADDRESS", "FACILITY"),
        ("moved from Ohio", "Ohio", "ADDRESS", "STATE"),
        ("moved from Kenya", "Kenya", "ADDRESS", "COUNTRY"),
        ("lives in New York", "New York", "ADDRESS", "CITY"),
        ("zip 45402", "45402", "ADDRESS", "ZIP"),
        ("to Ward 7", "Ward 7", "ADDRESS", "WARD"),
        ("goes to Dunmore Elementary", "Dunmore Elementary", "ADDRESS", "ORGANIZATION"),
        ("his wife Lorraine", "Lorraine", "NAME", "RELATIVE"),
        ("b. 3/4/1961, lives alone", "3/4/1961", "DATE", "BIRTH_DATE"),
        ("reviewed by B. Tolliver on 5/6/2024", "5/6/2024", "DATE", "DATE"),
        ("Hep B 5/6/2024", "5/6/2024", "DATE", "DATE"),
        ("daughter called. -- C. Ruiz, LPN", "C. Ruiz", "NAME", "CLINICIAN"),
        ("wife Oleta  MD: Pendergrass", "Oleta", "NAME", "RELATIVE"),
        ("Sec: Bronwen", "Bronwen", "NAME", "CLINICIAN"),
        ("seen by Dr. Lindqvist", "Lindqvist", "NAME", "CLINICIAN"),
        ("Petra Halvorsen, MD", "Petra Halvorsen", "NAME", "CLINICIAN"),
        ("Patient: Jonah Tolliver", "Jonah Tolliver", "NAME", "PATIENT"),
        ("works as a welder", "welder", "PROFESSION", "PROFESSION"),
    ],
)
def test_subtypes(subtypes, nlp, text, span, kind, expected) -> None:
    doc = nlp.make_doc(text)
    findings(doc)
    begin = text.index(span)
    (told,) = subtypes(doc, [Mention(begin, begin + len(span), kind)])
    assert told.subtype == expected


def test_a_name_is_whose_it_is_elsewhere_in_the_note(subtypes, nlp) -> None:
    text = "Patient: Ana Ruiz\n\nRuiz was seen."
    doc = nlp.make_doc(text)
    first, second = text.index("Ana"), text.index("Ruiz was")
    mentions = [Mention(first, first + 8, "NAME"), Mention(second, second + 4, "NAME")]
    assert [one.subtype for one in subtypes(doc, mentions)] == ["PATIENT", "PATIENT"]


def test_every_identifier_has_a_subtype_of_its_type(subtypes, nlp) -> None:
    doc = nlp.make_doc("it")
    for kind, known in PHI_SUBTYPES.items():
        (told,) = subtypes(doc, [Mention(0, 2, kind)])
        assert told.subtype in known


@pytest.mark.parametrize(
    "row", ["a\tNAME\tNURSE\tbefore\trn", "a\tNAME\tCLINICIAN\tabove\trn", "a\tCITY\tCITY\tinside\tyork"]
)
def test_a_row_that_makes_no_sense_is_refused(tmp_path, row) -> None:
    path = tmp_path / "phi_subtypes.tsv"
    path.write_text(f"id\ttype\tsubtype\twhere\twords\n{row}\n", encoding="utf-8")
    with pytest.raises(RuleError, match=r"phi_subtypes\.tsv, line 2"):
        load_table(path, SubtypeRule)


WEIGHTS = {
    "NAME": {
        "bias": {"PATIENT": 1.0, "CLINICIAN": 0.5},
        "before0=seen": {"CLINICIAN": 3.0},
        "words=1": {"RELATIVE": 0.1},
    },
    "ADDRESS": {"bias": {"CITY": 2.0, "STREET": 1.0, "STATE": 9.0}},
}


@pytest.mark.parametrize(
    ("text", "spans", "expected"),
    [
        ("Tolliver called", ["Tolliver"], ["PATIENT"]),
        ("he has seen Tolliver", ["Tolliver"], ["CLINICIAN"]),
        ("he has seen Tolliver; J Tolliver called", ["Tolliver", "J Tolliver"], ["CLINICIAN", "CLINICIAN"]),
        ("he has seen Tolliver; Ruiz called", ["Tolliver", "Ruiz"], ["CLINICIAN", "PATIENT"]),
        ("moved to Dayton", ["Dayton"], ["CITY"]),
        ("moved to Dayton 45402", ["Dayton 45402"], ["ORGANIZATION"]),  # more than a city, and no rule tells of it
        ("moved to Lindley Manor", ["Lindley Manor"], ["FACILITY"]),  # the rules know a word of it
        ("moved to Ohio", ["Ohio"], ["STATE"]),  # by the rules alone
    ],
)
def test_names_and_addresses_are_judged_by_all_that_is_said_of_them(nlp, text, spans, expected) -> None:
    rules = load_table(rules_dir() / "phi_subtypes.tsv", SubtypeRule)
    doc = nlp.make_doc(text)
    begins = [text.rindex(span) if span[1] == " " else text.index(span) for span in spans]
    kind = "NAME" if "T" in spans[0] else "ADDRESS"
    mentions = [Mention(begin, begin + len(span), kind) for begin, span in zip(begins, spans, strict=True)]
    assert [one.subtype for one in Subtypes(rules, SubtypeJudge(WEIGHTS))(doc, mentions)] == expected


@pytest.mark.parametrize("address", ["Dayton, OH 45402", "OH 45402", "12 Elm St, Ohio", "Mercy Hospital, Ohio"])
def test_an_address_of_several_parts_is_no_mere_state(subtypes, nlp, address) -> None:
    """A policy may keep states: what else stands beside one must not be kept with it."""
    doc = nlp.make_doc(address)
    judging = nlp.get_pipe("medtext_phi_review").subtypes
    for of in (subtypes, judging):
        (told,) = of(doc, [Mention(0, len(address), "ADDRESS")])
        assert told.subtype not in ("STATE", "COUNTRY")


@pytest.mark.parametrize(
    "mark", ["[NAME]", "[NAME-1]", "[DATE]", "[ID-3]", f"[ADDRESS-{Keyed('k').letters('Dayton')}]"]
)
def test_what_redact_leaves_is_no_identifier(nlp, mark) -> None:
    text = f"Patient: {mark} was seen by Dr. Lindqvist."
    found = {text[one.begin : one.end] for one in medtext.extract(text, nlp=nlp).entities}
    assert found == {"Lindqvist"}


@pytest.mark.parametrize(
    ("text", "identifier"),
    [("MRN [ID-4471932] in chart", "4471932"), ("Patient: [NAME-Tolliver], seen by Dr. Lindqvist.", "Tolliver")],
)
def test_what_merely_looks_like_it_hides_no_identifier(nlp, text, identifier) -> None:
    spans = [(one.begin, one.end) for one in medtext.extract(text, nlp=nlp).entities]
    begin = text.index(identifier)
    assert any(first <= begin and begin + len(identifier) <= last for first, last in spans)


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("/s/ Vo An 14:30", "Vo An"),
        ("/es/ TORRES,LUZ M", "TORRES,LUZ M"),
        ("BABY BOY STEIN APGAR 8/9", "STEIN"),
        ("Penny: pls call him re INR 2.4", "Penny"),
        ("Surname Minchin, spelled m i n c h i n.", "m i n c h i n"),
        ("Vehicle FX18 KLM in the ditch", "FX18 KLM"),
        ("rego ABC-12D", "ABC-12D"),
        ("host 2001:0db8:85a3::8a2e:0370:7334", "2001:0db8:85a3::8a2e:0370:7334"),
        ("wifi mac 00:1A:7D:DA:71:13", "00:1A:7D:DA:71:13"),
        ("Posts as instagram @saoirse.runs.empty daily", "@saoirse.runs.empty"),
        ("login kofi.fo", "kofi.fo"),
        ("Ring 504-555-0177 or 0178.", "504-555-0177 or 0178"),
        ("Tél. 01 42 68 53 00", "01 42 68 53 00"),
        ("kofi dot owusu at mail dot example", "kofi dot owusu at mail dot example"),
        ("Wrist film 02 02 1949, no break.", "02 02 1949"),
        ("Measles 3.iii.54.", "3.iii.54"),
        ("Collapsed at I-10 mm 88", "I-10 mm 88"),
        ("Home: 5520 FM 1488", "5520 FM 1488"),
        ("V7M 2H9", "V7M 2H9"),
        ("Home: E21 X4P7", "E21 X4P7"),
    ],
)
def test_forms_that_are_exact_are_found_whole(nlp, text, identifier) -> None:
    begin = text.index(identifier)
    spans = [range(one.begin, one.end) for one in medtext.extract(text, nlp=nlp).entities if one.subtype]
    assert not [
        at
        for at in range(begin, begin + len(identifier))
        if text[at].isalnum() and not any(at in span for span in spans)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Vehicle 12 hit the car.",
        "Ratio 1:2:3:4, titre 1:160.",
        "FB sensation, IG level 4.2.",
        "BABY BOY BORN AT 38 WEEKS",
        "Labs- please check K",
        "He could spell WORLD backwards: D-L-R-O-W.",
        "Staples: 5-hole plate was then applied.",
        "E11 2019 coding rules",
    ],
)
def test_forms_that_only_resemble_them_are_none(nlp, text) -> None:
    found = {one.type for one in medtext.extract(text, nlp=nlp).entities if one.subtype}
    assert found <= {"DATE", "AGE"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [("May need DMEK OS-first.", "EMAIL"), ("See the www page of it.", "URL"), ("call mom back", "PHONE_OR_FAX")],
)
def test_an_identifier_has_what_makes_it_one(nlp, text, kind) -> None:
    assert kind not in {one.type for one in medtext.extract(text, nlp=nlp).entities}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Invasive lobular carcinoma (4/18 nodes +).", "DATE"),
        ("HIV 1/2: NON REACTIVE", "DATE"),
        ("Tylenol given w/ relief 3/10.", "DATE"),
        ("Stopped bupropion 2/2 tremor.", "DATE"),
        ("Male 3450 g, Apgar 7/9.", "DATE"),
        ("BG 60 -> OJ, recheck 98.", "NAME"),
        ("Blood sugar 60 at 2am, came up to 132.", "ADDRESS"),
        ("RTB 2x12, TKE 3x10.", "ADDRESS"),
        ("Reversible ischaemia on MPS. VNA to follow.", "ADDRESS"),
        ("Insurance: Blue Cross.", "ADDRESS"),
        ("Call crisis line 988 or 911.", "PHONE_OR_FAX"),
        ("S/P laparotomy. VB - , d/c -", "ID"),
        ("Mom has diabetes too. BS this am 54.", "AGE"),
        ("Hyperkalemia 2/2 spironolactone.", "DATE"),
        ("Off work, back pain for 10/7, no better.", "DATE"),
        ("Interval events: NAEON", "NAME"),
        ("Admit to Gen Surg, OR this AM", "ADDRESS"),
    ],
)
def test_look_alikes_are_no_identifiers(nlp, text, kind) -> None:
    assert kind not in {one.type for one in medtext.extract(text, nlp=nlp).entities}


def test_a_percentile_is_no_age(nlp) -> None:
    assert "AGE" not in {one.type for one in medtext.extract("BMI-for-age 97th %ile", nlp=nlp).entities}
    assert "AGE" in {one.type for one in medtext.extract("Died at age 97.", nlp=nlp).entities}


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Nodes biopsied on 4/18.", "4/18"),
        ("HIV sent on 1/2.", "1/2"),
        ("Pain clinic visit on 3/10.", "3/10"),
        ("Admitted on 2/2 with pneumonia.", "2/2"),
        ("CABG 2/2 at Mercy.", "2/2"),
        ("Surgery scheduled for 10/7.", "10/7"),
        ("NPH started 10/5.", "10/5"),
        ("Blood cultures 2/4 and 2/6 negative.", "2/4"),
    ],
)
def test_dates_beside_the_words_of_look_alikes_are_found(nlp, text, date) -> None:
    assert (date, "DATE") in {(text[one.begin : one.end], one.type) for one in medtext.extract(text, nlp=nlp).entities}


LOOK_ALIKES = LookAlikes(load_toml(rules_dir() / "phi.toml", "look_alike", LookAlike))


def looks_alike(text: str, kind: str) -> bool:
    """Whether what stands in «» only looks like an identifier of this type."""
    begin, end = text.index("«"), text.index("»") - 1
    bare = text.replace("«", "").replace("»", "")
    return LOOK_ALIKES.has(Mention(begin, end, kind, 0.5, "ner"), bare, (), ())


@pytest.mark.parametrize(
    ("kind", "look_alike", "identifier"),
    [
        # fractions, scores, pressures
        ("DATE", "BP 120/80; «98/54»", "seen «9/5»"),
        ("DATE", "(SIRS «3/4»)", "SIRS resolved «3/4»"),
        ("DATE", "TOF «2/4» after reversal", "DTRs brisk, seen «2/4»"),
        ("DATE", "murmur «3/6»", "murmur since «3/6»"),
        ("DATE", "Nodes positive («3/17»)", "Nodes biopsied («3/17»)"),
        ("DATE", "(«1/2») nodes", "on «1/2») nodes"),
        ("DATE", "bottle «1/2»", "bottle given «1/2»"),
        ("DATE", "BCx «3/4» MRSA", "BCx «3/4»: NGTD"),
        ("DATE", "weaned to PS «10/5»", "PS visit «10/5»"),
        ("DATE", "BiPAP «12/6», FiO2 40", "BiPAP «12/6» at home"),
        ("DATE", "crackles «1/3» up", "crackles heard «1/3», up"),
        ("DATE", "«1/4» inch gauze", "«1/4» in clinic"),
        ("DATE", "call «24/7»", "review «24/7»"),
        ("DATE", "D/c trazodone «2/2» QTc.", "D/c trazodone «2/2» QTc 440"),
        ("DATE", "Novolog «10/8/12»", "started Novolog «10/8/12»"),
        ("DATE", "Humalog «10/5»", "Humalog «3/14/22»"),
        ("DATE", "Resp: [«14-22»] 18", "Temp down. «10-22» seen"),
        ("DATE", "Apgars «7/9/10»", "born «7/9/10»"),
        ("DATE", "PHQ9 = «7/27»", "PHQ9 = 7, «7/27»"),
        ("DATE", "GAD-7 «4/21»", "GAD-7 «4/21»: 12"),
        ("DATE", "WCC 14.2 x10^9/L [«4-11»]", "seen [«4-11»]"),
        ("DATE", "c/o ha x3d, «8/10», no fever", "c/o ha x3d, «8/10» clinic"),
        ("DATE", "Apgar «1/5/10»", "seen «1/5/10»"),
        # durations
        ("DATE", "off work «6/52»", "born «6/52»"),
        ("DATE", "«6/12» of weight loss", "«6/12» of last year"),
        ("DATE", "Zoladex «3/12»ly", "Zoladex «3/12»"),
        ("DATE", "over the last «6/12»", "last «6/12»"),
        ("DATE", "amoxicillin x «5/7»", "amoxicillin «5/7»"),
        ("DATE", "penicillin QDS «7/7»", "penicillin QDS «5/7»-5/12"),
        # years and clocks
        ("DATE", "KDIGO «2012» stage 3", "seen in «2012», stage 3"),
        ("DATE", "the «2010» criteria", "in «2010», criteria met"),
        ("DATE", "Total Out: «1985»", "moved out in «1985»"),
        ("DATE", "hives after the «4th» dose", "hives on the «4th»"),
        ("ID", "Triage Time: «0213»", "Triage: «0213»"),
        ("ID", "tacrolimus «Q2000»", "Chart «Q4471»"),
        ("DATE", "\n«0440» - re-eval", "\n«0440» - Kowalski"),
        ("ID", "\n«1130»: 92/48 104", "\n«1130»: chest pain"),
        ("ID", "Time accepted «0322»", "accepted by «0322»"),
        ("DATE", "Room time 1130-«1420»", "Room «1420»"),
        ("ADDRESS", "found in the room @ «0315»", "lives @ «1420» Oak St"),
        ("DATE", "pt «sat» up in bed", "seen on «sat» out of hours"),
        ("DATE", "O2 «sat» 92", "d/c «sat»"),
        ("DATE", "«SAT» 92% RA", "«SAT» 9 am"),
        # ages
        ("AGE", "1/2 NS at «75»", "Father: AF at «75»"),
        ("AGE", "RVR at «112»", "died at «92»"),
        ("AGE", "P/F «89»", "F «89»"),
        ("AGE", "lives w/ «2» cats", "2 sons, «5» and 7"),
        ("AGE", "HR «77» (MAR 07 20:00)", "son «7» (March 2020)"),
        ("AGE", "Braden «15»", "Hamilton «31» F"),
        # names and places
        ("NAME", "88 x10(3)/«mcL»", "rlb/«mm»"),
        ("NAME", "60 Gy/30 «fx»", "signed 3/4 «fx»"),
        ("NAME", "remains «NED»", "called «NED»"),
        ("NAME", "d/w «IR», plan for drain", "d/w «RS», ok"),
        ("NAME", "d/w «SLP»", "Seen by «SLP»"),
        ("NAME", "per «GOLD» guidelines", "per «GF»"),
        ("NAME", "f/u per «ACR».", "per «JLB»."),
        ("NAME", "d/w «GF» at bedside", "d/w «GF», ok to d/c"),
        ("NAME", "Exposed to «TB»", "Seen by «TB»"),
        ("NAME", "«Dev» Hx: normal", "«Dev» called"),
        ("NAME", "«Bil» LE edema", "«Bil» called"),
        ("NAME", "PD nurse «specialist»", "Nurse «Cole»"),
        ("NAME", "Pt «k»/c/o HTN", "per «k», ok"),
        ("NAME", "WORLD backwards: «D-L-R-O-W»", "surname spelled «D-O-W»"),
        ("NAME", "10 mg at 8 and «qnoon»", "«Noon»"),
        ("ADDRESS", "transfer to «Ortho Trauma»", "«General Medicine», Larkfield"),
        ("ADDRESS", "NS @ «125»", "Room «125»"),
        ("ADDRESS", "given «2 B2B» nebs", "in «2 B»"),
    ],
)
def test_what_looks_like_an_identifier_and_what_is_one_there(kind, look_alike, identifier) -> None:
    assert looks_alike(look_alike, kind)
    assert not looks_alike(identifier, kind)


@pytest.mark.parametrize(
    "text", ["1/2 " * 12000, "12/" * 16000, "d/w IR " * 7000, "\n0440 - a" * 5000, "NS at 75 " * 5000]
)
def test_look_alikes_of_hostile_texts_take_no_long(text: str) -> None:
    begin = perf_counter()
    for at in range(0, len(text) - 4, 40):
        for kind in ("DATE", "AGE", "NAME", "ADDRESS", "ID"):
            LOOK_ALIKES.has(Mention(at, at + 3, kind, 0.5, "ner"), text, (), ())
    assert perf_counter() - begin < 5


@pytest.mark.parametrize("filler", [" ", "\n", " \t", ":", "#", "."])
def test_labels_before_long_gaps_take_no_long(filler: str) -> None:
    begin = perf_counter()
    for rule in load_toml(rules_dir() / "phi.toml", "recognizer", PhiRule):
        for start in rule.starts.split()[:3]:
            rule.compiled().search(start + filler * 3000 + "x")
    assert perf_counter() - begin < 5


def test_a_day_that_is_a_date_once_is_one_again(nlp) -> None:
    text = "Foley 1/8. Seen on 1/8. Took 1/2 tab."
    dates = [text[one.begin : one.end] for one in medtext.extract(text, nlp=nlp).entities if one.type == "DATE"]
    assert dates == ["1/8", "1/8"]


@pytest.mark.parametrize(
    "row",
    ['types = ["PLACE"]\ntext = "x"', 'types = ["DATE"]\ntext = "("', 'types = ["DATE"]\ntext = "x"\nthen = "DX"'],
)
def test_a_look_alike_that_makes_no_sense_is_refused(tmp_path, row) -> None:
    path = tmp_path / "phi.toml"
    path.write_text(f'[[look_alike]]\nid = "a"\n{row}\n', encoding="utf-8")
    with pytest.raises(RuleError, match=r"phi\.toml: look_alike 1"):
        load_toml(path, "look_alike", LookAlike)


@pytest.mark.parametrize("digit", ["²", "①", "፩"])
def test_a_digit_that_is_no_decimal_makes_no_note_fail(nlp, digit) -> None:
    """`str.isdigit` takes them, `int` does not: a bare one where an age could stand."""
    for text in (
        f"Dr F. NankivellPAST MEDICAL HISTORY:\x04{digit}",
        f"Age {digit}",
        f"{digit} y/o man, BMI 31 kg/m{digit}",
    ):
        assert medtext.extract(text, nlp=nlp).error is None
