"""The map of the page on the small invented catalogue, for the tests that look at it and press on it."""

import re

import pytest
import requests
from playwright.sync_api import expect

SONG = "demo-0000033"
DESK = {"viewport": {"width": 1280, "height": 800}}
WHOLE = "&at=0.5,0.5,1"
SPAN = 65535
FILLED = 0.94  # of the canvas, by the whole map


@pytest.fixture(scope="module")
def songs(demo_service):
    """All songs, with where they lie."""
    asked = (",".join(map(str, range(first, first + 100))) for first in range(0, 600, 100))
    return [song for rows in asked for song in get(demo_service, "songs", rows=rows)["songs"]]


def get(service, path, **parameters):
    return requests.get(f"{service}/{path}", parameters, timeout=60).json()


def opened(visit, service, state="", **options):
    """The page with its map drawn."""
    page = visit(f"{service}/#view=map{state}", **(options or DESK))
    unfolded(page)
    return page


def unfolded(page):
    """Wait until the map is drawn, and nothing above it is still to come."""
    expect(page.locator(".stage-note button:enabled")).to_be_visible()
    expect(page.locator("#about")).not_to_be_empty()
    wait_for_frame(page)


def wait_for_frame(page):
    """Wait for a frame, in which a canvas has its size, and for the next one, in which it is drawn."""
    page.evaluate("new Promise(done => [1, 2, 3].reduce(next => () => requestAnimationFrame(next), done)())")


def canvas(page):
    return page.get_by_role("application")


def pixel(page, song, at=(0.5, 0.5, 1)):
    """Where a song is drawn, in the page's pixels."""
    return drawn_in(canvas(page).bounding_box(), song, at)


def drawn_in(box, song, at=(0.5, 0.5, 1)):
    """The same, where it is known where the canvas is."""
    scale = FILLED * min(box["width"], box["height"]) * at[2]
    across, down = song["x"] / SPAN - at[0], (1 - song["y"] / SPAN) - at[1]
    return box["x"] + box["width"] / 2 + scale * across, box["y"] + box["height"] / 2 + scale * down


def lonely(songs):
    """The song that is farthest from all others."""

    def gap(one):
        return min((one["x"] - other["x"]) ** 2 + (one["y"] - other["y"]) ** 2 for other in songs if other is not one)

    return max(songs, key=gap)


def looked_at(page):
    """Where the address says that the map is looked at; the page's own, for a browser tells of a change later."""
    found = re.search(r"at=([^&]*)", page.evaluate("location.hash"))
    return tuple(float(part) for part in found[1].split(",")) if found else None
