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
    expect(page.locator(".stage-note button:enabled")).to_be_visible()
    page.wait_for_timeout(100)  # until the frame that draws it
    return page


def canvas(page):
    return page.get_by_role("application")


def pixel(page, song, at=(0.5, 0.5, 1)):
    """Where a song is drawn, in the page's pixels."""
    box = canvas(page).bounding_box()
    scale = FILLED * min(box["width"], box["height"]) * at[2]
    across, down = song["x"] / SPAN - at[0], (1 - song["y"] / SPAN) - at[1]
    return box["x"] + box["width"] / 2 + scale * across, box["y"] + box["height"] / 2 + scale * down


def lonely(songs):
    """The song that is farthest from all others."""

    def gap(one):
        return min((one["x"] - other["x"]) ** 2 + (one["y"] - other["y"]) ** 2 for other in songs if other is not one)

    return max(songs, key=gap)


def looked_at(page):
    """Where the address says that the map is looked at."""
    found = re.search(r"at=([^&]*)", page.url)
    return tuple(float(part) for part in found[1].split(",")) if found else None
