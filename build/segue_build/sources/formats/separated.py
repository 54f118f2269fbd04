"""Tables as text with separators: CSV, TSV and their like."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator

from segue_build.sources.formats.content import Content
from segue_build.sources.formats.encoding import encoding_of, label
from segue_build.sources.formats.table import EXPECTED, Table, chunked
from segue.errors import SourceError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
LONGEST = 1 << 24  # characters of a line
LOOKED_AT = 100  # lines from which the separator is told
_END = "\0"  # after the last line: no line of text holds a zero byte


def separated(content: Content) -> Table:
    """Read a table of lines.

    Raises
    ------
    SourceError
        it is empty, binary, in an encoding that can't be told, or has a quote that is never closed.

    """
    codec = encoding_of(content)
    first = list(itertools.islice(_lines(content, codec), LOOKED_AT))
    told = first[0].strip() if first else ""
    named = told[4:] if told.lower().startswith("sep=") and len(told) == 5 else None  # as Excel writes and reads it
    separator = named or separator_of(first)
    rows = _rows(itertools.islice(_lines(content, codec), int(named is not None), None), separator, content.name)
    headers = [header.strip() for header in next(rows, [])]
    _check_headers(headers, content.name)
    kind = "TSV" if separator == "\t" else "CSV"
    told_as = SEPARATORS.get(separator, repr(separator))
    form = f"{content.form(kind)}, {label(codec)}, separated by {told_as}"
    return Table(content.name, form, headers, chunked(rows, len(headers), 2 + int(named is not None)))


def _lines(content: Content, codec: str) -> Iterator[str]:
    """The lines as they are, with their ends."""
    with io.TextIOWrapper(content.opened(), codec, newline="") as text:
        for number in itertools.count(1):
            line = text.readline(LONGEST)
            if not line:
                return
            if _END in line:
                raise SourceError(f"{content.name}, line {number}: binary data (a zero byte); {EXPECTED}")
            if len(line) == LONGEST:
                raise SourceError(f"{content.name}, line {number}: longer than {LONGEST:,} characters; {EXPECTED}")
            yield line


def separator_of(lines: list[str]) -> str:
    """The one that parts most lines into as many fields, more than one, as the first; the more fields, the better."""

    def fit(separator: str) -> tuple[float, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=separator) if row]
        if not counts or counts[0] < 2:
            return 0.0, 0
        return counts.count(counts[0]) / len(counts), counts[0]

    try:
        return max(SEPARATORS, key=fit)
    except csv.Error:  # the reader of all rows will say where
        return max(SEPARATORS, key="".join(lines[:1]).count)


def _rows(lines: Iterable[str], separator: str, table: str) -> Iterator[list[str]]:
    """The rows; a quote that is never closed would hide all that follow in one cell."""
    reader = csv.reader(itertools.chain(lines, [_END]), delimiter=separator)
    try:
        for number, row in enumerate(reader, 1):
            if row == [_END]:
                return
            if row and row[-1].endswith(_END):
                raise SourceError(
                    f"{table}, row {number}, column {len(row)}: a quote is opened and never closed; {EXPECTED}"
                )
            yield row
    except csv.Error as error:
        raise SourceError(
            f"{table}, line {reader.line_num}: {error} (a quote that is never closed?); {EXPECTED}"
        ) from error


def _check_headers(headers: list[str], table: str) -> None:
    if not any(headers):
        raise SourceError(f"{table}, row 1: no headers; {EXPECTED}")
    if any(not character.isprintable() and not character.isspace() for header in headers for character in header):
        raise SourceError(f"{table}, row 1: binary data in the headers; {EXPECTED}")
