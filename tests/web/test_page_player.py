"""Songs are heard on the page: in a stand-in of Spotify's player, from a table's files, elsewhere; and the radio."""

import io
import re
import wave

import pytest
import requests
from playwright.sync_api import expect

from segue_build.fit import FitOptions, fit
from tests.support import world
from tests.support.browser import PHONE, in_a_browser, violations, visit, visits, with_axe
from tests.support.page_helpers import ask, shown
from tests.support.serving import served

__all__ = ["visit", "visits"]  # fixtures
pytestmark = in_a_browser

SEED = "Invented00000000000033"
DESK = {"viewport": {"width": 1280, "height": 800}}
STAND_IN = """<!doctype html><title>A stand-in</title><button>End</button><pre></pre><script>
    const tell = (type, payload) => parent.postMessage({type, payload}, '*');
    const update = (isPaused, position) => tell('playback_update', {isPaused, position, duration: 30000});
    addEventListener('message', ({data: {command}}) => {
        document.querySelector('pre').append(command + ' ');
        if (['play', 'resume', 'pause'].includes(command)) update(command === 'pause', 5000);
    });
    document.querySelector('button').onclick = () => update(true, 30000);
    tell('ready');
</script>"""
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="88" height="88"><rect width="88" height="88"/></svg>'


@pytest.fixture(scope="module")
def service(dialect_artifacts):
    with served(dialect_artifacts) as base:
        yield base


@pytest.fixture
def heard(visits, visit, service):
    """Opens the page with the stand-in in Spotify's place; gives it and the addresses that were asked for there."""
    asked = []

    def player(route):
        asked.append(route.request.url)
        route.fulfill(body=STAND_IN, content_type="text/html")

    def opened(fragment, **options):
        page = visit(f"{service}/healthz", **options)
        page.route("https://open.spotify.com/**", player)
        page.goto(f"{service}/{fragment}")
        return page, asked

    yield opened
    visits.troubles[:] = [one for one in visits.troubles if one not in asked]


def bar(page):
    return page.get_by_role("complementary", name="Player")


def marked(page):
    return page.locator("li:has(.play.on)").first


def plays(page, song):
    """Wait until a song is marked and plays in the stand-in."""
    expect(marked(page)).to_have_attribute("data-id", song["id"])
    frame = bar(page).frame_locator(f"iframe[src*='{song['id']}']")
    expect(frame.locator("pre")).to_have_text("load_complete_ack play ")


@pytest.mark.parametrize("device", [DESK, PHONE], ids=["desk", "phone"])
def test_a_song_plays_on_one_press_and_the_next_follows_it(heard, service, device):
    page, asked = heard(f"#song={SEED}", **device)
    first, second, third, *_ = songs = shown(page, service)["recommendations"]
    assert asked == []  # nobody else is asked for anything before the first press
    page.get_by_role("button", name=f"Play {first['name']}", exact=True).first.click()
    frame = bar(page).frame_locator("iframe")
    expect(frame.locator("pre")).to_have_text("load_complete_ack play ")
    expect(bar(page).locator(".player-name")).to_have_text(f"{first['name']} · {', '.join(first['artists'])}")
    expect(bar(page)).to_contain_text(f"1 of 10, next {second['name']} · {', '.join(second['artists'])}")
    expect(bar(page)).to_contain_text("Without a login Spotify plays 30 seconds.")
    expect(marked(page)).to_have_attribute("data-id", first["id"])
    page.locator(f"[data-play='{first['id']}']").first.click()
    expect(frame.locator("pre")).to_have_text("load_complete_ack play pause ")
    expect(page.locator(f"[data-play='{first['id']}']").first).to_have_accessible_name(f"Play {first['name']}")
    bar(page).get_by_role("button", name="Play", exact=True).click()
    expect(frame.locator("pre")).to_have_text("load_complete_ack play pause resume ")
    frame.get_by_role("button", name="End").click()
    plays(page, second)
    bar(page).get_by_role("button", name="Next song").click()
    plays(page, third)
    expect(bar(page)).to_contain_text("3 of 10")
    bar(page).get_by_role("button", name="The song before").click()
    plays(page, second)
    bar(page).get_by_role("button", name="Close the player").click()
    expect(bar(page)).to_be_hidden()
    expect(page.locator(f"[data-play='{second['id']}']").first).to_be_focused()
    played = [songs[place]["id"] for place in (0, 1, 2, 1)]
    assert asked == [f"https://open.spotify.com/embed/track/{song}" for song in played]


