"""Notes from files, folders, tables and standard input, one at a time.

    *.txt              one note a file; its id is the path, relative to the folder that was named
    *.jsonl            one JSON object a line
    *.csv, *.parquet   one row a note
    a folder           every *.txt below it, in the order of their names
    -                  JSON Lines from standard input

Any of them may be gzipped (`.gz`). Tables have a text column and an id column; without the latter, rows are numbered.
Text is handed on exactly as it was read: no line ends are changed and nothing is stripped. What cannot be read comes out
as a `Record` with an error, in its place among the notes, and the rest goes on.
"""

from medtext.readers.notes import Source, TableColumns, read

__all__ = ["Source", "TableColumns", "read"]
