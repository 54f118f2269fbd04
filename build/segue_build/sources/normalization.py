"""Converts raw cells to cells of the canonical table, a chunk at a time; bad rows are dropped and counted.

The canonical table has the columns ``columns.CANONICAL_COLUMNS``, with missing values where a source has none, and
the source's other columns. Lists (artists, genres) are texts joined by ``SEPARATOR``, which take a tenth of the
memory of Python lists. What only a whole column shows is inferred in :mod:`segue_build.sources.column_inference`.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator
from functools import partial

import numpy as np
import pandas as pd

from segue.query.schema import ATTRIBUTES_BY_NAME, AUDIO_FEATURES, Attribute
from segue_build.sources.columns import CANONICAL_COLUMNS, ColumnMapping
from segue_build.sources.formats.base import FIELD_COUNT, ROW_NUMBER
from segue_build.sources.ingest_report import IngestReport, RowFilter, TableInterpretation
from segue_build.sources.multivalue import (
    MISSING_MARKERS,
    SEPARATOR,
    join_values,
    parse_list,
    split_artists,
    split_genres,
)
from segue_build.sources.series import Series, distinct_cells, map_distinct, stripped_texts, without_missing
from segue_build.sources.values import MODES, parse_duration, parse_key, parse_numbers, parse_year

FEATURES = [attribute.name for attribute in AUDIO_FEATURES if attribute.name not in ("key", "mode", "time_signature")]
OPTIONAL_COLUMNS = {"album", "explicit", "popularity", "duration_ms"} | {feature.name for feature in AUDIO_FEATURES}
# characters of a text that a table may have; the longest title of an album on record has 865
MAX_LENGTHS = {"name": 1_000, "album": 1_000, "artists": 10_000, "genres": 10_000}
LEFT_UNREAD = "left unread"
YEAR_ALBUM = "read as the year, not as the album"
EXPLICIT_DURATIONS = "_explicit_durations"  # a column: durations with units, in milliseconds
METER = re.compile(r"(\d{1,2})(?:/\d{1,2}|\s*beats?.*)", re.IGNORECASE)
BOOLEANS = dict.fromkeys(("true", "1", "1.0", "yes", "t", "y", "explicit"), True)
BOOLEANS |= dict.fromkeys(("false", "0", "0.0", "no", "f", "n", "clean", "cleaned", "notexplicit"), False)

_ISRC = r"[A-Z]{2}[A-Z0-9]{3}\d{7}"  # ISO 3901
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
ID_AFFIXES = re.compile(
    r"^(?:spotify:track:|https?://(?:open\.spotify\.com/(?:intl-[\w-]+/)?track|musicbrainz\.org/recording"
    r"|api\.spotify\.com/v1/(?:tracks|audio-features))/)|\?[\s\S]*$"
)
NO_ID = re.compile(r"(?:spotify:local:|\w+://).*")  # a file of its owner's, or the address of something else
MAX_UNREADABLE_SHARE, MIN_UNREADABLE = (
    0.10,
    3,
)  # of known cells: a column with more of both is not what its header says


class RawChunk:
    """The raw cells of a chunk, and which of its rows have not been rejected."""

    def __init__(self, raw: pd.DataFrame, interpretation: TableInterpretation, report: IngestReport):
        self.raw = raw
        self.columns = interpretation.columns
        self.interpretation = interpretation
        self.rows = RowFilter(raw[ROW_NUMBER], interpretation.table, report)

    def column(self, name: str) -> Series:
        """The raw cells of the column that feeds a canonical column."""
        return self.raw[self.columns.positions[name][0]]

    def texts(self, name: str) -> Series:
        """The same as stripped texts; empty ones are missing values."""
        return stripped_texts(self.column(name))

    def reject(self, bad: Series, name: str, reason: str, expected: str) -> None:
        """Drop rows whose cell can't be used."""
        self.rows.reject(bad, self.columns.header(name), self.column(name), reason, expected)


