"""Tables in all forms: what reading one takes beside plain CSV, and how many cells of artists are read right.

``python -m tests.benchmarks.tables TABLE.csv`` prints both, for docs/tables.md. The names of a table that parts them
by semicolons are known: joined by commas they must come out again.
"""

import argparse
import bz2
import gzip
import io
import lzma
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa

from segue_build import ROOT
from segue_build.sources.multivalue import CREDIT_SEPARATORS, infer_credits
from tests.benchmarks.figures import Row, ratio, table

RUNS = 3  # of each form, in turn
READ = """
import pathlib, re, sys, time
from segue_build.sources.tracks import load_tracks
began = time.perf_counter()
load_tracks([sys.argv[1]], {})
took, status = time.perf_counter() - began, pathlib.Path("/proc/self/status").read_text()
print(took, int(re.search(r"VmHWM:\\s*(\\d+)", status)[1]) / 1000)  # getrusage counts what started this process, too
"""


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.tables", description=__doc__)
    parser.add_argument("csv", type=Path, metavar="TABLE.csv")
    source = parser.parse_args().csv
    frame = pd.read_csv(source, dtype="str", keep_default_na=False)
    with tempfile.TemporaryDirectory() as folder:
        print(table(reading(forms(frame, Path(folder)))), flush=True)
    print()
    print(table([credited(frame["artists"])]))


def forms(frame: pd.DataFrame, folder: Path) -> dict[str, Path]:
    """The table in every form: name -> path."""
    text = frame.to_csv(index=False)
    typed = pd.read_csv(io.StringIO(text), keep_default_na=False)
    makers: dict[str, Callable[[Path], object]] = {
        "CSV": lambda path: path.write_text(text, encoding="utf-8"),
        "CSV, UTF-16": lambda path: path.write_text(text, encoding="utf-16"),
        "CSV, Windows-1252": lambda path: path.write_text(text, encoding="cp1252", errors="replace"),
        "CSV, semicolons, decimal commas": lambda path: path.write_text(commas(frame), encoding="utf-8"),
        "JSON lines": lambda path: typed.to_json(path, orient="records", lines=True, force_ascii=False),
        "JSON array": lambda path: typed.to_json(path, orient="records", force_ascii=False),
        "xlsx": lambda path: workbook(typed, path),
        "gzip": lambda path: path.write_bytes(gzip.compress(text.encode())),
        "bzip2": lambda path: path.write_bytes(bz2.compress(text.encode())),
        "xz": lambda path: path.write_bytes(lzma.compress(text.encode())),
        "zstd": lambda path: path.write_bytes(zstd(text.encode())),
        "zip": lambda path: zipped(text, path),
        "Parquet": typed.to_parquet,
        "Parquet in parts": lambda path: typed.to_parquet(path, partition_cols=["track_genre"]),
        "Feather": typed.to_feather,
    }
    paths = {}
    for name, make in makers.items():
        paths[name] = folder / name
        make(paths[name])
    return paths


def commas(frame: pd.DataFrame) -> str:
    """Numbers with decimal commas between semicolons."""
    return frame.replace(r"^(-?\d+)\.(\d+)$", r"\1,\2", regex=True).to_csv(index=False, sep=";")


def workbook(frame: pd.DataFrame, path: Path) -> None:
    """Write a sheet."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Songs")
    sheet.append(list(frame))
    for row in frame.itertuples(index=False):
        sheet.append(list(row))
    book.save(path)


def zstd(data: bytes) -> bytes:
    """Compress by zstd."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


def zipped(text: str, path: Path) -> None:
    """Write a zip archive of one table."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("songs.csv", text)


def reading(paths: dict[str, Path]) -> list[Row]:
    """Seconds and memory of a process that reads and tidies the table, a row a form."""
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in paths}
    for _ in range(RUNS):
        for name, path in paths.items():
            done = subprocess.run(
                [sys.executable, "-c", READ, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
            )
            seconds, megabytes = map(float, done.stdout.split())
            took[name].append((seconds, megabytes))
    return [
        {
            "form": name,
            "MB on disk": sum(file.stat().st_size for file in [paths[name], *paths[name].rglob("*")]) / 1e6,
            "times CSV": ratio((seconds for seconds, _ in runs), (seconds for seconds, _ in took["CSV"])),
            "peak MB": max(megabytes for _, megabytes in runs),
        }
        for name, runs in took.items()
    ]


def credited(cells: "pd.Series[str]") -> Row:
    """How many cells of several names come out right when commas part them; how many names with a comma don't."""
    truth = {", ".join(names): names for names in (cell.split(";") for cell in cells.unique() if cell)}
    found = infer_credits(truth, header_is_plural=False).names
    several = [cell for cell, names in truth.items() if len(names) > 1]
    commas = [cell for cell, names in truth.items() if len(names) == 1 and CREDIT_SEPARATORS["commas"].search(cell)]
    return {
        "different cells": len(truth),
        "of several names": len(several),
        "read right": sum(found.get(cell) == truth[cell] for cell in several),
        "one name with a comma": len(commas),
        "parted": sum(cell in found for cell in commas),
    }


if __name__ == "__main__":
    main()
