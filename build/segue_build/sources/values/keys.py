"""Keys as musicians, disc jockeys and Spotify write them."""

import re

MODES = {"major": 1, "maj": 1, "dur": 1, "minor": 0, "min": 0, "m": 0, "moll": 0}
_NOTES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_SHARP, _FLAT = ("#", "♯", "sharp"), ("b", "♭", "flat")
_NOTE = re.compile(
    r"([A-G])[\s-]*(#|♯|sharp|b|♭|flat)?(?:\s*/\s*[A-G](?:#|♯|b|♭)?)?[\s-]*(major|maj|dur|minor|min|moll|m)?",
    re.IGNORECASE,
)
_CAMELOT = re.compile(r"(0?[1-9]|1[0-2])([ABdm])", re.IGNORECASE)
_FIFTH = 7  # semitones


def key_of(text: str) -> tuple[int, int | None] | None:
    """Pitch class, 0..11, and mode, 1 major, 0 minor; None where a text is no key, or says no mode.

    ``"F#m"`` -> (6, 0), ``"C♯/D♭"`` -> (1, None), ``"B-flat major"`` -> (10, 1); on Camelot's wheel ``"8A"`` ->
    (9, 0), on that of Open Key ``"1d"`` -> (0, 1).
    """
    wheel = _CAMELOT.fullmatch(text)
    if wheel:
        return _on_wheel(int(wheel[1]), wheel[2].lower())
    note = _NOTE.fullmatch(text)
    if not note:
        return None
    accidental = (note[2] or "").lower()
    pitch = _NOTES[note[1].lower()] + (accidental in _SHARP) - (accidental in _FLAT)
    mode = note[3]
    return pitch % 12, 1 if mode == "M" else MODES[mode.lower()] if mode else None


def _on_wheel(hour: int, side: str) -> tuple[int, int]:
    """Hours of a wheel are fifths apart; inside is minor: the relative one of the major key at the same hour."""
    minor = side in "am"
    fifths = hour - (8 if side in "ab" else 1)  # from C major, or A minor
    return ((9 if minor else 0) + fifths * _FIFTH) % 12, int(not minor)