def normalize(raw: pd.DataFrame, interpretation: TableInterpretation, report: IngestReport) -> pd.DataFrame:
    """Turn a chunk of raw cells into cells of the canonical table, numbers still in the table's own units.

    raw : as tables are read, see :class:`segue_build.sources.formats.base.Table`
    interpretation : what each raw column is; receives how cells were interpreted
    report : receives the counts

    Returns
    -------
    The columns that the table has, then ``EXPLICIT_DURATIONS``, if it has durations, and ``ROW_NUMBER``.

    """
    report.rows += len(raw)
    chunk, columns = RawChunk(raw, interpretation, report), interpretation.columns
    chunk.rows.reject_ragged(raw[FIELD_COUNT], len(columns.headers))
    converted = {name: convert(chunk) for name, convert in _converters(columns)}
    if "key" in columns.positions:
        converted |= _keys_and_modes(chunk, converted.get("mode"))
    if "duration_ms" in columns.positions:
        converted |= _durations(chunk)
    frame = pd.DataFrame(
        {name: converted[name] for name in (*CANONICAL_COLUMNS, EXPLICIT_DURATIONS) if name in converted},
        index=raw.index,
    )
    if "name" in columns.positions:
        chunk.reject(_lacks_name(frame), "name", "without a name", "is not a song title")
    else:
        chunk.reject(frame["id"].isna(), "id", "without an id or a name", "is not a song id")
    for name, most in MAX_LENGTHS.items():
        if name in columns.positions:
            is_long = frame[name].str.len().fillna(0) > most
            chunk.reject(is_long, name, f"with {name} too long", f"is longer than {most:,} characters")
    others = {name: _kept_cells(raw[index]) for name, index in columns.extra.items()}
    # All at once: each insertion into a frame takes time for all of its columns.
    return chunk.rows.accepted(pd.concat([frame, pd.DataFrame(others, raw.index), raw[[ROW_NUMBER]]], axis=1))


def _kept_cells(cells: Series) -> Series:
    """Cells of a column that is not interpreted; lists and whatever else is no number become texts."""
    if cells.dtype == object:
        cells = cells.map(_as_text, na_action="ignore").astype("str")
    return cells.mask(cells.isin([""]))


def _as_text(cell: object) -> str:
    """A list as JSON, which is read as a list again where the column is one of labels."""
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    return json.dumps(cell, ensure_ascii=False, default=str) if isinstance(cell, list | tuple | dict) else str(cell)


def plausible_columns(
    raw: pd.DataFrame, columns: ColumnMapping, named: Collection[str], report: IngestReport
) -> ColumnMapping:
    """The same without columns whose cells are not what their headers say, such as "time" or "live" in a history.

    An album that is a year is one.

    raw : the first chunk
    named : canonical columns whose headers the user named; they count, whatever they hold
    report : receives a note on each
    """
    unread = {}
    for name in (name for name in columns.positions if name in OPTIONAL_COLUMNS and name not in named):
        cells = raw[columns.positions[name][0]]
        if pd.api.types.is_numeric_dtype(cells) and name != "album":
            continue
        texts = without_missing(stripped_texts(cells)).dropna()
        wrong = texts[_unreadable(name, texts)]
        if len(wrong) > max(MAX_UNREADABLE_SHARE * len(texts), MIN_UNREADABLE - 1):
            unread[name] = str(wrong.iloc[0])
    for name, cell in unread.items():
        what = YEAR_ALBUM if name == "album" else LEFT_UNREAD
        report.add_note(f"column '{columns.header(name)}' was {what}, for its cells are like '{cell[:40]}'")
    is_year = "album" in unread and "year" not in columns.positions
    positions = {"year": columns.positions["album"]} if is_year else {}
    return columns.without(set(unread), positions)


