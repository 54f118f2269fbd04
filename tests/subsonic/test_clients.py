"""Unmodified clients of the OpenSubsonic API, against the function under the functions framework."""

import asyncio
from urllib.parse import urlsplit

import libopensonic
import libsonic
import pytest
from libopensonic.errors import CredentialError, DataNotFoundError, SonicError

from tests.support.gateway import KEY, LOCKED
from tests.support.serving import served

ANY = {"username": "me", "password": "any"}


@pytest.fixture(scope="module", params=["world_artifacts", pytest.param("real_artifacts", marks=pytest.mark.slow)])
def base(request):
    with served(request.getfixturevalue(request.param)) as address:
        yield address


@pytest.fixture(scope="module")
def closed(world_artifacts):
    with served(world_artifacts, **LOCKED) as address:
        yield address


# --- py-sonic, which speaks the API as it was before OpenSubsonic ---------------------------------------------


def pysonic(base, password=ANY["password"], **options):
    at = urlsplit(base)
    return libsonic.Connection(f"{at.scheme}://{at.hostname}", ANY["username"], password, at.port, **options)


@pytest.mark.parametrize("options", [{}, {"legacyAuth": True}])
def test_pysonic_finds_a_song_and_songs_like_it(base, options):
    player = pysonic(base, **options)
    assert player.ping()
    assert player.getLicense()["license"] == {"valid": True}
    (any_song,) = player.search3("", songCount=1, artistCount=0, albumCount=0)["searchResult3"]["song"]
    song = player.search3(f"{any_song['title']} {any_song['artist']}")["searchResult3"]["song"][0]
    assert (song["title"], song["artist"]) == (any_song["title"], any_song["artist"])
    similar = player.getSimilarSongs(song["id"], count=5)["similarSongs"]["song"]
    assert similar == player.getSimilarSongs2(song["id"], count=5)["similarSongs2"]["song"]
    assert len({song["id"], *(other["id"] for other in similar)}) == 6
    assert player.getSimilarSongs(song["albumId"])["similarSongs"]["song"]
    assert player.getSimilarSongs2(song["artistId"])["similarSongs2"]["song"]
    top = player.getTopSongs(song["artist"], count=3)["topSongs"]["song"]
    assert {one["artist"] for one in top} == {song["artist"]}


def test_pysonic_is_told_what_was_wrong(base):
    with pytest.raises(libsonic.errors.DataNotFoundError, match="no song, artist or album has the id 'nothing'"):
        pysonic(base).getSimilarSongs("nothing")
    with pytest.raises(libsonic.errors.DataNotFoundError, match="'getPlaylists' is not served"):
        pysonic(base).getPlaylists()


def test_pysonic_shows_a_key_as_its_password(closed):
    player = pysonic(closed, KEY, legacyAuth=True)  # "enc:", in hexadecimal
    assert player.search3("slow rain")["searchResult3"]["song"][0]["id"] == "piano-1"
    with pytest.raises(libsonic.errors.CredentialError, match="the password is an API key"):
        pysonic(closed, "another", legacyAuth=True).search3("slow rain")
    with pytest.raises(libsonic.errors.SonicError, match="Token authentication is not supported"):
        pysonic(closed, KEY).search3("slow rain")


# --- py-opensonic, which checks the fields of every shape -----------------------------------------------------


def opensonic(base, act, **options):
    """What comes of acting with a client."""
    at = urlsplit(base)

    async def acted():
        client = libopensonic.AsyncConnection(f"{at.scheme}://{at.hostname}", port=at.port, **options)
        try:
            return await act(client)
        finally:
            await client.cleanup()

    return asyncio.run(acted())


@pytest.mark.parametrize("options", [{}, {"use_get": True, "use_views": False}])
def test_opensonic_takes_every_shape(base, options):
    async def play(player):
        assert await player.ping()
        extensions = await player.get_open_subsonic_extensions()
        assert {"formPost", "sonicSimilarity", "topSongsByArtistId"} < {extension.name for extension in extensions}
        everything = await player.search3("", song_count=50)
        song = everything.song[0]
        assert everything.album[0].song_count >= 1
        assert everything.artist[0].album_count is not None
        found = (await player.search3(f"{song.artist} {song.title}")).song[0]
        assert (found.title, found.artists) == (song.title, song.artists)
        similar = await player.get_similar_songs2(song.id, count=7)
        assert len({other.id for other in similar} - {song.id}) == 7
        matches = await player.get_sonic_similar_tracks(song.id, count=3)
        assert len({match.entry.id for match in matches}) == 3
        assert all(0 < match.similarity <= 1 for match in matches)
        walk = await player.find_sonic_path(song.id, similar[-1].id, count=5)
        assert (walk[0].entry.id, walk[-1].entry.id, len(walk)) == (song.id, similar[-1].id, 5)
        assert (await player.get_top_songs(song.artist, count=1))[0].artist_id == song.artist_id

    opensonic(base, play, **ANY, **options)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda player: player.get_similar_songs("nothing"), DataNotFoundError),
        (lambda player: player.get_sonic_similar_tracks("nothing"), DataNotFoundError),
        (lambda player: player.get_top_songs("nobody at all"), DataNotFoundError),
        (lambda player: player.search3("x" * 601), SonicError),
    ],
)
def test_opensonic_raises_its_own_errors(base, call, error):
    with pytest.raises(error):
        opensonic(base, call, **ANY)


def test_opensonic_shows_a_key(closed):
    def search(player):
        return player.search3("slow rain")

    assert opensonic(closed, search, api_key=KEY).song[0].id == "piano-1"
    assert opensonic(closed, lambda player: player.token_info(), api_key=KEY).username == "segue"
    with pytest.raises(SonicError, match="Invalid API key"):
        opensonic(closed, search, api_key="another")
    wrong = {"username": "me", "password": "another", "legacy_auth": True}
    with pytest.raises(CredentialError):
        opensonic(closed, search, **wrong)
    assert opensonic(closed, lambda player: player.get_open_subsonic_extensions(), **wrong)
