"""Genre names as Spotify's seeds had them: ``r&b`` is ``r-n-b``, ``Hip Hop`` is ``hip-hop``."""

import functools
from collections.abc import Mapping, Sequence

from segue.catalog.lookup import genre_key

_SEEDS = """
acoustic afrobeat alt-rock alternative ambient anime black-metal bluegrass blues bossanova brazil breakbeat british
cantopop chicago-house children chill classical club comedy country dance dancehall death-metal deep-house
detroit-techno disco disney drum-and-bass dub dubstep edm electro electronic emo folk forro french funk garage german
gospel goth grindcore groove grunge guitar happy hard-rock hardcore hardstyle heavy-metal hip-hop holidays honky-tonk
house idm indian indie indie-pop industrial iranian j-dance j-idol j-pop j-rock jazz k-pop kids latin latino malay
mandopop metal metal-misc metalcore minimal-techno movies mpb new-age new-release opera pagode party philippines-opm
piano pop pop-film post-dubstep power-pop progressive-house psych-rock punk punk-rock r-n-b rainy-day reggae reggaeton
road-trip rock rock-n-roll rockabilly romance sad salsa samba sertanejo show-tunes singer-songwriter ska sleep
songwriter soul soundtracks spanish study summer swedish synth-pop tango techno trance trip-hop turkish work-out
world-music
"""  # available-genre-seeds, as it answered until November 2024
SEEDS = frozenset(_SEEDS.split())


def named(genres: Sequence[str]) -> Mapping[str, str]:
    """Seed name -> the table's genre. A genre that is none of Spotify's keeps its name, but for commas.

    Where two genres correspond to one seed, the one that is spelled like it stands for it.
    """
    return _named(tuple(genres))


def find(genres: Sequence[str], asked: str) -> str | None:
    """The table's genre of a name, however it is spelled."""
    return _by_key(tuple(genres)).get(genre_key(asked))


@functools.lru_cache(maxsize=4)
def _named(genres: tuple[str, ...]) -> Mapping[str, str]:
    found = {_KNOWN.get(key, genre.replace(",", " ")): genre for key, genre in _by_key(genres).items()}
    return dict(sorted(found.items()))


@functools.lru_cache(maxsize=4)
def _by_key(genres: tuple[str, ...]) -> Mapping[str, str]:
    return {genre_key(genre): genre for genre in sorted(genres, key=lambda genre: (genre in SEEDS, genre))}


_KNOWN = {genre_key(seed): seed for seed in SEEDS}
