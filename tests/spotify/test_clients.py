"""Unmodified clients of the Spotify Web API, against the function under the functions framework."""

import statistics
from dataclasses import dataclass

import pytest
import spotipy
import tekore
from spotipy.cache_handler import MemoryCacheHandler

from segue.catalog import load
from segue.catalog.lookup.exact import artist_id
from segue.spotify import query_params
from tests.support.serving import served

# spotipy calls deprecated what Spotify has withdrawn; any other warning is an error.
pytestmark = pytest.mark.filterwarnings("ignore:You're using .* marked as deprecated by Spotify:DeprecationWarning")

NOBODY = "0" * 22


@dataclass(frozen=True)
class Served:
    """A service and what its catalogue holds.

    songs : ids of well-known songs, each of another artist
    artists : ids of their artists
    genres : names of seeds
    works : id of a song -> the work of which it is a version
    """

    base: str
    songs: list[str]
    artists: list[str]
    genres: list[str]
    works: dict[str, int]


@pytest.fixture(scope="module", params=["dialect_artifacts", pytest.param("real_artifacts", marks=pytest.mark.slow)])
def service(request):
    artifacts = request.getfixturevalue(request.param)
    catalog = load(artifacts)
    names, by, artists = catalog.texts("ids"), catalog.lists("song", "artists"), catalog.texts("artists")
    rows = sorted(range(len(catalog)), key=lambda row: (-catalog.attribute("popularity")[row], row))
    firsts = {int(by[row][0]): row for row in reversed(rows[:200])}
    works = {names[row]: int(catalog.array("works")[row]) for row in range(len(catalog))}
    with served(artifacts) as base:
        yield Served(
            base,
            [names[row] for row in firsts.values()],
            [artist_id(artists[artist]) for artist in firsts],
            list(query_params.genres_by_seed(catalog.manifest["genres"])),
            works,
        )


# --- spotipy --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sp(service):
    """spotipy, which gets its token from the service."""
    credentials = spotipy.SpotifyClientCredentials("any", "client", cache_handler=MemoryCacheHandler())
    credentials.OAUTH_TOKEN_URL = f"{service.base}/api/token"
    client = spotipy.Spotify(auth_manager=credentials, retries=0, status_retries=0)
    client.prefix = f"{service.base}/v1/"
    return client


def seed_sets(service):
    return [
        {"seed_tracks": service.songs[:2]},
        {"seed_artists": service.artists[:2]},
        {"seed_genres": service.genres[:2]},
        {"seed_tracks": service.songs[:2], "seed_artists": service.artists[2:4], "seed_genres": service.genres[3:4]},
    ]


def test_spotipy_gets_recommendations_for_every_kind_of_seed(sp, service):
    for seeds in seed_sets(service):
        answer = sp.recommendations(**seeds, limit=30)
        works = [service.works[track["id"]] for track in answer["tracks"]]
        seeded = {service.works[song] for song in seeds.get("seed_tracks", [])}
        assert len(works) == len(set(works)) == 30
        assert not seeded & set(works)
        assert answer == sp.recommendations(**seeds, limit=30)
        assert answer["tracks"][:7] == sp.recommendations(**seeds, limit=7)["tracks"]
        assert [seed["initialPoolSize"] > 0 for seed in answer["seeds"]] == [True] * len(answer["seeds"])


def test_spotipy_tunes(sp, service):
    seeds = {"seed_genres": service.genres[:5:2]}

    def energy(**tuned):
        tracks = sp.recommendations(**seeds, limit=50, **tuned)["tracks"]
        return [features["energy"] for features in sp.audio_features([track["id"] for track in tracks])]

    assert statistics.mean(energy(target_energy=1)) - statistics.mean(energy(target_energy=0)) > 0.3
    within = energy(min_energy=0.4, max_energy=0.6)
    assert within
    assert 0.4 <= min(within) <= max(within) <= 0.6
    assert len(energy(target_duration_ms=1)) == len(energy()) == 50
    empty = sp.recommendations(**seeds, min_energy=0.6, max_energy=0.4)
    assert (empty["tracks"], {seed["afterFilteringSize"] for seed in empty["seeds"]}) == ([], {0})


def test_spotipy_batches_with_unknown_ids_in_between(sp, service):
    first, second = service.songs[:2]
    asked = [first, NOBODY, second, first]
    for entries in (sp.tracks(asked)["tracks"], sp.audio_features(asked)):
        assert [entry and entry["id"] for entry in entries] == [first, None, second, first]
    artists = sp.artists([service.artists[0], NOBODY])["artists"]
    assert [artist and artist["id"] for artist in artists] == [service.artists[0], None]
    assert sp.track(first) == sp.tracks([first])["tracks"][0]
    assert len(sp.audio_features([first] * 100)) == 100


