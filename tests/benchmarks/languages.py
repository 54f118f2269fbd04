"""How often lists leave the language of the seed.

``python -m tests.benchmarks.languages [--artifacts DIR]`` detects the language of artists by the titles and albums of
their songs pooled, with two detectors: py3langid and lingua. An artist has a language where both agree. It recommends
ten songs for up to 150 seeds of each language, drawn at random, and prints the share of songs by other artists with a
language that have another one. A second table is of seeds and songs that are sung: sounds for sleep have titles in
German, and are alike in every language.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from segue.catalog import Catalog, load
from segue.catalog.normalization import without_version
from segue.engine.recommendation import recommend
from segue.query.schema import Query, Seed
from segue_build import progress
from tests.benchmarks.figures import Row, table

LANGUAGES = (
    "en", "es", "pt", "fr", "de", "it", "nl", "sv", "da", "no", "fi", "pl", "cs", "tr", "id", "ru", "uk", "ja", "ko",
    "zh", "hi", "th", "ar", "he", "el", "hu", "ro", "vi", "tl",
)  # fmt: skip
LINGUA_CODES = {"no": "nb"}  # where lingua's differ
SEEDS = 150
MIN_CHARACTERS = 40  # of an artist's titles and albums
MIN_CONFIDENCE = 0.9
MIN_SEEDS = 40  # of a language that is reported
SUNG = 0.5  # instrumentalness up to which a song is sung, as Spotify defines it


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.languages", description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    catalog = load(parser.parse_args().artifacts)
    spoken, artists = language_of_artists(catalog), catalog.lists("song", "artists")
    first = {row: int(artists[row][0]) for row in range(len(catalog)) if artists.length(row)}
    languages = {row: (artist, spoken[artist]) for row, artist in first.items() if artist in spoken}
    print(table(list(jumps(catalog, languages))), flush=True)
    sung = ~(catalog.attribute("instrumentalness") > SUNG)  # unknown: sung, as most songs are
    print("\nsung:\n")
    print(table(list(jumps(catalog, {row: found for row, found in languages.items() if sung[row]}))))


def jumps(catalog: Catalog, languages: dict[int, tuple[int, str]]) -> Iterator[Row]:
    """A row for each language.

    languages : song -> its first artist and the artist's language; others are neither seeds nor counted
    """
    seeds = defaultdict(list)
    for row in np.random.default_rng(0).permutation(np.flatnonzero(catalog.array("recommendable"))).tolist():
        if row in languages and len(seeds[languages[row][1]]) < SEEDS:
            seeds[languages[row][1]].append(row)
    for language, rows in sorted(seeds.items(), key=lambda each: -len(each[1])):
        if len(rows) >= MIN_SEEDS:
            pairs = ((languages[row], languages[found]) for row in rows for found in recommended(catalog, row)
                     if found in languages)  # fmt: skip
            others = Counter(spoken for (artist, _), (by, spoken) in pairs if by != artist)
            in_another = 1 - others[language] / max(others.total(), 1)
            yield {"language": language, "seeds": len(rows), "songs by others": others.total(),
                   "in another one": f"{in_another:.3f}"}  # fmt: skip


def recommended(catalog: Catalog, row: int) -> list[int]:
    """Rows of ten songs."""
    seed = Seed("", {}, id=catalog.texts("ids")[row])
    return [song.row for song in recommend(catalog, Query((seed,))).recommendations]


def language_of_artists(catalog: Catalog) -> dict[int, str]:
    """The language of each first artist on whose both detectors agree."""
    from lingua import IsoCode639_1, LanguageDetectorBuilder
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    codes = {getattr(IsoCode639_1, LINGUA_CODES.get(one, one).upper()): one for one in LANGUAGES}
    detector = LanguageDetectorBuilder.from_iso_codes_639_1(*codes).build()
    found = {}
    for artist, text in progress.bar(texts(catalog).items(), "languages", " artists"):
        language, confidence = identifier.classify(text)
        if confidence >= MIN_CONFIDENCE:
            second = detector.detect_language_of(text)
            if second is not None and codes[second.iso_code_639_1] == language:
                found[artist] = language
    return found


def texts(catalog: Catalog) -> dict[int, str]:
    """What each first artist's songs and albums are called, each once, in one text."""
    names, albums, artists = catalog.texts("names"), catalog.texts("albums"), catalog.lists("song", "artists")
    said: dict[int, dict[str, None]] = defaultdict(dict)
    for row in range(len(catalog)):
        if artists.length(row):
            lines = (without_version(text.lower()) for text in (names[row], albums[row]))
            said[int(artists[row][0])].update(dict.fromkeys(lines))
    joined = {artist: ". ".join(filter(None, lines)) for artist, lines in said.items()}
    return {artist: text for artist, text in joined.items() if len(text) >= MIN_CHARACTERS}


if __name__ == "__main__":
    main()
