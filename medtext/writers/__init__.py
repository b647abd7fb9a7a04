"""Records into files: a JSON file a note, JSON Lines, Parquet, or JSON Lines on standard output.

What is written appears under its name only when it is whole: each file is written beside its place and then renamed.
"""

from medtext.writers.records import Target, open_writer

__all__ = ["Target", "open_writer"]