def test_spotipy_pages_to_the_last_page(sp, service):
    page = sp.search("a", limit=50, type="track")["tracks"]
    total, seen = page["total"], []
    while page:
        seen += [track["id"] for track in page["items"]]
        following = sp.next(page)
        page = following and following["tracks"]
    assert len(seen) == len(set(seen)) == total
    third = sp.search("a", limit=2, offset=4, type="track")["tracks"]
    assert [track["id"] for track in sp.previous(third)["tracks"]["items"] + third["items"]] == seen[2:6]


def test_spotipy_finds_artists_and_their_relatives(sp, service):
    artist = sp.artist(service.artists[0])
    found = sp.search(f'artist:"{artist["name"]}"', type="artist,track")
    assert found["artists"]["items"][0] == artist
    assert artist["id"] in [one["id"] for track in found["tracks"]["items"] for one in track["artists"]]
    related = sp.artist_related_artists(artist["id"])["artists"]
    assert 1 <= len(related) <= 20
    assert artist["id"] not in [other["id"] for other in related]
    assert sp.recommendation_genre_seeds()["genres"] == service.genres


@pytest.mark.parametrize(
    ("call", "status", "said"),
    [
        (lambda sp: sp.track(NOBODY), 404, "Non existing id"),
        (lambda sp: sp.track("short"), 400, "Invalid base62 id"),
        (lambda sp: sp.recommendations(), 400, "expected 1..5 seeds"),
        (lambda sp: sp.recommendations(seed_tracks=[NOBODY] * 6), 400, "found 6"),
        (lambda sp: sp.recommendations(seed_genres=["polka-core"]), 400, "unknown genre 'polka-core'"),
        (lambda sp: sp.recommendations(seed_tracks=[NOBODY], limit=101), 400, "Invalid limit"),
        (lambda sp: sp.recommendations(seed_tracks=[NOBODY], target_energy=2), 400, "Invalid target_energy"),
        (lambda sp: sp.search("a", type="album"), 400, "Bad search type"),
        (lambda sp: sp.current_user(), 404, "/v1/me/ is not served"),
    ],
)
def test_spotipy_is_told_what_was_wrong(sp, call, status, said):
    with pytest.raises(spotipy.SpotifyException) as refused:
        call(sp)
    assert refused.value.http_status == status
    assert said in refused.value.msg


# --- tekore, which validates every field and warns of any more ------------------------------------------------


class Redirected(tekore.SyncSender):
    """Sends what is meant for Spotify to the service."""

    def __init__(self, base):
        super().__init__()
        self._base = base

    def send(self, request):
        for host in ("https://api.spotify.com", "https://accounts.spotify.com"):
            request.url = request.url.replace(host, self._base)
        return super().send(request)


@pytest.fixture(scope="module")
def tk(service):
    sender = Redirected(service.base)
    token = tekore.Credentials("any", "client", sender=sender).request_client_token()
    client = tekore.Spotify(token, sender=sender)
    yield client
    client.close()


TEKORE_CALLS = {"seed_tracks": "track_ids", "seed_artists": "artist_ids", "seed_genres": "genres"}


def test_tekore_takes_every_shape_without_a_warning(tk, service):
    for seeds in seed_sets(service):
        asked = {TEKORE_CALLS[name]: value for name, value in seeds.items()}
        answer = tk.recommendations(**asked, limit=30, target_valence=0.5, max_tempo=200)
        assert len(answer.tracks) == 30
    song, artist = service.songs[0], service.artists[0]
    assert tk.track(song).id == song
    assert tk.track_audio_features(song).id == song
    assert [features.id for features in tk.tracks_audio_features(service.songs[:3])] == service.songs[:3]
    assert [track.id for track in tk.tracks(service.songs[:3])] == service.songs[:3]
    assert [tk.artist(artist), *tk.artists([artist])] == [tk.artist(artist)] * 2
    assert tk.artist_related_artists(artist)
    assert tk.recommendation_genre_seeds() == service.genres


def test_tekore_pages_to_the_last_page(tk):
    tracks, artists = tk.search("a", types=("track", "artist"), limit=50)
    assert len(list(tk.all_items(tracks))) == tracks.total
    assert len(list(tk.all_items(artists))) == artists.total


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda tk: tk.track(NOBODY), tekore.NotFound),
        (lambda tk: tk.track("short"), tekore.BadRequest),
        (lambda tk: tk.recommendations(), tekore.BadRequest),
        (lambda tk: tk.current_user(), tekore.NotFound),
    ],
)
def test_tekore_raises_its_own_errors(tk, call, error):
    with pytest.raises(error):
        call(tk)
