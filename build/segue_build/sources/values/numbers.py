"""Numbers as people and spreadsheets write them."""

import re

import numpy as np
import pandas as pd

from segue_build.sources.cells import Cells

_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE)
_UNIT = re.compile(r"\s*(?:dBFS|dB|LUFS|BPM)$", re.IGNORECASE)
_GAP = re.compile(r"(?<=\d)[\s'\u2019](?=\d{3}(?:\D|$))")  # between thousands
_BY_COMMAS = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_BY_POINTS = re.compile(r"[-+]?[1-9]\d{0,2}(?:\.\d{3}){2,}")


def numbers(cells: Cells, *, whole: bool, hundred: float | None = None) -> tuple[Cells, bool]:
    """Numbers of stripped texts.

    Parameters
    ----------
    whole : only whole numbers are expected, so that a comma before three digits may part thousands
    hundred : what 100 % is, None where percentages make no sense

    Returns
    -------
    float64, NaN where a text is no number; and whether any of them has a decimal comma.

    """
    values: Cells = pd.to_numeric(cells, errors="coerce")
    values = values.astype("float64").replace([np.inf, -np.inf], np.nan)
    left = cells[values.isna() & cells.notna()]
    if left.empty:
        return values, False
    texts = list(left.unique())
    commas = [text for text in texts if "," in text]
    thousands = whole and all(_BY_COMMAS.fullmatch(_plain(text)) for text in commas)
    read = {text: _number(text, thousands, hundred) for text in texts}
    decimal = bool(commas) and not thousands and any(read[text] is not None for text in commas)
    return values.fillna(left.map(read.get).astype("float64")), decimal


def _number(text: str, thousands: bool, hundred: float | None) -> float | None:
    """``"0,207"``, ``"-7.5 dB"``, ``"1 234"``, ``"1.234,5"``, ``"83 %"``."""
    percent = text.endswith("%") and hundred is not None
    text = _with_point(_plain(text.removesuffix("%") if percent else text), thousands)
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    if not np.isfinite(value):
        return None
    return value * (hundred or 0) / 100 if percent else value


def _plain(text: str) -> str:
    """Without a unit and gaps between thousands, with an ordinary minus."""
    return _GAP.sub("", _UNIT.sub("", text.strip().replace("\u2212", "-")))


def _with_point(text: str, thousands: bool) -> str:
    """Commas and points as Python has them: of two kinds the last one stands before the decimals."""
    comma, point = text.rfind(","), text.rfind(".")
    if comma > point >= 0:
        return text.replace(".", "").replace(",", ".")
    if _BY_COMMAS.fullmatch(text) and (thousands or point >= 0 or text.count(",") > 1):
        return text.replace(",", "")
    if _BY_POINTS.fullmatch(text):
        return text.replace(".", "")
    return text.replace(",", ".") if point < 0 and text.count(",") == 1 else text
