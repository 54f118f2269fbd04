"""Reads files of several tables, one of which is meant: .xlsx workbooks and SQLite databases.

Cells become texts as in CSV. Calamine reads workbooks, but does not tell a blank cell from a formula whose result was
never stored, as libraries write them: the XML of a sheet with formulas shows these.
"""

import datetime as dt
import functools
import itertools
import posixpath
import re
import sqlite3
import urllib.parse
import zipfile
from collections.abc import Iterator
from typing import Any, NamedTuple

import defusedxml.ElementTree
import python_calamine as calamine

from segue.errors import SourceError
from segue_build.sources.formats.base import (
    BLOCK_BYTES,
    EXPECTED_TABLE,
    Content,
    check_unpacked,
    list_names,
    split_headers,
)

_REFERENCE_OR_CALL = re.compile(
    r"[A-Za-z]\$?\d|[A-Za-z.]\("
)  # uses cells or functions; anything else is a name such as =LOVE
FormulaTexts = dict[int, list[tuple[int, str]]]  # row -> columns, both from 0, and texts


class Sheet(NamedTuple):
    """A table: what it is, its headers, and the rows below them, the first of which has the number ``row``."""

    name: str
    headers: list[str]
    row: int
    rows: Iterator[list[str]]


def read_workbook(content: Content, part: str | None) -> Sheet:
    """Read a sheet of a workbook on disk: the one named ``part``, else the only visible one that is not empty.

    Raises
    ------
    SourceError
        several sheets are not empty, or all are; cells are formulas without results.

    """
    assert content.path, content.name  # noqa: S101 # a process of its own has unpacked it
    with zipfile.ZipFile(content.path) as archive:
        check_unpacked(sum(entry.file_size for entry in archive.infolist()), content.size, content.name)
        sheet = _select_sheet(calamine.CalamineWorkbook.from_path(content.path), content.name, part)
        literals = _literal_formulas(archive, sheet.name, content.name)
    first_row = (sheet.start or (0, 0))[0] + 1
    headers, next_row, rows = split_headers(_iter_rows(sheet, literals), first_row)
    if not any(headers):
        raise SourceError(f"{content.name}, sheet '{sheet.name}', row {first_row}: no headers; {EXPECTED_TABLE}")
    return Sheet(f"sheet '{sheet.name}'", headers, next_row, rows)


def _select_sheet(book: calamine.CalamineWorkbook, table: str, part: str | None) -> calamine.CalamineSheet:
    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet]
    if part:
        if part not in [sheet.name for sheet in sheets]:
            names = list_names([sheet.name for sheet in sheets])
            raise SourceError(f"{table}: no sheet '{part}'; there are: {names}")
        return book.get_sheet_by_name(part)
    visible = [sheet.name for sheet in sheets if sheet.visible == calamine.SheetVisibleEnum.Visible]
    filled = [sheet for sheet in map(book.get_sheet_by_name, visible) if sheet.height]
    if not filled:
        raise SourceError(f"{table}: no sheet has anything in it; {EXPECTED_TABLE}")
    if len(filled) > 1:
        names = list_names([sheet.name for sheet in filled])
        raise SourceError(
            f"{table}: the workbook has {len(filled)} sheets ({names}); say which is the table, as in --source"
            f" {table}#{filled[0].name} (several --source merge)"
        )
    return filled[0]


def _iter_rows(sheet: calamine.CalamineSheet, literals: FormulaTexts) -> Iterator[list[str]]:
    """Rows of cells; blank rows have none."""
    top, left = sheet.start or (0, 0)
    for number, values in enumerate(sheet.iter_rows(), top):
        cells = list(map(_to_cell, values))
        for column, text in literals.get(number, ()):
            cells[column - left] = text
        yield cells if any(cells) else []


