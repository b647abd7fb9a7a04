"""How a form answers what it asks: boxes, Y and N, and words behind a colon."""

from time import perf_counter

import pytest

from medtext.components.answers import answer


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
        ("Asthma (Y/N): N   Gout (Y/N): Y", "Asthma", "no"),
        ("Asthma (Y/N): N   Gout (Y/N): Y", "Gout", "yes"),
        ("Do you have asthma? Yes", "asthma", "yes"),
        ("Seizures:  Yes ___  No _X_", "Seizures", "no"),
        ("Seizures:  Yes _X_  No ___", "Seizures", "yes"),
        ("Seizures:  Yes ___  No ___", "Seizures", ""),
        ("Gout  Yes  No [x]", "Gout", "no"),
        ("Gout  Yes [x]  No [ ]", "Gout", "yes"),
        ("Gout [x] Yes [ ] No   Asthma [ ] Yes [x] No", "Gout", "yes"),
        ("Gout [x] Yes [ ] No   Asthma [ ] Yes [x] No", "Asthma", "no"),
        ("Gout  Yes  No", "Gout", ""),
        ("Fever: yes  No cough", "Fever", "yes"),
        # options: what is ticked of them
        ("Edema: [ ] none [x] trace [ ] 1+", "Edema", "yes"),
        ("Edema: [x] none [ ] trace [ ] 1+", "Edema", "no"),
        ("Edema: [ ] none [ ] trace", "Edema", ""),
        ("Cough: ☐ productive ☒ dry ☐ none", "Cough", "yes"),
        ("Smoker: ☐ Current ☐ Former ☒ Never", "Smoker", "no"),
        ("Pain [ ] none [x] mild   Skin [x] dry", "Pain", "yes"),
        ("Edema: [ ]  Rash: [x]", "Edema", "empty"),
        # boxes on both sides: which is its own
        ("History of (all that apply) ☐ CAD ☒ CHF ☐ Stroke", "CAD", "empty"),
        ("History of (all that apply) ☐ CAD ☒ CHF ☐ Stroke", "CHF", "ticked"),
        ("asthma [ ] COPD [x] TB [ ]", "COPD", "ticked"),
        ("wanders | voices [ ] delusions [x] (of theft)", "delusions", "ticked"),
        ("HTN [x]  DM [ ]  TB [x] in 2010", "DM", "empty"),
        ("Fever: [x] Cough: [ ] Rash: [x]", "Cough", "empty"),
        ("[ ] nausea/vomiting [x] history of stroke", "vomiting", "empty"),
        ("[ ] nausea/vomiting [x] history of stroke", "stroke", "ticked"),
        ("[ ] consider sleep study for OSA", "OSA", ""),
        ("5. Sleep apnea (with CPAP?)     [ ]   [x]", "Sleep apnea", "no"),
        ("Angina or heart failure last year  ☒ Yes  ☐ No", "Angina", "yes"),
        ("delirium: inattention | acute change [ ]Y [x]N", "inattention", ""),
        # labels and questions
        ("Smoking status: Never", "Smoking", "no"),
        ("Smoking status: Never Assessed", "Smoking", ""),
        ("Alcohol use: Yes", "Alcohol", "yes"),
        ("Breast cancer    Neg Hx", "Breast cancer", "no"),
        ("Chest pain......no   Fever......yes", "Chest pain", "no"),
        ("Chest pain......no   Fever......yes", "Fever", "yes"),
        ("Any fever? Yes - 38.4 last night", "fever", "yes"),
        ("Any fever in the last week? No", "fever", "no"),
        ("any fever at all? [patient] no, never", "fever", "no"),
        ("He had pneumonia. Since when? No idea.", "pneumonia", ""),
        ("Tramadol (nausea), codeine (rash? no)", "nausea", ""),
        ("Cough at night? Maybe.", "Cough", ""),
        ("Cough? No wheeze heard.", "Cough", ""),
        # a label that is denied by its own name, and one of a problem
        ("Rash: no new rash", "Rash", "no"),
        ("Suicidal ideation: denies SI", "Suicidal ideation", "no"),
        ("Asthma: no wheeze", "Asthma", ""),
        ("HA: no change", "HA", ""),
        ("HA: no HA", "HA", "no"),
        ("AF - no afternoon palpitations", "AF", ""),
        ("DM - no admissions for DKA", "DM", ""),
        ("Asthma: without a flare", "Asthma", ""),
        ("Asthma: no asthma attacks this year", "Asthma", ""),
        ("Seizures: no seizures since 2019 on Keppra", "Seizures", ""),
        ("Seizures: no seizures.", "Seizures", "no"),
        ("ENT        + rhinorrhea", "rhinorrhea", "yes"),
        ("12/05   60   +    -    -    folate 5 mg", "folate", ""),
    ],
)
def test_answers_of_forms(line, asked, expected) -> None:
    begin = line.index(asked)
    assert answer(line, begin, begin + len(asked)) == expected


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        # before what they are said of
        ("ROS: (+) fever, (-) chills, (-) cough, (+) SOB", "fever yes, chills no, cough no, SOB yes"),
        ("Resp: (+)cough (+)wheeze (-)hemoptysis", "cough yes, wheeze yes, hemoptysis no"),
        ("(-) CP (+) SOB (–) N/V", "CP no, SOB yes, N no, V no"),
        ("[-] fever [-] chills [+] fatigue", "fever no, chills no, fatigue yes"),
        ("Pertinent positives: (+) rash. Negatives: (-) fever.", "rash yes, fever no"),
        ("(+) for fever, night sweats; (-) for cough or wheeze", "fever yes, sweats yes, cough no, wheeze no"),
        ("(-) CP, recent falls, on albuterol for asthma", "CP no, falls no, asthma none"),
        ("(+) fever, no chills", "fever yes, chills none"),
        ("(+) fever. Takes aspirin. Gout", "fever yes, Gout none"),
        ("+ fever - chills - cough + SOB", "fever yes, chills no, cough no, SOB yes"),
        ("FH: + CAD (father), + gout (mother), - cancer", "CAD yes, gout yes, cancer no"),
        # behind it
        ("fever (+), chills (-), N/V (-), SOB (+)", "fever yes, chills no, N no, V no, SOB yes"),
        ("Fever (-) Cough (+) Rash (-)", "Fever no, Cough yes, Rash no"),
        ("Fever: (-), cough: (+)", "Fever no, cough yes"),
        ("| Fever | (-) | Cough | (+) |", "Fever no, Cough yes"),
        ("fever + chills - cough - SOB +", "fever yes, chills no, cough no, SOB yes"),
        ("HEENT: sore throat (+), (-) rhinorrhea", "throat yes, rhinorrhea no"),
        # bullets, dashes and sums
        ("- gout + asthma", "gout none, asthma none"),
        ("- gout, on aspirin - asthma", "gout none, asthma none"),
        ("gout - aspirin + ibuprofen", "gout none, aspirin none, ibuprofen none"),
        ("+ gout - aspirin - stable", "gout yes, aspirin none"),
        ("Plan: + troponin - likely NSTEMI", "NSTEMI none"),
        # what stands beside tells nothing
        ("ER (+) PR (-) carcinoma", "carcinoma none"),
        ("Seen for (+) gout", "gout none"),
    ],
)
def test_signs_answer_in_lists(line, answers) -> None:
    found = []
    for asked in (one.split()[0] for one in answers.split(", ")):
        begin = line.index(asked)
        found.append(f"{asked} {answer(line, begin, begin + len(asked)) or 'none'}")
    assert ", ".join(found) == answers


@pytest.mark.parametrize(
    "text",
    [
        "(+) " * 5000,
        "- " * 9000,
        "(-) " + "ab, " * 5000,
        "1" * 50_000,
        " " * 50_000,
        "yes " * 9000,
        "A" + " " * 50_000 + "[x]",
    ],
    ids=lambda text: text[:8],
)
def test_hostile_forms_take_no_long(text) -> None:
    begin = perf_counter()
    for at in (0, len(text) // 2, len(text) - 1):
        answer(text, at, at + 1)
    assert perf_counter() - begin < 1


@pytest.mark.parametrize(("asked", "expected"), [("fever", "yes"), ("cough", "no"), ("HTN", "")])
def test_signs_count_on_their_own_line(asked, expected) -> None:
    text = "ROS:\n+fever -cough\n-HTN -DM"
    begin = text.index(asked)
    assert answer(text, begin, begin + len(asked)) == expected


def test_a_box_on_another_line_says_nothing() -> None:
    text = "[x] fever\ncough"
    assert answer(text, text.index("cough"), len(text)) == ""
