"""The pipeline, in the order in which it runs."""

STEPS = (
    "medtext_sentences",  # sentence starts, right on clinical layout
    "medtext_sections",  # medspaCy's sectionizer over rules/sections.tsv
    "medtext_abbreviations",  # scispaCy: abbreviations a note defines itself
    "medtext_lexicon",  # terms of rules/lexicons: candidates, and features of the model
    "medtext_patterns",  # doses, frequencies, values, vital signs, dates, ages
    "medtext_ner",  # the trained model
    "medtext_phi",  # Presidio on this Doc
    "medtext_resolve",  # candidates -> mentions without overlaps
    "medtext_attributes",  # attributes on their entity
    "medtext_traits",  # ConText, the section and the model
)
