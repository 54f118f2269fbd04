"""Sliders and presets of the page, and the history of a browser, which goes back through what they did."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.support.browser import PHONE, in_a_browser, visit, visits
from tests.support.page_helpers import ANCHOR, ask, shown

__all__ = ["visit", "visits"]  # fixtures
pytestmark = in_a_browser

PAUSE = 0.09  # seconds between two requests while a slider moves, at the least


@pytest.mark.parametrize(("slider", "name"), [("Energy", "energy"), ("Mood", "valence"), ("Tempo", "tempo"),
                                              ("Acoustic", "acousticness"), ("Popularity", "popularity"),
                                              ("Year", "year"), ("Diversity", "diversity")])  # fmt: skip
def test_a_slider_stands_where_the_seed_is_and_changes_the_songs_as_it_moves(demo_service, visit, slider, name):
    page = visit(f"{demo_service}/#song={ANCHOR}")
    shown(page, demo_service)
    dial = page.get_by_role("slider", name=slider)
    seed = "none" if name == "diversity" else re.compile(", as the seed")  # whose numbers have come
    expect(dial).to_have_attribute("aria-valuetext", seed)
    for _ in range(3):
        dial.press("PageUp")
    value = re.escape(f"{float(dial.input_value()):g}")
    expect(page).to_have_url(re.compile(f"{name}={value}$"))
    shown(page, demo_service)
    expect(dial).not_to_have_attribute("aria-valuetext", re.compile("as the seed"))


def test_presets_turn_sliders_and_reset_turns_them_back(demo_service, visit):
    page = visit(f"{demo_service}/#song={ANCHOR}")
    before = shown(page, demo_service)
    (seed,) = ask(demo_service, "songs", ids=ANCHOR)["songs"]
    faster = page.get_by_role("button", name="Faster")
    faster.click()
    expect(faster).to_have_attribute("aria-pressed", "true")
    expect(page).to_have_url(re.compile(f"tempo={round(seed['features']['tempo'] * 1.2)}$"))
    page.get_by_role("button", name="Same mood, more obscure").click()
    expect(page).to_have_url(re.compile(f"valence={round(seed['features']['valence'], 2)}&popularity="))
    assert shown(page, demo_service)["recommendations"] != before["recommendations"]
    page.get_by_role("button", name="Reset").click()
    assert shown(page, demo_service)["recommendations"] == before["recommendations"]
    expect(page.get_by_role("button", name="Reset")).to_be_disabled()


def test_explicit_songs_may_be_left_out(demo_service, visit):
    page = visit(f"{demo_service}/#song={ANCHOR}&limit=50")
    shown(page, demo_service)
    page.get_by_label("Leave out explicit songs").check()
    expect(page).to_have_url(re.compile("clean=1"))
    assert not any(song["explicit"] for song in shown(page, demo_service)["recommendations"])


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_a_list_is_narrowed_by_years_tempo_artists_and_genres_and_reset(demo_service, visit, device):
    page = visit(f"{demo_service}/#song={ANCHOR}&limit=30", **device)
    before = shown(page, demo_service)["recommendations"]
    if device:
        page.get_by_role("button", name="Shape it").click()
    for slider, key in (
        ("Released, from", "PageUp"),
        ("Released, to", "PageDown"),
        ("Beats per minute, from", "PageUp"),
    ):
        page.get_by_role("slider", name=slider).press(key)
        expect(page.get_by_role("slider", name=slider)).not_to_have_attribute("aria-valuetext", "any")
    low, high, slowest = (
        int(page.get_by_role("slider", name=name).input_value())
        for name in ("Released, from", "Released, to", "Beats per minute, from")
    )
    page.get_by_label("Songs by one artist, at most").select_option("1")
    genre = ask(demo_service, "songs", ids=before[0]["id"])["songs"][0]["genres"][0]
    for field, text in (("Only these genres", genre), ("Without these genres", "jazz")):
        page.get_by_role("combobox", name=field).fill(text[:4])
        page.get_by_role("option", name=text, exact=False).first.click()
    expect(page).to_have_url(
        f"{demo_service}/#song={ANCHOR}&limit=30&most=1&years={low}-{high}&tempos={slowest}-"
        f"&only={genre.replace(' ', '+')}&without=jazz"
    )
    answer = shown(page, demo_service)
    songs = ask(demo_service, "songs", ids=",".join(song["id"] for song in answer["recommendations"]))["songs"]
    assert all(genre in song["genres"] and "jazz" not in song["genres"] for song in songs)
    assert all(low <= song["year"] <= high and song["features"]["tempo"] >= slowest for song in songs)
    artists = [artist for song in songs for artist in song["artists"]]
    assert len(artists) == len(set(artists))
    page.get_by_role("button", name=f"Take {genre} away").click()
    expect(page).not_to_have_url(re.compile("only="))
    page.get_by_role("button", name="Reset").click()
    assert shown(page, demo_service)["recommendations"] == before
    expect(page).to_have_url(f"{demo_service}/#song={ANCHOR}&limit=30")


def placed(page, name):
    """Where a slider is once nothing around it is still to come."""
    slider = page.get_by_role("slider", name=name)
    expect(slider).to_have_attribute("aria-valuetext", re.compile(", as the seed"))
    return slider.bounding_box()


def test_neither_end_of_a_range_passes_the_other(demo_service, visit):
    page = visit(f"{demo_service}/#song={ANCHOR}&years=2000-2010")
    shown(page, demo_service)
    early, late = (page.get_by_role("slider", name=f"Released, {end}") for end in ("from", "to"))
    early.press("End")
    expect(page).to_have_url(re.compile("years=2010-2010"))
    late.press("Home")
    expect(late).to_have_value("2010")
    early.press("Home")
    expect(page).to_have_url(re.compile("years=-2010"))


def test_the_list_follows_a_moving_slider_and_only_its_last_answer_is_shown(demo_service, visit):
    """Of each move an answer is asked for; the first one comes last, as from a service that was asleep."""
    page = visit(f"{demo_service}/#song={ANCHOR}")
    before = shown(page, demo_service)["recommendations"]
    asked = []

    def late(route):
        asked.append(route.request)
        if len(asked) > 1:
            route.continue_()  # the first one is never answered

    page.route("**/recommend", late)
    box, began = placed(page, "Energy"), time.monotonic()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 10, middle)
    page.mouse.down()
    for step in range(30):
        page.mouse.move(box["x"] + 10 + (box["width"] - 20) * step / 29, middle)
        page.wait_for_timeout(20)
    expect(page).to_have_url(re.compile("energy=(1|0.9.)"))
    answer = shown(page, demo_service)  # while it is still held
    assert answer["recommendations"] != before
    assert 2 < len(asked) <= 2 + (time.monotonic() - began) / PAUSE
    page.mouse.up()


def test_back_and_forward_lead_through_what_was_shown(demo_service, visit):
    page = visit(f"{demo_service}/#song={ANCHOR}")
    first = shown(page, demo_service)["recommendations"]
    page.get_by_role("button", name=f"More like this: {first[0]['name']}").click()
    second = shown(page, demo_service)["recommendations"]
    page.get_by_role("button", name="Faster").click()
    shown(page, demo_service)
    page.go_back()
    assert shown(page, demo_service)["recommendations"] == second
    page.go_back()
    assert shown(page, demo_service)["recommendations"] == first
    page.go_forward()
    assert shown(page, demo_service)["recommendations"] == second
    expect(page).to_have_title(f"Songs like {first[0]['name']} · Segue")


def test_a_drag_of_a_slider_is_one_step_back(demo_service, visit):
    page = visit(f"{demo_service}/#song={ANCHOR}")
    shown(page, demo_service)
    box = placed(page, "Mood")
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(5):
        page.mouse.move(box["x"] + box["width"] * (0.5 + 0.08 * step), box["y"] + box["height"] / 2)
        page.wait_for_timeout(150)
    page.mouse.up()
    expect(page).to_have_url(re.compile("valence=0.8"))
    page.go_back()
    expect(page).to_have_url(f"{demo_service}/#song={ANCHOR}")


def test_an_address_opens_as_it_was_left(demo_service, visit):
    page = visit(
        f"{demo_service}/#song={ANCHOR}&-genre=jazz&energy=0.4&diversity=0.3&never=Idle+Heron&clean=1&draw=2&limit=20"
    )
    answer = shown(page, demo_service)
    other = visit(page.url)
    assert shown(other, demo_service) == answer
    assert other.url == page.url
    assert len(answer["recommendations"]) == 20


@pytest.mark.parametrize(
    "nonsense",
    ["#song=%00&song=a/b&view=nowhere&energy=x&limit=1e9&draw=-4&list=,,%20,&at=1,2&cluster=x", "#&&==%E0%A4%A",
     "#energy=0.5"],
)  # fmt: skip
def test_an_address_that_says_nothing_useful_opens_the_page(demo_service, visit, nonsense):
    page = visit(f"{demo_service}/{nonsense}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("#mix")).to_be_hidden()
