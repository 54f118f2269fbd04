"""What is known of a song in numbers: names, ranges and units, as the Spotify Web API documents them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attribute:
    """A number that a song may have.

    low, high : the range in which a value is believable, ends inclusive
    whole : only whole numbers occur
    unit : in words, for help texts and the API's description
    """

    name: str
    low: float
    high: float
    whole: bool
    unit: str


AUDIO = (
    Attribute("danceability", 0, 1, False, "0 least danceable, 1 most"),
    Attribute("energy", 0, 1, False, "0 calm, 1 fast, loud and noisy"),
    Attribute("key", -1, 11, True, "pitch class: 0 = C, 1 = C sharp, ...; -1 = none found"),
    Attribute("loudness", -100, 10, False, "decibels, mean over the song"),
    Attribute("mode", 0, 1, True, "0 minor, 1 major"),
    Attribute("speechiness", 0, 1, False, "0 no spoken words, 1 speech"),
    Attribute("acousticness", 0, 1, False, "0 not acoustic, 1 acoustic"),
    Attribute("instrumentalness", 0, 1, False, "0 vocals, 1 no vocals"),
    Attribute("liveness", 0, 1, False, "0 studio, 1 an audience is heard"),
    Attribute("valence", 0, 1, False, "0 sad or angry, 1 happy"),
    Attribute("tempo", 0, 300, False, "beats per minute; 0 = not analysed"),
    Attribute("time_signature", 0, 12, True, "beats in a bar"),
)
OTHER = (
    Attribute("year", 1000, 2999, True, "year of release"),
    Attribute("popularity", 0, 100, True, "0 unknown, 100 most popular"),
    Attribute("duration_ms", 0, 2**31 - 1, True, "milliseconds"),
)
NUMERIC = AUDIO + OTHER
BY_NAME = {attribute.name: attribute for attribute in NUMERIC}