def test_the_player_covers_nothing_at_the_end_of_the_page_nor_what_has_the_focus(heard, service):
    page, _ = heard(f"#song={SEED}", **PHONE)
    first, *_ = shown(page, service)["recommendations"]
    page.get_by_role("button", name="Play all").first.click()
    plays(page, first)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    footer, player = page.locator("footer").bounding_box(), bar(page).bounding_box()
    assert footer["y"] + footer["height"] <= player["y"] + 1
    page.evaluate("scrollTo(0, 0)")
    keep = page.locator("#songs .song .song-keep button").last
    keep.focus()
    box, player = keep.bounding_box(), bar(page).bounding_box()
    assert box["y"] + box["height"] <= player["y"]


@with_axe
@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.slow), "dark"])
def test_axe_finds_no_violation_while_a_song_plays(heard, service, scheme):
    page, _ = heard(f"#song={SEED}", color_scheme=scheme, **PHONE)
    first, *_ = shown(page, service)["recommendations"]
    page.get_by_role("button", name="Play all").first.click()
    plays(page, first)
    assert violations(page) == []


def test_seeds_map_and_clusters_have_the_same_button(heard, service):
    page, _ = heard(f"#song={SEED}&view=map", **DESK)
    (seed,) = ask(service, "songs", ids=SEED)["songs"]
    lit = page.get_by_role("region", name="Songs on the map")
    lit.get_by_role("button", name=f"Play {seed['name']}", exact=True).click()
    expect(bar(page).locator(".player-name")).to_contain_text(seed["name"])
    expect(bar(page).frame_locator(f"iframe[src*='{seed['id']}']").locator("pre")).to_contain_text("play")
    expect(lit.get_by_role("button", name=re.compile("^Play (?!all)"))).to_have_count(10)
    cluster = seed["cluster"]["id"]
    page.goto(f"{service}/#view=map&cluster={cluster}")
    typical = next(one for one in ask(service, "clusters")["clusters"] if one["id"] == cluster)["typical"]
    told = page.get_by_role("region", name="Cluster", exact=True)
    expect(told.get_by_role("button", name=re.compile("^(Play|Pause) "))).to_have_count(len(typical))
    assert {song["link"] for song in typical} == {f"https://open.spotify.com/track/{song['id']}" for song in typical}


