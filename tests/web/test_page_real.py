"""The page on the 114k real tracks, in a real browser: names with typos, songs that play, a map of 90,000 points."""

import re

import pytest
from playwright.sync_api import expect

from segue.catalog import load
from tests.support.browser import PHONE, in_a_browser, visit, visits
from tests.support.map_view import SPAN, unfolded
from tests.support.serving import served

__all__ = ["visit", "visits"]  # fixtures
pytestmark = [in_a_browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def real(real_artifacts):
    return load(real_artifacts)


@pytest.fixture(scope="module")
def service(real_artifacts):
    with served(real_artifacts) as base:
        yield base


@pytest.fixture(scope="module")
def famous(real):
    """The best-known song whose name is a word of some length: its id and name."""
    popularity, names = real.attribute("popularity"), real.texts("names")
    row = max(
        (row for row in range(len(real)) if re.fullmatch("[A-Za-z]{8,12}", names[row])), key=popularity.__getitem__
    )
    return real.texts("ids")[row], names[row]


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_a_name_with_a_typo_is_suggested_and_leads_to_songs(service, visit, famous, device):
    _, name = famous
    page = visit(service, **device)
    field = page.get_by_role("combobox", name="Song, artist or genre", exact=True)
    field.fill(name[:3] + name[4:])
    option = page.locator("#search-choices [role=option]", has_text=name).first
    expect(option).to_be_visible()
    option.click()
    expect(page.get_by_role("heading", name=re.compile("^Songs like"))).to_be_visible()
    expect(page.locator("#songs .song")).to_have_count(10)
    expect(page.locator("#invented")).to_be_hidden()


def test_every_song_can_be_played_and_nothing_is_loaded_before(service, visit, famous):
    page = visit(f"{service}/#song={famous[0]}")
    expect(page.locator("#songs .song").get_by_role("button", name=re.compile("^Play "))).to_have_count(10)
    expect(page.locator("iframe")).to_have_count(0)


def test_a_playlist_is_made_and_copied_as_spotifys_addresses(service, visit, famous):
    page = visit(f"{service}/#song={famous[0]}&view=playlist", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("form", name="From what you like").get_by_role("button", name="Make it").click()
    expect(page.locator("#playlist .entry")).to_have_count(15)
    page.get_by_role("button", name="Spotify URIs").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()").split("\n")
    ids = page.locator("#playlist .entry").evaluate_all("entries => entries.map(({dataset}) => dataset.id)")
    assert copied == [f"spotify:track:{song}" for song in ids]


def test_the_map_has_a_point_for_every_song_and_names_what_is_pointed_at(service, visit, real, famous):
    page = visit(f"{service}/#view=map", viewport={"width": 1280, "height": 800})
    expect(page.locator(".stage-note")).to_contain_text(f"{len(real):,} songs")
    drawn = page.wait_for_function("""() => {
        const {data} = document.querySelector('.stage canvas').getContext('2d').getImageData(0, 0, 800, 600);
        return new Set(new Uint32Array(data.buffer)).size > 1000;
    }""")
    assert drawn
    song = page.request.get(f"{service}/songs?ids={famous[0]}").json()["songs"][0]
    near = f"{service}/#view=map&at={song['x'] / SPAN:.5f},{1 - song['y'] / SPAN:.5f},30"  # where no label covers it
    page = visit(near, viewport={"width": 1280, "height": 800})
    expect(page.locator(".stage-note")).to_contain_text(f"{len(real):,} songs")
    unfolded(page)
    box = page.get_by_role("application").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".tip")).to_be_visible()
