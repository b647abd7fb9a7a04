"""From a note and its record to the note without its identifiers.

keyed        a number that depends on the key, the patient and a value
people       which names are the same person's
dates        dates shifted by whole days, in the form that they are written in
fakes        names, places and professions, by Faker
surrogates   something that could stand in an identifier's place
replacing    the text with its replacements, by presidio-anonymizer, and where its offsets went
redact       the modes: mask, tag, hash, surrogate
"""