def test_a_table_with_audio_files_and_pictures_plays_and_shows_those(tmp_path, visits, visit):
    rows = [
        row
        | {"preview_url": f"https://audio.example/{row['id']}.mp3", "cover_image": f"https://i.example/{row['id']}"}
        for row in world.rows()
    ]
    rows[1]["preview_url"] = ""
    silence = io.BytesIO()
    with wave.open(silence, "wb") as sound:
        sound.setparams((1, 1, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(30 * 8000))
    table = tmp_path / "world.csv"
    table.write_text("\n".join(",".join(map(str, line)) for line in (rows[0], *(row.values() for row in rows))))
    fit(FitOptions([str(table)]), tmp_path / "artifacts")
    with served(tmp_path / "artifacts") as base:
        page = visit(f"{base}/healthz")
        page.route("https://audio.example/**", lambda route: route.fulfill(status=404))
        page.route(
            rows[0]["preview_url"], lambda route: route.fulfill(body=silence.getvalue(), content_type="audio/wav")
        )
        page.route("https://i.example/**", lambda route: route.fulfill(body=PICTURE, content_type="image/svg+xml"))
        with page.expect_request(rows[0]["cover_image"]):
            page.goto(f"{base}/#song={rows[0]['id']}")
        expect(page.locator(".artwork img")).to_have_attribute("src", rows[0]["cover_image"])
        expect(page.get_by_role("button", name="Show artwork")).to_have_count(0)
        assert visits.troubles == [rows[0]["cover_image"]]
        page.get_by_role("button", name=f"Play {rows[0]['name']}", exact=True).click()
        expect(bar(page).locator("audio")).to_have_attribute("src", rows[0]["preview_url"])
        expect(bar(page).get_by_role("button", name="Pause")).to_be_visible()
        for row in rows[1:3]:  # without a file, and with one that is not there
            page.get_by_role("button", name=f"Play {row['name']}", exact=True).click()
            expect(bar(page).locator(".player-name")).to_contain_text(row["name"])
            expect(bar(page).get_by_role("link")).to_have_text(["YouTube", "Apple Music"])
        visits.troubles[:] = [one for one in visits.troubles if ".example/" not in one]


def test_spotify_is_asked_for_a_picture_once_a_listener_wants_it_and_not_any_more(heard, service):
    page, asked = heard(f"#song={SEED}", **PHONE)
    cover = "https://i.scdn.co/image/invented"

    def answer(route):
        asked.append(route.request.url)
        if route.request.url == cover:
            route.fulfill(body=PICTURE, content_type="image/svg+xml")
        else:
            route.fulfill(json={"thumbnail_url": cover}, headers={"Access-Control-Allow-Origin": "*"})

    page.route(re.compile("https://open.spotify.com/oembed|https://i.scdn.co/"), answer)
    songs = shown(page, service)["recommendations"]
    picture = page.locator(".artwork img")
    with page.expect_request(cover):
        page.get_by_role("button", name="Show artwork").click()
    expect(picture).to_have_attribute("src", cover)
    wanted = "https://open.spotify.com/oembed?url=https%3A%2F%2Fopen.spotify.com%2Ftrack%2F"
    assert asked == [f"{wanted}{SEED}", cover]
    page.get_by_role("button", name=f"More like this: {songs[0]['name']}").click()
    expect(page.get_by_role("button", name="Hide artwork")).to_be_visible()
    expect(picture).to_be_visible()
    assert f"{wanted}{songs[0]['id']}" in asked
    page.get_by_role("button", name="Hide artwork").click()
    expect(picture).to_have_count(0)
    page.reload()
    shown(page, service)
    expect(page.get_by_role("button", name="Show artwork")).to_be_visible()
    expect(picture).to_have_count(0)


def test_a_song_that_nobody_here_plays_is_looked_for_elsewhere(world_artifacts, visit):
    with served(world_artifacts) as base:
        page = visit(f"{base}/#song=piano-1")
        page.get_by_role("button", name="Play Grey Window", exact=True).click()
        links = bar(page).get_by_role("link")
        expect(links).to_have_text(["YouTube", "Apple Music"])
        expect(links.first).to_have_attribute(
            "href", re.compile(r"youtube\.com/results\?search_query=Ada%20Lindqvist%20Grey")
        )
        expect(links.first).to_have_attribute("rel", "noopener noreferrer")


def test_songs_that_are_made_up_have_no_button(demo_service, visit):
    page = visit(f"{demo_service}/#song=demo-0000033")
    shown(page, demo_service)
    expect(page.get_by_role("button", name=re.compile("^Play "))).to_have_count(0)


# --- radio --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", [pytest.param(DESK, marks=pytest.mark.slow), PHONE], ids=["desk", "phone"])
def test_a_radio_goes_on_and_follows_what_is_skipped(heard, service, device):
    page, _ = heard(f"#song={SEED}&never=Nobody", **device)
    shown(page, service)
    bodies = []
    page.on("request", lambda asked: bodies.append(asked.post_data_json) if "/continue" in asked.url else None)
    page.get_by_role("button", name="Radio").first.click()
    expect(bar(page)).to_contain_text("1 of 11 and on")
    body = {"played": [SEED], "skipped": [], "limit": 10, "filters": {"exclude_artists": ["Nobody"]}}
    assert bodies == [body]
    coming = [song["id"] for song in requests.post(f"{service}/continue", json=body, timeout=60).json()["songs"]]
    for place in range(1, 9):
        bar(page).get_by_role("button", name="Next song").click()
        expect(bar(page)).to_contain_text(f"{place + 1} of {11 if place < 8 else 21} and on")
    assert bodies[1] == {**body, "played": [SEED, *coming[7:]], "skipped": coming[:7]}
    bar(page).get_by_role("button", name="Less of this").click()
    expect(bar(page)).to_contain_text("10 of 19 and on")
    assert bodies[2]["skipped"] == coming[:8]
    page.get_by_role("button", name="Undo").click()
    expect(bar(page)).to_contain_text("9 of 21 and on")