def _to_cell(value: object) -> str:
    """A cell as in CSV."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(value)


def _literal_formulas(archive: zipfile.ZipFile, sheet: str, table: str) -> FormulaTexts:
    """Formulas without a result, as texts, if they are only names that begin with an equals sign.

    Raises
    ------
    SourceError
        one is not.

    """
    literals: FormulaTexts = {}
    for cell, formula in _unevaluated_formulas(archive, _sheet_entry(archive, sheet)):
        if not formula or _REFERENCE_OR_CALL.search(formula):
            raise SourceError(
                f"{table}, sheet '{sheet}', cell {cell}: a formula without its result; open the workbook in Excel or"
                " LibreOffice and save it, or save it as CSV"
            )
        row, column = _cell_position(cell)
        literals.setdefault(row, []).append((column, f"={formula}"))
    return literals


def _sheet_entry(archive: zipfile.ZipFile, name: str) -> str:
    """The file of a sheet: the workbook says which link leads to it, and another file where links lead."""
    book, links = (
        defusedxml.ElementTree.fromstring(archive.read(entry))
        for entry in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")
    )
    sheet = next(element for element in book.iter() if _is_tag(element, "sheet") and element.get("name") == name)
    link = next(value for key, value in sheet.attrib.items() if key.endswith("}id"))
    target = next(element for element in links if element.get("Id") == link)
    return posixpath.join("xl", target.get("Target", "")).lstrip("/")


def _unevaluated_formulas(archive: zipfile.ZipFile, entry: str) -> Iterator[tuple[str, str]]:
    """Cells of a sheet that are formulas without a stored result, and the formulas."""
    with archive.open(entry) as file:
        blocks = itertools.chain([b""], iter(lambda: file.read(BLOCK_BYTES), b""))
        if not any(b"f>" in before[-1:] + block for before, block in itertools.pairwise(blocks)):
            return
        file.seek(0)
        for _, element in defusedxml.ElementTree.iterparse(file):
            if _is_tag(element, "c") and element.get("t") != "str":
                children = {child.tag.rpartition("}")[2]: child.text or "" for child in element}
                if "f" in children and not children.get("v"):
                    yield element.get("r", ""), children["f"]
            elif _is_tag(element, "row"):
                element.clear()  # rows would fill the memory


def _is_tag(element: Any, name: str) -> bool:
    return bool(element.tag.rpartition("}")[2] == name)


def _cell_position(reference: str) -> tuple[int, int]:
    """``"AB12"`` -> ``(11, 27)``."""
    letters = reference.rstrip("0123456789")
    column = functools.reduce(lambda number, letter: 26 * number + ord(letter) - ord("A") + 1, letters, 0)
    return int(reference[len(letters) :]) - 1, column - 1


def read_database(content: Content, part: str | None) -> Sheet:
    """Read a table of an SQLite database on disk: the one named ``part``, or the only one.

    Raises
    ------
    SourceError
        there are several tables, or none.

    """
    address = f"file:{urllib.parse.quote(str(content.path))}?mode=ro&immutable=1"
    database = sqlite3.connect(address, uri=True)
    database.text_factory = functools.partial(str, encoding="utf-8", errors="replace")
    found = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY rowid"
    )
    names = [name for (name,) in found]
    name = part or (names[0] if len(names) == 1 else "")
    if name not in names:
        raise _several_tables(content.name, database, names, part)
    rows = _select(database, "*", name)
    headers = [header for header, *_ in rows.description]
    return Sheet(f"table '{name}'", headers, 2, ([_database_cell(value) for value in row] for row in rows))


def _several_tables(file: str, database: sqlite3.Connection, names: list[str], part: str | None) -> SourceError:
    rows = {name: _select(database, "count(*)", name).fetchone()[0] for name in names}
    if not rows:
        return SourceError(f"{file}: the SQLite database has no tables; {EXPECTED_TABLE}")
    largest = max(rows, key=lambda name: rows[name])
    shown = list_names([f"{name} with {count:,} rows" for name, count in rows.items()])
    what = f"has no table '{part}'" if part else f"has {len(rows)} tables"
    return SourceError(
        f"{file}: the SQLite database {what} ({shown}); say which holds the songs, as in --source {file}#{largest}"
    )


def _select(database: sqlite3.Connection, what: str, table: str) -> sqlite3.Cursor:
    quoted = table.replace('"', '""')
    return database.execute(f'SELECT {what} FROM "{quoted}"')  # noqa: S608 # a name of the database's own, quoted


def _database_cell(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)
