"""Tables as workbooks: .xlsx, of Excel, LibreOffice, Numbers and the like."""

import contextlib
import datetime as dt
import html
import re
import zipfile
from collections.abc import Iterator
from functools import partial
from typing import IO, Any

import python_calamine as calamine

from segue_build.sources.formats.content import BLOCK, Content, Guarded
from segue_build.sources.formats.packing import archive
from segue_build.sources.formats.table import EXPECTED, Table, chunked
from segue.errors import SourceError

MOST_CELLS = 50 * 10**6  # in the rectangle around all that a sheet holds: the reader holds it at 32 bytes a cell
OVERLAP = 4096  # bytes of a block of XML that are looked at again with the next one: what they begin may end there
SAVE = "save it as .xlsx again, or as CSV"

_TRUSTED = re.compile(r"xl/(?:worksheets/[^/]+|sharedStrings|styles)\.xml")
_COLUMN = re.compile(rb'<(?:\w+:)?c r="([A-Z]{1,3})')
_ROW = re.compile(rb'<(?:\w+:)?row [^>]*?\br="(\d{1,7})"')
_UNSOLVED = re.compile(  # a formula, but for one of texts, whose result is not stored
    rb'<(?:\w+:)?c r="([A-Z]+)(\d+)"(?![^>]*t="str")[^>]*><(?:\w+:)?f(?:[^>]*/>|[^>]*>([^<]*)</(?:\w+:)?f>)\s*'
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_COMPUTED = re.compile(r"[A-Za-z]\$?\d|[A-Za-z.]\(")  # from cells or by functions; anything else is a name: =LOVE
_SHEET = re.compile(r"<(?:\w+:)?sheet\s[^>]*>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(r'([\w:]+)="([^"]*)"')

Texts = dict[tuple[int, int], str]  # row and column, from 1 -> text


def workbook(content: Content, part: str | None) -> Table:
    """Read a sheet: the one asked for, else the only visible one with anything in it.

    part : its name

    Raises
    ------
    SourceError
        several sheets have something in them, or none has; cells are formulas without results; the file is damaged.

    """
    with archive(content) as opened:
        entries = _entries(opened, content.name)
        checked = {name: _checked(opened, name, content) for name in opened.namelist() if _TRUSTED.fullmatch(name)}
    try:
        with content.on_disk() as path:
            sheet = _chosen(calamine.CalamineWorkbook.from_path(path), content.name, part)
    except calamine.CalamineError as error:
        raise SourceError(f"{content.name}: the workbook can't be read ({error}); {SAVE}") from error
    formulas = checked.get(entries.get(sheet.name, ""), {})
    rows, first = _rows(sheet, _names(formulas, content.name, sheet.name)), (sheet.start or (0, 0))[0] + 1
    headers = [header.strip() for header in next(rows, [])]
    if not any(headers):
        raise SourceError(f"{content.name}, sheet '{sheet.name}', row {first}: no headers; {EXPECTED}")
    form = f"{content.form('workbook')}, sheet '{sheet.name}'"
    return Table(content.name, form, headers, chunked(rows, len(headers), first + 1))


def _entries(opened: zipfile.ZipFile, table: str) -> dict[str, str]:
    """The sheets by their names, as the workbook lists them: name -> entry of the archive."""
    targets = {
        said.get("Id", ""): said.get("Target", "").lstrip("/").removeprefix("xl/")
        for said in _tags(opened, "xl/_rels/workbook.xml.rels", _RELATION, table)
    }
    return {
        html.unescape(said.get("name", "")): f"xl/{targets.get(said.get('r:id', ''))}"
        for said in _tags(opened, "xl/workbook.xml", _SHEET, table)
    }


def _tags(opened: zipfile.ZipFile, name: str, tag: re.Pattern[str], table: str) -> list[dict[str, str]]:
    if name not in opened.namelist():
        raise SourceError(f"{table}: no workbook of .xlsx ({name} is missing); {SAVE}")
    with Guarded(partial(_part, opened, name), table, "workbook", 0) as file:
        text = file.read(BLOCK).decode("utf-8", "replace")
    return [dict(_ATTRIBUTE.findall(found)) for found in tag.findall(text)]


def _part(opened: zipfile.ZipFile, name: str, stack: contextlib.ExitStack) -> IO[bytes]:
    return stack.enter_context(opened.open(name))


def _checked(opened: zipfile.ZipFile, name: str, content: Content) -> Texts:
    """Before the reader gets a part of a workbook, which it trusts: how large it is, and how far it reaches.

    Returns
    -------
    Formulas whose results are not stored, by row and column; no more of them after the first that is computed.

    """
    columns, rows, held, computed = b"A", 1, b"", False
    formulas: Texts = {}
    with Guarded(partial(_part, opened, name), content.name, "workbook", content.size) as file:
        while block := file.read(BLOCK):
            held = held[-OVERLAP:] + block
            columns = max({columns, *_COLUMN.findall(held)}, key=_number)
            rows = max(rows, *map(int, _ROW.findall(held)), rows)
            for column, row, formula in _UNSOLVED.findall(held) if b"f>" in held and not computed else ():
                formulas[int(row), _number(column)] = html.unescape(formula.decode("utf-8", "replace"))
                computed = computed or _is_computed(formulas[int(row), _number(column)])
    if rows * _number(columns) > MOST_CELLS:
        raise SourceError(
            f"{content.name}, {name}: reaches to cell {columns.decode()}{rows}, more than {MOST_CELLS:,} cells;"
            " remove what stands far from the table, or save it as CSV"
        )
    return formulas


def _is_computed(formula: str) -> bool:
    """Whether a formula is more than a name that begins with an equals sign."""
    return not formula or bool(_COMPUTED.search(formula))


def _names(formulas: Texts, table: str, sheet: str) -> Texts:
    """The formulas as the texts that were meant."""
    for (row, column), formula in formulas.items():
        if _is_computed(formula):
            raise SourceError(
                f"{table}, sheet '{sheet}', cell {_letters(column)}{row}: a formula without its result; open the"
                " workbook in Excel or LibreOffice and save it, or save it as CSV"
            )
    return {place: f"={formula}" for place, formula in formulas.items()}


def _letters(number: int) -> str:
    """1 -> A, 26 -> Z, 27 -> AA."""
    letters = ""
    while number:
        number, last = divmod(number - 1, 26)
        letters = chr(ord("A") + last) + letters
    return letters


def _number(letters: bytes) -> int:
    """A -> 1, Z -> 26, AA -> 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _chosen(book: Any, table: str, part: str | None) -> Any:
    sheets = [about.name for about in book.sheets_metadata if about.typ == calamine.SheetTypeEnum.WorkSheet]
    if part:
        if part not in sheets:
            raise SourceError(f"{table}: no sheet '{part}'; there are: {', '.join(sheets)}")
        return book.get_sheet_by_name(part)
    hidden = [about.name for about in book.sheets_metadata if about.visible != calamine.SheetVisibleEnum.Visible]
    filled = [sheet for name in sheets if name not in hidden and (sheet := book.get_sheet_by_name(name)).height]
    if not filled:
        raise SourceError(f"{table}: no sheet has anything in it; {EXPECTED}")
    if len(filled) > 1:
        names = ", ".join(sheet.name for sheet in filled)
        raise SourceError(
            f"{table}: the workbook has {len(filled)} sheets ({names}); say which is the table, as in --source"
            f" {table}#{filled[0].name} (several --source merge)"
        )
    return filled[0]


def _rows(sheet: Any, names: Texts) -> Iterator[list[str]]:
    """Rows of cells; none in a blank one."""
    top, left = sheet.start or (0, 0)
    places: dict[int, list[tuple[int, str]]] = {}
    for (row, column), name in names.items():
        places.setdefault(row - 1 - top, []).append((column - 1 - left, name))
    for number, row in enumerate(sheet.iter_rows()):
        cells = list(map(_cell, row))
        for place, name in places.get(number, ()):
            cells[place] = name
        yield cells if any(cells) else []


def _cell(value: object) -> str:
    """As CSV would have it."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(value)
