"""Parameters of a URL, read one by one; all that is wrong with them is reported at once."""

import re
from collections.abc import Mapping

from werkzeug.datastructures import MultiDict

from segue.query.reader import LARGEST_BOUND, shown
from segue.spotify.errors import Refused

# The tunable attributes and where they range, as the Spotify Web API documents them; elsewhere any number will do.
SHARE, ANY = (0, 1), (-LARGEST_BOUND, LARGEST_BOUND)
TUNABLE: Mapping[str, tuple[float, float]] = {
    "acousticness": SHARE, "danceability": SHARE, "duration_ms": ANY, "energy": SHARE, "instrumentalness": SHARE,
    "key": (0, 11), "liveness": SHARE, "loudness": ANY, "mode": (0, 1), "popularity": (0, 100), "speechiness": SHARE,
    "tempo": ANY, "time_signature": ANY, "valence": SHARE,
}  # fmt: skip
MOST_FAULTS = 10  # in one message
_WHOLE = re.compile(r"[-+]?\d{1,10}", re.ASCII)
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.ASCII | re.IGNORECASE)
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


class Params:
    """A URL's parameters; of one given twice the first counts, and unknown ones count for nothing, as ever.

    A value at fault reads as its default until :meth:`check` refuses the request.
    """

    def __init__(self, arguments: MultiDict[str, str]):
        self._arguments = arguments
        self._faults: list[str] = []

    def check(self) -> None:
        """Refuse the request if anything was wrong with it."""
        if self._faults:
            raise Refused(400, "; ".join(self._faults[:MOST_FAULTS]))

    def fault(self, message: str) -> None:
        """Keep a fault."""
        self._faults.append(message)

    def text(self, name: str, longest: int) -> str:
        """A text that is not blank."""
        value = self._arguments.get(name, "").strip()
        if not value or len(value) > longest:
            self.fault(f"{name}: expected a text of 1..{longest} characters")
        return value[:longest]

    def whole(self, name: str, low: int, high: int, default: int) -> int:
        """A whole number, ends inclusive."""
        text = self._arguments.get(name)
        if text is None:
            return default
        if _WHOLE.fullmatch(text) and low <= int(text) <= high:
            return int(text)
        self.fault(f"Invalid {name}: expected a whole number {low}..{high}, found {shown(text)}")
        return default

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number, ends inclusive; None where it is not given."""
        text = self._arguments.get(name)
        if text is None:
            return None
        if _NUMBER.fullmatch(text) and low <= float(text) <= high:
            return float(text)
        self.fault(f"Invalid {name}: expected a number {low:g}..{high:g}, found {shown(text)}")
        return None

    def truth(self, name: str) -> bool:
        """True or false, which is the default."""
        text = self._arguments.get(name, "false")
        if text.lower() not in _TRUTHS:
            self.fault(f"Invalid {name}: expected true or false, found {shown(text)}")
        return _TRUTHS.get(text.lower(), False)

    def cap(self, default: int | None) -> int | None:
        """``max_per_artist``: songs by one artist, ``null`` for no cap."""
        if self._arguments.get("max_per_artist") == "null":
            return None
        return self.whole("max_per_artist", 1, 100, -1 if default is None else default)

    def listed(self, name: str, most: int) -> tuple[str, ...]:
        """Entries between commas; blank ones count for nothing."""
        entries = tuple(entry.strip() for entry in self._arguments.get(name, "").split(",") if entry.strip())
        if len(entries) > most:
            self.fault(f"Invalid {name}: expected {most} entries at the most, found {len(entries)}")
        return entries[:most]

    def ids(self, most: int) -> tuple[str, ...]:
        """The ids of a batch, in their order and as often as they are given."""
        asked = self._arguments.get("ids", "")
        ids = tuple(asked.split(","))
        if not asked:
            raise Refused(400, f"ids: expected 1..{most} ids, separated by commas")
        if len(ids) > most:
            raise Refused(400, f"Too many ids requested: expected {most} at the most, found {len(ids)}")
        return ids

    def market(self) -> None:
        """A country, which is checked and then ignored: tables know no markets."""
        market = self._arguments.get("market") or self._arguments.get("country") or "from_token"
        if market != "from_token" and not re.fullmatch("[A-Za-z]{2}", market):
            self.fault(f"Invalid market code: {shown(market)}")

    def tuned(self, prefix: str) -> dict[str, float]:
        """What is given of one kind of tunable: ``min``, ``max`` or ``target``."""
        asked = {name: self.number(f"{prefix}_{name}", *TUNABLE[name]) for name in TUNABLE}
        return {name: value for name, value in asked.items() if value is not None}
