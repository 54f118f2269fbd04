"""Songs that a loop on the map takes, drawn by mouse, finger or keys, in a real browser."""

import itertools
import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import PHONE, in_a_browser, visit, visits
from tests.support.map_view import DESK, SPAN, WHOLE, canvas, lonely, looked_at, opened, pixel, songs

__all__ = ["songs", "visit", "visits"]  # fixtures
pytestmark = in_a_browser


def inside(songs, left, right, bottom, top):
    """Songs in a part of the map, from its left and its bottom, the best known first."""
    found = [one for one in songs if left < one["x"] / SPAN < right and bottom < one["y"] / SPAN < top]
    return sorted(found, key=lambda one: -one["popularity"])


@pytest.mark.parametrize("device", [DESK, PHONE], ids=["mouse", "finger"])
def test_songs_in_a_loop_become_a_playlist(demo_service, visit, songs, device):
    page = opened(visit, demo_service, WHOLE, reduced_motion="reduce", **device)
    lasso = page.get_by_role("button", name="Draw a loop round songs")
    lasso.click()
    expect(lasso).to_have_attribute("aria-pressed", "true")
    sides = next(
        (x, x + 0.2, y, y + 0.2)
        for x, y in itertools.product((0.2, 0.3, 0.4, 0.5), repeat=2)
        if 5 < len(inside(songs, x, x + 0.2, y, y + 0.2)) <= 60
    )
    left, right, bottom, top = sides
    corners = [
        pixel(page, {"x": x * SPAN, "y": y * SPAN})
        for x, y in ((left, bottom), (right, bottom), (right, top), (left, top))
    ]
    draw(page, corners, device)
    wanted = inside(songs, *sides)
    looped = page.get_by_role("region", name="Songs in the loop")
    expect(looped.get_by_role("heading")).to_have_text(f"{len(wanted)} songs in the loop")
    expect(looped.locator(".line")).to_have_count(len(wanted))
    popularity = {song["id"]: song["popularity"] for song in songs}
    listed = looped.locator(".line").evaluate_all("lines => lines.map((line) => line.dataset.id)")
    assert [popularity[song] for song in listed] == [one["popularity"] for one in wanted]
    expect(lasso).to_have_attribute("aria-pressed", "false")
    looped.get_by_role("button", name="Into the playlist").click()
    expect(page.get_by_role("link", name=f"Playlist {len(wanted)}")).to_be_visible()
    kept = re.search("list=([^&]*)", page.evaluate("location.hash"))[1].split(",")
    assert set(kept) == {one["id"] for one in wanted}
    assert looked_at(page) == (0.5, 0.5, 1)  # the map did not move under the hand
    looped.get_by_role("button", name="Close the loop").click()
    expect(looped).to_be_hidden()
    expect(canvas(page)).to_be_focused()


def draw(page, corners, device):
    """Along the corners, with a mouse or a finger."""
    if device is DESK:
        page.mouse.move(*corners[0])
        page.mouse.down()
        for corner in [*corners[1:], corners[0]]:
            page.mouse.move(*corner, steps=4)
        page.mouse.up()
        return
    session = page.context.new_cdp_session(page)
    for kind, place in [("touchStart", corners[0]), *(("touchMove", one) for one in corners), ("touchEnd", None)]:
        points = [{"x": place[0], "y": place[1]}] if place else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_a_loop_is_drawn_by_keys_round_the_middle_and_begins_a_mix(demo_service, visit, songs):
    song = lonely(songs)
    at = (song["x"] / SPAN, 1 - song["y"] / SPAN, 8)
    page = opened(visit, demo_service, "&at=" + ",".join(f"{part:.4f}" for part in at), **DESK)
    page.get_by_role("button", name="Draw a loop round songs").press("Enter")
    expect(page.locator("#spoken")).to_contain_text("Enter on the map takes those around its middle.")
    canvas(page).focus()
    page.keyboard.press("Enter")
    looped = page.get_by_role("region", name="Songs in the loop")
    expect(looped).to_be_focused()
    expect(looped.locator(".song-name").filter(has_text=song["name"]).first).to_be_visible()
    number = looped.locator(".line").count()  # which come together
    looped.get_by_role("button", name="More like these").click()
    expect(page.locator(".lit .line")).to_have_count(10)
    assert page.evaluate("location.hash").count("song=") == min(number, 20)