def _unreadable(name: str, texts: Series) -> Series:
    """Which cells can't be of a column."""
    if name == "album":
        return texts.str.fullmatch(r"(?:19|20)\d\d(?:\.0)?").astype(bool)
    if name == "explicit":
        return ~texts.str.lower().isin(list(BOOLEANS))
    values, _ = parse_numbers(texts, integers=True, full_scale=1)
    parse = {"duration_ms": parse_duration, "key": _parse_pitch_class} | WORD_PARSERS
    words = map_distinct(texts[values.isna()], parse.get(name, lambda _: None), "float64")
    return values.fillna(words).isna()


def _converters(columns: ColumnMapping) -> Iterator[tuple[str, Callable[[RawChunk], Series]]]:
    special: dict[str, Callable[[RawChunk], Series]] = {
        "id": _ids,
        "artists": _artists,
        "genres": _genres,
        "isrc": lambda chunk: plain_isrcs(chunk.column("isrc")),
        "year": _years,
        "explicit": _explicit,
        **{name: partial(_numbers_or_words, name=name, parse_word=parse) for name, parse in WORD_PARSERS.items()},
    }
    for name in columns.positions:
        if name in special:
            yield name, special[name]
        elif name in ("key", "duration_ms"):
            continue
        elif name in ATTRIBUTES_BY_NAME:
            yield name, partial(_numbers, attribute=ATTRIBUTES_BY_NAME[name])
        else:
            yield name, partial(RawChunk.texts, name=name)


def plain_ids(cells: Series) -> Series:
    """Ids without what services put around them; of a list the first."""
    if cells.dtype == object:
        cells = cells.map(lambda cell: (parse_list(cell) or [cell])[0], na_action="ignore")
    ids = without_missing(stripped_texts(cells)).str.replace(ID_AFFIXES, "", regex=True)
    return ids.mask(ids.str.fullmatch(NO_ID.pattern).fillna(False).astype(bool) | (ids == ""))


def _ids(chunk: RawChunk) -> Series:
    ids = plain_ids(chunk.column("id"))
    wrong = ids.notna() & ~ids.str.fullmatch(_ID.pattern).fillna(False).astype(bool)
    chunk.reject(wrong, "id", "with a malformed id", "is not 1..64 characters of A-Z a-z 0-9 _ . : -")
    return ids


def _lacks_name(frame: pd.DataFrame) -> Series:
    """Rows without a name, or with "NA" as both name and artist: either alone may be a real name."""
    nameless = frame["name"].isna()
    if "artists" in frame:
        nameless |= (frame["name"] == "NA") & (frame["artists"] == "NA")
    return nameless


def _artists(chunk: RawChunk) -> Series:
    cells = chunk.column("artists")
    chunk.interpretation.artists_delimited |= any(
        ";" in str(cell) or parse_list(cell) is not None for cell in distinct_cells(cells)
    )
    return map_distinct(cells, lambda cell: join_values(split_artists(cell)))


def _genres(chunk: RawChunk) -> Series:
    first, *further = (
        map_distinct(chunk.raw[index], lambda cell: join_values(split_genres(cell)))
        for index in chunk.columns.positions["genres"]
    )
    joined = first.str.cat(further, SEPARATOR, na_rep="")
    return map_distinct(joined, lambda text: join_values(sorted(text.split(SEPARATOR))))


def plain_isrcs(cells: Series) -> Series:
    """Codes without separators; anything else is a missing value: an ISRC is never the only name of a song."""
    isrcs = stripped_texts(cells).str.upper().str.replace(r"[\s-]", "", regex=True)
    return isrcs.where(isrcs.str.fullmatch(_ISRC).fillna(False).astype(bool))


def _numbers(chunk: RawChunk, attribute: Attribute) -> Series:
    cells = chunk.column(attribute.name)
    if pd.api.types.is_numeric_dtype(cells):
        return cells.astype("float64")
    full_scale = attribute.high if attribute.high in (1, 100) else None
    texts = without_missing(stripped_texts(cells))
    values, decimal_comma = parse_numbers(texts, integers=attribute.is_integer, full_scale=full_scale)
    chunk.interpretation.decimal_commas |= decimal_comma
    chunk.reject(
        values.isna() & texts.notna(), attribute.name, f"with {attribute.name} not a number", "is not a number"
    )
    return values


