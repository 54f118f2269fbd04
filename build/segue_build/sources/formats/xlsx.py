"""Reads .xlsx workbooks, as Excel, LibreOffice and Numbers write them."""

import contextlib
import datetime as dt
import html
import re
import zipfile
from collections.abc import Iterator
from functools import partial
from typing import IO, Any, NamedTuple

import python_calamine as calamine

from segue.errors import SourceError
from segue_build.sources.formats.base import (
    BLOCK_BYTES,
    EXPECTED_TABLE,
    BoundedReader,
    Content,
    list_names,
    open_zip,
    split_headers,
)

MAX_CELLS = 50 * 10**6  # of the rectangle around all cells of a sheet, which takes the reader 32 bytes per cell
OVERLAP_BYTES = 4096  # bytes of a block of XML that are read again with the next one, where their last tag may end
SAVE_HINT = "save it as .xlsx again, or as CSV"

_CHECKED_PARTS = re.compile(r"xl/(?:worksheets/[^/]+|sharedStrings|styles)\.xml")
_CELL_COLUMN = re.compile(rb'<(?:\w+:)?c r="([A-Z]{1,3})')
_ROW_NUMBER = re.compile(rb'<(?:\w+:)?row [^>]*?\br="(\d{1,7})"')
_UNEVALUATED_FORMULA = re.compile(  # a formula without a stored result, except formulas of texts
    rb'<(?:\w+:)?c r="([A-Z]+)(\d+)"(?![^>]*t="str")[^>]*><(?:\w+:)?f(?:[^>]*/>|[^>]*>([^<]*)</(?:\w+:)?f>)\s*'
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_REFERENCE_OR_CALL = re.compile(
    r"[A-Za-z]\$?\d|[A-Za-z.]\("
)  # uses cells or functions; anything else is a name such as =LOVE
_SHEET_TAG = re.compile(r"<(?:\w+:)?sheet\s[^>]*>")
_RELATIONSHIP_TAG = re.compile(r"<(?:\w+:)?Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(r'([\w:]+)="([^"]*)"')

FormulaTexts = dict[tuple[int, int], str]  # row and column, from 1 -> text


class Sheet(NamedTuple):
    """A sheet: its name, its headers, and the rows below them, the first of which has the number ``row``."""

    name: str
    headers: list[str]
    row: int
    rows: Iterator[list[str]]


def read_workbook(content: Content, part: str | None) -> Sheet:
    """Read a sheet: the one named ``part``, else the only visible one that is not empty.

    Raises
    ------
    SourceError
        several sheets are not empty, or all are; cells are formulas without results; the file is damaged.

    """
    with open_zip(content) as archive:
        entries = _sheet_entries(archive, content.name)
        formulas_by_part = {
            name: _check_part(archive, name, content) for name in archive.namelist() if _CHECKED_PARTS.fullmatch(name)
        }
    try:
        with content.as_path() as path:
            sheet = _select_sheet(calamine.CalamineWorkbook.from_path(path), content.name, part)
    except calamine.CalamineError as error:
        raise SourceError(f"{content.name}: the workbook can't be read ({error}); {SAVE_HINT}") from error
    formulas = formulas_by_part.get(entries.get(sheet.name, ""), {})
    rows, first_row = (
        _iter_rows(sheet, _literal_formulas(formulas, content.name, sheet.name)),
        (sheet.start or (0, 0))[0] + 1,
    )
    headers, next_row, rows = split_headers(rows, first_row)
    if not any(headers):
        raise SourceError(f"{content.name}, sheet '{sheet.name}', row {first_row}: no headers; {EXPECTED_TABLE}")
    return Sheet(sheet.name, headers, next_row, rows)


def _sheet_entries(archive: zipfile.ZipFile, table: str) -> dict[str, str]:
    """The sheets that the workbook lists: name -> entry of the archive."""
    targets = {
        attributes.get("Id", ""): attributes.get("Target", "").lstrip("/").removeprefix("xl/")
        for attributes in _read_tags(archive, "xl/_rels/workbook.xml.rels", _RELATIONSHIP_TAG, table)
    }
    return {
        html.unescape(attributes.get("name", "")): f"xl/{targets.get(attributes.get('r:id', ''))}"
        for attributes in _read_tags(archive, "xl/workbook.xml", _SHEET_TAG, table)
    }


def _read_tags(archive: zipfile.ZipFile, name: str, tag: re.Pattern[str], table: str) -> list[dict[str, str]]:
    if name not in archive.namelist():
        raise SourceError(f"{table}: not an .xlsx workbook ({name} is missing); {SAVE_HINT}")
    with BoundedReader(partial(_open_part, archive, name), table, "workbook", 0) as file:
        text = file.read(BLOCK_BYTES).decode("utf-8", "replace")
    return [dict(_ATTRIBUTE.findall(found)) for found in tag.findall(text)]


def _open_part(archive: zipfile.ZipFile, name: str, stack: contextlib.ExitStack) -> IO[bytes]:
    return stack.enter_context(archive.open(name))


def _check_part(archive: zipfile.ZipFile, name: str, content: Content) -> FormulaTexts:
    """Check the size and extent of a part of a workbook, before the reader, which trusts it, gets it.

    Returns
    -------
    Formulas without stored results, by row and column, up to the first that computes something.

    """
    columns, rows, buffer, found_computed = b"A", 1, b"", False
    formulas: FormulaTexts = {}
    with BoundedReader(partial(_open_part, archive, name), content.name, "workbook", content.size) as file:
        while block := file.read(BLOCK_BYTES):
            buffer = buffer[-OVERLAP_BYTES:] + block
            columns = max({columns, *_CELL_COLUMN.findall(buffer)}, key=_column_number)
            rows = max(rows, *map(int, _ROW_NUMBER.findall(buffer)), rows)
            for column, row, formula in (
                _UNEVALUATED_FORMULA.findall(buffer) if b"f>" in buffer and not found_computed else ()
            ):
                formulas[int(row), _column_number(column)] = html.unescape(formula.decode("utf-8", "replace"))
                found_computed = found_computed or _is_computed(formulas[int(row), _column_number(column)])
    if rows * _column_number(columns) > MAX_CELLS:
        raise SourceError(
            f"{content.name}, {name}: extends to cell {columns.decode()}{rows}, more than {MAX_CELLS:,} cells;"
            " remove what lies far from the table, or save it as CSV"
        )
    return formulas


def _is_computed(formula: str) -> bool:
    """Whether a formula is more than a name that begins with an equals sign."""
    return not formula or bool(_REFERENCE_OR_CALL.search(formula))


def _literal_formulas(formulas: FormulaTexts, table: str, sheet: str) -> FormulaTexts:
    """Formulas that are only names that begin with an equals sign, as texts; any other is an error."""
    for (row, column), formula in formulas.items():
        if _is_computed(formula):
            raise SourceError(
                f"{table}, sheet '{sheet}', cell {_column_letters(column)}{row}: a formula without its result; open"
                " the workbook in Excel or LibreOffice and save it, or save it as CSV"
            )
    return {position: f"={formula}" for position, formula in formulas.items()}


def _column_letters(number: int) -> str:
    """1 -> A, 26 -> Z, 27 -> AA."""
    letters = ""
    while number:
        number, last = divmod(number - 1, 26)
        letters = chr(ord("A") + last) + letters
    return letters


def _column_number(letters: bytes) -> int:
    """A -> 1, Z -> 26, AA -> 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _select_sheet(book: Any, table: str, part: str | None) -> Any:
    sheets = [metadata.name for metadata in book.sheets_metadata if metadata.typ == calamine.SheetTypeEnum.WorkSheet]
    if part:
        if part not in sheets:
            raise SourceError(f"{table}: no sheet '{part}'; there are: {list_names(sheets)}")
        return book.get_sheet_by_name(part)
    hidden = {
        metadata.name for metadata in book.sheets_metadata if metadata.visible != calamine.SheetVisibleEnum.Visible
    }
    non_empty = [sheet for name in sheets if name not in hidden and (sheet := book.get_sheet_by_name(name)).height]
    if not non_empty:
        raise SourceError(f"{table}: no sheet has anything in it; {EXPECTED_TABLE}")
    if len(non_empty) > 1:
        names = list_names([sheet.name for sheet in non_empty])
        raise SourceError(
            f"{table}: the workbook has {len(non_empty)} sheets ({names}); say which is the table, as in --source"
            f" {table}#{non_empty[0].name} (several --source merge)"
        )
    return non_empty[0]


def _iter_rows(sheet: Any, literal_formulas: FormulaTexts) -> Iterator[list[str]]:
    """Rows of cells; blank rows have none."""
    top, left = sheet.start or (0, 0)
    formulas_by_row: dict[int, list[tuple[int, str]]] = {}
    for (row, column), formula in literal_formulas.items():
        formulas_by_row.setdefault(row - 1 - top, []).append((column - 1 - left, formula))
    for row_index, row in enumerate(sheet.iter_rows()):
        cells = list(map(_to_cell, row))
        for index, formula in formulas_by_row.get(row_index, ()):
            cells[index] = formula
        yield cells if any(cells) else []


def _to_cell(value: object) -> str:
    """A cell as in CSV."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(value)
