"""How a form answers what it asks: boxes, Y and N, and words behind a colon."""

import pytest

from medtext.components.surroundings import answer


@pytest.mark.parametrize(
    ("line", "asked", "expected"),
    [
        ("[x] fever  [ ] cough", "fever", "ticked"),
        ("[x] fever  [ ] cough", "cough", "empty"),
        ("Fever [x]  Cough [ ]", "Fever", "ticked"),
        ("Fever [x]  Cough [ ]", "Cough", "empty"),
        ("COMPLICATIONS   [ ] DVT   [x] pneumonia", "DVT", "empty"),
        ("Symptoms: [x] cough [ ] fever", "fever", "empty"),
        ("☒ asthma  ☐ COPD", "asthma", "ticked"),
        ("☒ asthma  ☐ COPD", "COPD", "empty"),
        ("1 Head injury            [ ][X][ ]", "Head injury", "no"),
        ("18 Sleep apnea           [X][ ][ ]", "Sleep apnea", "yes"),
        ("HTN Y  Diabetes N   Epilepsy N", "Diabetes", "no"),
        ("HTN Y  Diabetes N   Epilepsy N", "HTN", "yes"),
        ("Cough: none", "Cough", "no"),
        ("Tobacco: denies", "Tobacco", "no"),
        ("SI: denies   Cravings: 6/10", "SI", "no"),
        ("SI: denies   Cravings: 6/10", "Cravings", ""),
        ("Pregnancy test: positive", "Pregnancy test", "yes"),
        ("no murmur or click present.", "click", ""),
        ("Leg duplex: no DVT", "Leg duplex", ""),
        ("CT HEAD: NO BLEED", "CT HEAD", ""),
        ("Fever N Cough Y", "Fever", "no"),
        ("Fever: No Chills: No", "Fever", "no"),
        ("HIV: Positive Hep C: Negative", "HIV", "yes"),
        ("HTN - Lisinopril 10 mg", "HTN", ""),
        ("Pneumonia - Resolved", "Pneumonia", ""),
        ("Calcium + Vitamin D", "Calcium", ""),
        ("no fever, chills", "fever", ""),
        ("history of cancer no longer treated", "cancer", ""),
        ("fever - resolved", "fever", ""),
        ("pain 3/10", "pain", ""),
        ("Pt c/o CP, -radiation, +diaphoresis, -SOB", "SOB", "no"),
        ("Pt c/o CP, -radiation, +diaphoresis, -SOB", "diaphoresis", "yes"),
        ("Pt c/o CP, -radiation, +diaphoresis, -SOB", "CP", ""),
        ("ROS: -f/c, -n/v, +sob", "v", "no"),
        ("PE: -JVD, -edema", "JVD", "no"),
        ("PMH: -HTN -DM", "DM", ""),
        ("-HTN", "HTN", ""),
        ("post-op ileus, +flatus", "ileus", ""),
        ("K+ 4.1, non-tender, +bowel sounds", "tender", ""),
        ("Edema: 0", "Edema", "no"),
        ("Edema: 0, pulses 2+", "Edema", "no"),
        ("Pain: 0/10", "Pain", ""),
        ("Nodes: 0.5 cm", "Nodes", ""),
        ("Falls 0", "Falls", ""),
    ],
)
def test_answers_of_forms(line, asked, expected) -> None:
    begin = line.index(asked)
    assert answer(line, begin, begin + len(asked)) == expected


@pytest.mark.parametrize(("asked", "expected"), [("fever", "yes"), ("cough", "no"), ("HTN", "")])
def test_signs_count_on_their_own_line(asked, expected) -> None:
    text = "ROS:\n+fever -cough\n-HTN -DM"
    begin = text.index(asked)
    assert answer(text, begin, begin + len(asked)) == expected


def test_a_box_on_another_line_says_nothing() -> None:
    text = "[x] fever\ncough"
    assert answer(text, text.index("cough"), len(text)) == ""
