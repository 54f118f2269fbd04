"""Small files that would cost far more than they weigh, and what a fit of one takes; all contents are invented."""

import io
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

from segue_build import FUNCTIONS, ROOT
from tests.support.table_formats import ROWS, archive, excel
from tests.support.tables import Row, song, songs, text

SHEET = "xl/worksheets/sheet1.xml"
NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


class Cost(NamedTuple):
    """What a command took: its code, seconds of a processor, bytes at the peak of one process, and its last line."""

    code: int
    seconds: float
    memory: int
    said: str


FIT = """
import resource, sys
from segue_build.cli import main
code = main(sys.argv[1:])
if sys.platform == "linux":  # ru_maxrss counts what the process held that this one was forked from
    own = 1024 * int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
else:
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1024 if sys.platform == "linux" else 1)
print(max(own, children))
sys.exit(code)
"""


def cost_of_fit(source: Path, out: Path, *arguments: str) -> Cost:
    """What ``segue fit`` of a file costs, its children included."""
    environ = os.environ | {"PYTHONPATH": os.pathsep.join((str(FUNCTIONS), str(ROOT / "build")))}
    command = [sys.executable, "-c", FIT, "fit", "--source", str(source), "--out", str(out), *arguments]
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as said:
        running = subprocess.Popen(command, stdout=printed, stderr=said, env=environ)
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        said.seek(0)
        lines = said.read().decode("utf-8", "replace").splitlines()
        memory = int(printed.read().split()[-1])
    return Cost(running.returncode, used.ru_utime + used.ru_stime, memory, (lines or [""])[-1])


def workbook(sheet: str, **others: str) -> bytes:
    """A workbook whose sheet, or other parts, are what is given."""
    import zipfile

    saved = zipfile.ZipFile(io.BytesIO(excel(ROWS)))
    parts = {name: saved.read(name).decode() for name in saved.namelist()}
    return archive(*(parts | {SHEET: sheet} | others).items())


def sheet(rows: str) -> str:
    return f'<?xml version="1.0"?><worksheet {NAMESPACE}><sheetData>{rows}</sheetData></worksheet>'


def many_sheets() -> bytes:
    names = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="rId1"/>' for n in range(1, 40_001))
    book = (
        f'<?xml version="1.0"?><workbook {NAMESPACE}'
        ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        f"<sheets>{names}</sheets></workbook>"
    )
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>x</t></is></c></row>' for n in range(1, 2_001))
    return workbook(sheet(cells), **{"xl/workbook.xml": book})


def shared_string() -> bytes:
    shared = f'<?xml version="1.0"?><sst {NAMESPACE}><si><t>name</t></si><si><t>{"x" * 640_000}</t></si></sst>'
    rows = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>' + "".join(
        f'<row r="{n}"><c r="A{n}" t="s"><v>1</v></c></row>' for n in range(2, 10_002)
    )
    return workbook(sheet(rows), **{"xl/sharedStrings.xml": shared})


def one_string(write: Callable[[pa.Table, io.BytesIO], object], length: int, rows: int) -> bytes:
    """A table whose column is one long string, again and again."""
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * length]))
    ids = random.Random(1)
    file = io.BytesIO()
    write(pa.table({"id": [f"{ids.getrandbits(64):x}" for _ in range(rows)], "name": column}), file)
    return file.getvalue()


def to_parquet(table: pa.Table, file: io.BytesIO) -> None:
    pq.write_table(table, file, compression="zstd")


def to_feather(table: pa.Table, file: io.BytesIO) -> None:
    feather.write_feather(table, file, compression="zstd")


def own_keys() -> bytes:
    return json.dumps([{"name": f"Song {n}", f"key {n}": n} for n in range(8_000)]).encode()


def wide(columns: int, rows: int) -> bytes:
    names = [f"column {n}" for n in range(columns)]
    return text([song(row) | dict.fromkeys(names, row) for row in range(1, rows + 1)]).encode()


def headers_and_single_cells(columns: int, rows: int) -> bytes:
    return ("name,energy," + ",".join(f"c{n}" for n in range(columns)) + "\n" + "a\n" * rows).encode()


def small_song(number: int, **cells: str) -> Row:
    known: Row = {"id": f"song{number:05}", "title": f"Song {number}", "artist": f"Artist {number % 900}"}
    return known | {"genre": "folk", "energy": number % 100 / 100} | cells


FILES: dict[str, Callable[[], bytes]] = {
    "names of brackets": lambda: text(songs(20, track_name="(" * 30_000)).encode(),
    "bracketed titles": lambda: text([song(n, track_name="(" * 700 + f" {n}") for n in range(1, 101)]).encode(),
    "titles of spaces": lambda: text([song(n, track_name=f"a{' ' * 900}{n}") for n in range(1, 101)]).encode(),
    "a workbook's attributes": lambda: workbook(
        sheet(f'<row r="1" {" ".join(f"a{n}=1" for n in range(200_000))}><c r="A1"/></row>' + "<row " * 200_000)
    ),
    "a workbook's cells": lambda: workbook(sheet(f"<row r='1'>{'<c/>' * 1_000_000}</row>" * 2)),
    "a workbook's sheets": many_sheets,
    "a far cell, written unusually": lambda: workbook(
        sheet("<row r='1'><c  r='A1'><v>1</v></c></row><row r='1048576'><c  r='XFD1048576'><v>1</v></c></row>")
    ),
    "a workbook of one string": shared_string,
    "Parquet of one string": lambda: one_string(to_parquet, 400_000, 9_000),
    "Feather of one string": lambda: one_string(to_feather, 400_000, 2_500),
    "JSON with keys of their own": own_keys,
    "JSON of one wide object": lambda: json.dumps(
        [{f"column {n}": n for n in range(1_990)}, *({"name": f"Song {n}"} for n in range(20_000))]
    ).encode(),
    "1,500 columns": lambda: wide(1_500, 40),
    "5,000 columns": lambda: wide(5_000, 40),
    "headers, then rows of one cell": lambda: headers_and_single_cells(1_990, 400_000),
    "one title and artist": lambda: text(
        [small_song(n, title="Same", artist="Nobody") for n in range(10_000)]
    ).encode(),
    "10,000 genres": lambda: text([small_song(n, genre=f"genre of {n}") for n in range(10_000)]).encode(),
    "a zip of many lists": lambda: archive(
        *((f"list {n}.csv", f"Track URI,Track Name,Artist Name(s),Added At\ns{n},Song {n},Artist {n},2020\n")
          for n in range(2_000))
    ),
    "a zip of changing headers": lambda: archive(
        *((f"{n}.csv", f"name,artist,column {n % 3}\nSong {n},Artist {n},1\n") for n in range(2_000))
    ),
    "a zip of too many lists": lambda: archive(*((f"{n}.csv", f"name,artist\nSong {n},A\n") for n in range(6_000))),
}  # fmt: skip
