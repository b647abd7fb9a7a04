"""Notes from files, folders, tables and standard input, one at a time.

    *.txt              one note a file; its id is the path, relative to the folder that was named
    *.jsonl            one JSON object a line
    *.csv, *.parquet   one row a note
    a folder           every *.txt below it, sorted by path; links to folders are not followed
    -                  standard input: JSON Lines where it begins with "{", one note otherwise

Any of them may be gzipped (`.gz`). Tables have a text column and an id column; without the latter, rows are numbered.
Text is handed on exactly as it was read: no line ends are changed and nothing is stripped. What cannot be read comes
out as a `Record` with an error, in its place among the notes, and the rest goes on. No two things that come out have
the same id.
"""

from medtext.readers.notes import Source, check, count, read
from medtext.readers.rows import TableColumns

__all__ = ["Source", "TableColumns", "check", "count", "read"]