def _numbers_or_words(chunk: RawChunk, name: str, parse_word: Callable[[str], float | None]) -> Series:
    """Whole numbers, or words that stand for them."""
    cells = chunk.column(name)
    if pd.api.types.is_numeric_dtype(cells):
        values = cells.astype("float64")
    else:
        texts = without_missing(stripped_texts(cells))
        values, _ = parse_numbers(texts, integers=True)
        values = values.fillna(map_distinct(texts[values.isna()], parse_word, "float64"))
        chunk.reject(values.isna() & texts.notna(), name, f"with {name} not a number", "is not a number")
    chunk.reject(values % 1 > 0, name, f"with a {name} that is not whole", "is not a whole number")
    return values


def _parse_mode(text: str) -> float | None:
    return MODES.get(text.lower())


def _parse_meter(text: str) -> float | None:
    found = METER.fullmatch(text)
    return float(found[1]) if found else None


def _keys_and_modes(chunk: RawChunk, modes: Series | None) -> dict[str, Series]:
    """Each song's key from the first column that has one; the mode from there too if no column of modes has it."""
    keys = _numbers_or_words(chunk, "key", _parse_pitch_class)
    text_columns = [without_missing(stripped_texts(chunk.raw[index])) for index in chunk.columns.positions["key"]]
    for cells in text_columns[1:]:
        keys = keys.fillna(map_distinct(cells[keys.isna()], _parse_pitch_class, "float64"))
    for cells in text_columns:
        found = map_distinct(cells, _parse_key_mode, "float64")
        if modes is None and found.notna().any():
            chunk.interpretation.add_remark("key", "modes too")
        modes = found if modes is None else modes.fillna(found)
    return {"key": keys, "mode": modes}


WORD_PARSERS: dict[str, Callable[[str], float | None]] = {"mode": _parse_mode, "time_signature": _parse_meter}


def _parse_pitch_class(text: str) -> float | None:
    key = parse_key(text)
    return key[0] if key else None


def _parse_key_mode(text: str) -> float | None:
    key = parse_key(text)
    return key[1] if key else None


def _durations(chunk: RawChunk) -> dict[str, Series]:
    """Plain numbers, whose unit is not yet known, and durations with units."""
    cells = chunk.column("duration_ms")
    if pd.api.types.is_numeric_dtype(cells):
        return {"duration_ms": cells.astype("float64"), EXPLICIT_DURATIONS: pd.Series(np.nan, cells.index)}
    texts = without_missing(stripped_texts(cells))
    plain, _ = parse_numbers(texts, integers=True)
    explicit = map_distinct(texts[plain.isna()], parse_duration, "float64").reindex(cells.index)
    unparsed = texts.notna() & plain.isna() & explicit.isna()
    chunk.reject(
        unparsed, "duration_ms", "with duration_ms not a number", "is neither a number nor a duration like 3:20"
    )
    return {"duration_ms": plain, EXPLICIT_DURATIONS: explicit}


def _years(chunk: RawChunk) -> Series:
    """Years of dates; anything else is a missing value."""
    years = map_distinct(chunk.texts("year"), parse_year, "float64")
    return years.where(years.between(ATTRIBUTES_BY_NAME["year"].low, ATTRIBUTES_BY_NAME["year"].high))


def _explicit(chunk: RawChunk) -> Series:
    cells = chunk.texts("explicit").str.lower()
    values = cells.map(BOOLEANS).astype("boolean")
    wrong = cells.notna() & ~cells.isin(MISSING_MARKERS) & values.isna()
    chunk.reject(wrong, "explicit", "with explicit neither true nor false", "is neither true nor false")
    return values.astype("Float64").astype("float64")
