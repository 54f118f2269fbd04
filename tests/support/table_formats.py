"""The same table in every form that people have it in."""

import bz2
import gzip
import io
import json
import lzma
import zipfile

import openpyxl
import pandas as pd
import pyarrow as pa

from tests.support.tables import song, songs, text

_ROWS = [
    *songs(20, track_name="Über die Brücke", mood="grün"),
    song(21, artists="Zoë;Dez & Dot", track_genre="folk, jazz", tempo="", explicit=True),
    song(22, track_name="Low\nTide, \"again\"", instrumentalness=1.01e-06, popularity=0, tempo=87.5),
]  # fmt: skip
ROWS = [{**row, "mood": row.get("mood", "")} for row in _ROWS]
CSV = text(ROWS)


def frame():
    return pd.read_csv(io.StringIO(CSV))


def commas():
    """Numbers as much of Europe writes them, which takes another separator."""
    rows = [{name: str(cell).replace(".", ",") if isinstance(cell, float) else cell for name, cell in row.items()}
            for row in ROWS]  # fmt: skip
    return text(rows, ";")


def excel(rows, *further, title="Songs"):
    """A workbook of a sheet, and of further ones."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for cells in [list(rows[0]), *(list(row.values()) for row in rows)]:
        sheet.append(cells)
    for name, filled in further:
        book.create_sheet(name).append(["name"] if filled else [])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def archive(*entries):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in entries:
            opened.writestr(name, data)
    return file.getvalue()


def compressed(data, kind):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, kind) as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


def parquet():
    file = io.BytesIO()
    frame().to_parquet(file)
    return file.getvalue()


def arrow(writer):
    sink = io.BytesIO()
    table = pa.Table.from_pandas(frame())
    with writer(sink, table.schema) as out:
        out.write_table(table)
    return sink.getvalue()


def nested():
    """Tracks as the Web API answers with them."""
    rows = [
        {
            "track": {
                "id": row["track_id"], "name": row["track_name"],
                "artists": [{"name": name, "id": "x"} for name in row["artists"].split(";")],
                "album": {"name": row["album_name"], "release_date": row["release_date"]},
                **{name: row[name] for name in ("popularity", "duration_ms", "explicit")},
            },
            "audio_features": {name: row[name] for name in SOUND},
            "genres": row["track_genre"].split(", "),
            "release_date": row["release_date"],
            "mood": row["mood"] or None,
        }
        for row in ROWS
    ]  # fmt: skip
    return json.dumps(rows)


SOUND = [name for name in ROWS[0] if name in ("key", "mode", "tempo", "time_signature", "loudness")]
SOUND += [name for name in ROWS[0] if name.endswith(("ness", "ability", "valence", "energy"))]
KINDS = {
    "UTF-8 with a mark": CSV.encode("utf-8-sig"),
    "UTF-16 with a mark": CSV.encode("utf-16"),
    "UTF-16 LE": CSV.encode("utf-16-le"),
    "UTF-16 BE": CSV.encode("utf-16-be"),
    "Latin-1": CSV.encode("latin-1"),
    "Windows-1252": CSV.encode("cp1252"),
    "semicolons and decimal commas": commas().encode(),
    "semicolons, decimal commas, Latin-1": commas().encode("latin-1"),
    "a first line that says what separates": ("sep=;\n" + commas()).encode(),
    "tabs": text(ROWS, "\t").encode(),
    "bars": text(ROWS, "|").encode(),
    "CRLF": text(ROWS, end="\r\n").encode(),
    "iTunes: UTF-16, tabs": text(ROWS, "\t", "\r\n").encode("utf-16"),
    "JSON lines": "".join(json.dumps(row) + "\n" for row in ROWS).encode(),
    "JSON array": json.dumps(ROWS, indent=1, ensure_ascii=False).encode(),
    "JSON with a mark": json.dumps(ROWS, ensure_ascii=False).encode("utf-8-sig"),
    "JSON of the Web API": nested().encode(),
    "xlsx": excel(ROWS),
    "xlsx with an empty and a hidden sheet": excel(ROWS, ("Notes", False)),
    "gzip": gzip.compress(CSV.encode()),
    "bzip2": bz2.compress(CSV.encode()),
    "xz": lzma.compress(CSV.encode()),
    "zstd": compressed(CSV.encode(), "zstd"),
    "zip": archive(("songs/table.csv", CSV)),
    "zip of a Mac": archive(("table.csv", CSV), ("__MACOSX/._table.csv", "x"), (".DS_Store", "x")),
    "zip with a note": archive(("LICENSE", "free"), ("table.csv", CSV)),
    "zip of a workbook": archive(("table.xlsx", excel(ROWS))),
    "JSON lines in zstd": compressed("".join(json.dumps(row) + "\n" for row in ROWS).encode(), "zstd"),
    "Parquet": parquet(),
    "Parquet in gzip": gzip.compress(parquet()),
    "Feather": arrow(pa.ipc.new_file),
    "Arrow stream": arrow(pa.ipc.new_stream),
}
