"""The map of the page, in a real browser: seen, moved by hand and keys, pointed at, pressed."""

import itertools
import re

import pytest
import requests
from playwright.sync_api import expect

from tests.support.browser import PHONE, in_a_browser, visit, visits
from tests.support.map_view import (
    DESK,
    SONG,
    SPAN,
    WHOLE,
    canvas,
    drawn_in,
    get,
    lonely,
    looked_at,
    opened,
    pixel,
    songs,
    unfolded,
    wait_for_frame,
)
from tests.support.page_helpers import scripts

__all__ = ["songs", "visit", "visits"]  # fixtures
pytestmark = in_a_browser


AROUND = """([x, y]) => {
    const context = document.querySelector('canvas[role]').getContext('2d');
    const {data} = context.getImageData(x - 12, y - 12, 24, 24);
    return [...Array(576).keys()].map(at => [...data.slice(4 * at, 4 * at + 4)].join());
}"""


def inside(page, song):
    """Where a song is drawn on the canvas."""
    return drawn_in({**canvas(page).bounding_box(), "x": 0, "y": 0}, song)


def colours(page, song):
    """The colours drawn over the points, some pixels around a song."""
    return page.evaluate(AROUND, inside(page, song))


def expect_colour(page, song, colour):
    """Wait until a colour is drawn near a song."""
    page.wait_for_function(
        f"([place, colour]) => ({AROUND})(place).includes(colour)", arg=[inside(page, song), colour]
    )


DRAWN = """() => {
    const canvas = document.querySelector('.stage canvas'), {width, height} = canvas;
    const {data} = canvas.getContext('2d').getImageData(0, 0, width, height);
    return new Uint32Array(data.buffer).filter((one, _, all) => one !== all[0]).length;
}"""  # how many pixels are none of the paper


def shade(colour):
    """A colour of the style sheet as a canvas tells it."""
    return ",".join(str(part) for part in bytes.fromhex(colour)) + ",255"


# --- seeing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_song_is_drawn_in_the_colour_of_its_cluster(demo_service, visit, songs, scheme):
    page = opened(visit, demo_service, color_scheme=scheme, **DESK)
    expect(page.locator(".stage-note")).to_contain_text("600 songs")
    box = canvas(page).bounding_box()
    paper, *drawn = page.evaluate(
        """places => {
            const context = document.querySelector('.stage canvas').getContext('2d');
            const colour = (x, y) => [...context.getImageData(Math.round(x), Math.round(y), 1, 1).data].join();
            return [[2, 2], ...places].map(place => colour(...place));
        }""",
        [drawn_in({**box, "x": 0, "y": 0}, song) for song in songs],
    )
    assert drawn.count(paper) < 6  # rounding to pixels may miss a few
    assert len(set(drawn)) >= len(get(demo_service, "clusters")["clusters"])


def test_the_songs_that_follow_are_lit_where_they_lie_and_listed_beside(demo_service, visit, songs):
    page = opened(visit, demo_service, f"&song={SONG}{WHOLE}")
    answer = requests.post(f"{demo_service}/recommend", json={"seeds": [{"id": SONG}]}, timeout=60).json()
    found = [song["name"] for song in answer["recommendations"]]
    expect(page.get_by_role("region", name="Songs on the map").locator(".song-name")).to_have_text(found)
    accent = shade("c4003f")
    where = {song["id"]: song for song in songs}
    for song in answer["recommendations"]:
        expect_colour(page, where[song["id"]], accent)
    unlit = [song for song in songs if song["id"] not in {one["id"] for one in answer["recommendations"]} | {SONG}]
    assert sum(accent in colours(page, song) for song in unlit[:60]) < 30


def test_the_map_is_enlarged_to_show_the_songs_that_follow_until_it_is_moved(demo_service, visit, songs):
    page = opened(visit, demo_service, f"&song={SONG}", reduced_motion="reduce", **DESK)
    expect(page.locator(".lit .seed-cluster")).to_be_visible()  # then it is known where songs lie
    page.get_by_role("button", name="Make smaller").click()
    assert 1 < looked_at(page)[2] * 1.8 <= 5.01


def test_the_playlist_is_drawn_as_a_way_from_song_to_song(demo_service, visit, songs):
    listed = [song for song in songs if song["id"] in {SONG, "demo-0000077"}]
    page = opened(visit, demo_service, f"&list={','.join(song['id'] for song in listed)}{WHOLE}")
    half = {axis: sum(song[axis] for song in listed) / 2 for axis in "xy"}
    names, ink = opened(visit, demo_service, WHOLE), shade("19171b")
    expect_colour(page, half, ink)  # once it is known where both lie
    for place in [*listed, half]:
        assert colours(page, place).count(ink) > colours(names, place).count(ink)


def test_what_is_pointed_at_is_named(demo_service, visit, songs):
    page, song = opened(visit, demo_service), lonely(songs)
    page.mouse.move(*pixel(page, song))
    expect(page.locator(".tip")).to_have_text(song["name"] + ", ".join(song["artists"]))
    page.mouse.move(5, 5)
    expect(page.locator(".tip")).to_be_hidden()


def test_pressing_a_song_lights_what_follows_and_back_leads_to_what_was(demo_service, visit, songs):
    page, song = opened(visit, demo_service, f"&song={SONG}{WHOLE}"), lonely(songs)
    page.mouse.click(*pixel(page, song))
    expect(page.get_by_role("heading", name=f"Songs like {song['name']}")).to_be_visible()
    expect(page).to_have_url(f"{demo_service}/#song={song['id']}&view=map{WHOLE}")
    page.go_back()
    expect(page.get_by_role("heading", name="Songs like Anchor")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_families_have_hues_of_their_own_and_their_clusters_are_shades(demo_service, visit, scheme):
    page = opened(visit, demo_service, color_scheme=scheme, **DESK)
    drawn = page.evaluate(
        """async scripts => {
            const [{points}, {colourOf, named, packed}] = await Promise.all(
                ['chart', 'drawing'].map(name => import(`${scripts}map/${name}.js`)));
            const bytes = colour => [0, 8, 16].map(shift => packed(colour) >> shift & 255);
            const {groups, families} = await points();
            return {paper: bytes(named('--paper')), hues: families.map(({clusters}) => clusters.map(({hue}) => hue)),
                colours: groups.map(group => bytes(colourOf(group)))};
        }""",
        scripts(page),
    )
    hues = [set(family) for family in drawn["hues"]]
    assert all(len(family) == 1 for family in hues)
    order = [hue for family in hues for hue in family]
    assert [after - before for before, after in itertools.pairwise(order)] == pytest.approx(
        [360 / len(order)] * (len(order) - 1)
    )
    assert len(set(map(tuple, drawn["colours"]))) == len(drawn["colours"])
    assert min(contrast(colour, drawn["paper"]) for colour in drawn["colours"]) >= 3


def contrast(one, other):
    """How two colours differ in luminance, WCAG 2.2."""

    def luminance(colour):
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted(luminance([part / 255 for part in colour]) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("zoom", "level"), [(1, "families"), (3, "clusters"), (8, "genres")])
def test_labels_are_families_then_clusters_then_genres_as_the_map_is_enlarged(demo_service, visit, zoom, level):
    page = visit(f"{demo_service}/docs", **DESK)
    page.add_init_script("""
        window.written = [];
        const {fillText} = CanvasRenderingContext2D.prototype;
        CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
            window.written.push(text);
            return fillText.call(this, text, ...place);
        };
    """)
    answer = get(demo_service, "clusters")
    middle = max(answer["clusters"], key=lambda cluster: cluster["size"])["typical"][0]["id"]
    (song,) = get(demo_service, "songs", ids=middle)["songs"]
    page.goto(f"{demo_service}/#view=map&at={song['x'] / SPAN:.4f},{1 - song['y'] / SPAN:.4f},{zoom}")
    unfolded(page)
    written = page.evaluate("window.written")
    assert written
    if level == "genres":
        shares = (genre for cluster in answer["clusters"] for genre in cluster["genres"])
        assert set(written) <= {f"{genre['name']} {round(100 * genre['share'])} %" for genre in shares}
    else:
        names = [entry["name"] for entry in answer[level]]
        assert all(any(line in name for name in names) for line in written)
        assert sum(all(word in " ".join(written).split() for word in name.split()) for name in names) >= 2
    other = {"families": "clusters", "clusters": "families"}.get(level)
    if other:
        assert any(not any(line in entry["name"] for entry in answer[other]) for line in written)


def test_a_label_is_written_at_the_first_of_its_places_that_is_free_and_not_across_the_edge(demo_service, visit):
    page = opened(visit, demo_service)
    written = page.evaluate(
        """async scripts => {
            const {overlay} = await import(`${scripts}map/drawing.js`), found = [];
            const context = document.createElement('canvas').getContext('2d');
            context.fillText = (text, x, y) => found.push([text, Math.round(x), Math.round(y)]);
            const label = (text, ...middles) => ({lines: [text], size: 14, middles});
            overlay(context, {
                size: {width: 300, height: 300}, covered: {width: 0, height: 0}, at: place => place, lit: [], way: [],
                labels: [label('one', [150, 100]), label('two', [150, 100], [150, 200]), label('three', [150, 100]),
                    label('four', [2, 280])],
            });
            return found;
        }""",
        scripts(page),
    )
    assert written[:2] == [["one", 150, 100], ["two", 150, 200]]
    ((name, x, y),) = written[2:]
    assert (name, y) == ("four", 280)
    assert x > 15


# --- moving -------------------------------------------------------------------------------------------------------


def test_a_drag_moves_the_map_with_the_hand_and_is_kept_in_the_address(demo_service, visit, songs):
    page, song = opened(visit, demo_service, "&at=0.5,0.5,3"), lonely(songs)
    box = canvas(page).bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 360, box["y"] + 340, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile("at="))
    before, after = pixel(page, song, (0.5, 0.5, 3)), pixel(page, song, looked_at(page))
    assert [round(now - was) for now, was in zip(after, before)] == [60, 40]
    page.reload()
    unfolded(page)
    page.mouse.move(*after)
    if box["x"] < after[0] < box["x"] + box["width"] and box["y"] < after[1] < box["y"] + box["height"]:
        expect(page.locator(".tip")).to_contain_text(song["name"])


def test_the_wheel_enlarges_what_is_under_it(demo_service, visit, songs):
    page, song = opened(visit, demo_service), lonely(songs)
    before, (x, y) = pixel(page, song), map(round, pixel(page, song))
    page.mouse.move(x, y)
    page.mouse.wheel(0, -700)
    expect(page).to_have_url(re.compile("at="))
    at = looked_at(page)
    assert at[2] == pytest.approx(4, rel=0.01)
    assert pixel(page, song, at) == pytest.approx((x + 4 * (before[0] - x), y + 4 * (before[1] - y)), abs=1)


def test_two_fingers_enlarge_and_one_moves(demo_service, visit):
    page = opened(visit, demo_service, **PHONE)
    box = canvas(page).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)

    def touch(kind, *points):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": a, "y": b} for a, b in points]})

    touch("touchStart", (x - 40, y), (x + 40, y))
    touch("touchMove", (x - 60, y), (x + 60, y))
    touch("touchMove", (x - 80, y), (x + 80, y))
    touch("touchEnd")
    expect(page).to_have_url(re.compile("at="))
    enlarged = looked_at(page)
    assert enlarged == pytest.approx((0.5, 0.5, 2), abs=0.06)
    touch("touchStart", (x, y))
    touch("touchMove", (x - 30, y))
    touch("touchMove", (x - 60, y))
    touch("touchEnd")
    page.wait_for_function("was => !location.hash.includes(was)", arg=f"at={enlarged[0]:g},")
    assert looked_at(page)[0] > enlarged[0] + 0.05
    assert looked_at(page)[2] == enlarged[2]


def test_keys_move_enlarge_and_take_the_song_in_the_middle(demo_service, visit, songs):
    song = lonely(songs)
    at = f"{song['x'] / SPAN:.4f},{1 - song['y'] / SPAN:.4f},20"
    page = opened(visit, demo_service, f"&at={at}")
    canvas(page).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("+")
    page.keyboard.press("-")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    assert looked_at(page) == pytest.approx([float(part) for part in at.split(",")], abs=0.001)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Songs like {song['name']}")).to_be_visible()


def test_buttons_enlarge_and_show_the_whole_map_again(demo_service, visit):
    page = opened(visit, demo_service, reduced_motion="reduce", **DESK)
    page.get_by_role("button", name="Enlarge").click()
    page.get_by_role("button", name="Enlarge").click()
    assert looked_at(page) == pytest.approx((0.5, 0.5, 3.24))
    page.get_by_role("button", name="Make smaller").click()
    assert looked_at(page) == pytest.approx((0.5, 0.5, 1.8))
    page.get_by_role("button", name="Show the whole map").click()
    expect(page).to_have_url(f"{demo_service}/#view=map{WHOLE}")


# --- what is going on -----------------------------------------------------------------------------------------------


def test_the_map_has_a_link_to_copy(demo_service, visit):
    page = opened(visit, demo_service, "&cluster=1", permissions=["clipboard-read", "clipboard-write"], **DESK)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{demo_service}/#view=map&cluster=1"


def test_a_map_that_can_not_be_had_is_told_and_asked_for_again(demo_service, visit):
    page = visit(f"{demo_service}/docs", **PHONE)
    page.route("**/map?*", lambda route: route.fulfill(status=503, body="no"))
    page.goto(f"{demo_service}/#view=map")
    expect(page.locator(".stage").get_by_role("alert")).to_contain_text("The service answered 503")
    expect(page.locator(".clusters li").first).to_be_visible()
    page.unroute("**/map?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".stage-note button:enabled")).to_be_visible()


def test_a_part_of_the_page_that_can_not_be_loaded_is_told(demo_service, visit):
    page = visit(demo_service, **PHONE)
    page.route("**/map/map.js", lambda route: route.abort())
    page.get_by_role("link", name="Map", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("This part of the page")
    page.unroute("**/map/map.js")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".stage-note button:enabled")).to_be_visible()


@pytest.mark.parametrize("device", [DESK, PHONE], ids=["desk", "phone"])
def test_the_map_is_seen_with_the_question_and_leads_to_the_whole_one(demo_service, visit, device):
    asked = []
    page = visit(f"{demo_service}/docs", **device)
    page.on("request", lambda request: asked.append(request.url.removeprefix(demo_service)))
    page.goto(demo_service)
    opening = page.get_by_role("link", name="The map of the songs")
    expect(opening.locator("canvas").first).to_be_visible()
    wait_for_frame(page)
    assert "/map?detail=low" in asked
    assert "/map?detail=full" not in asked
    colours = opening.locator("canvas").first.evaluate("""canvas => {
        const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
    }""")
    assert colours > len(get(demo_service, "clusters")["clusters"])
    songs, families = (page.get_by_role("region", name=name) for name in ("Songs to begin with", "Or wander"))
    if device is PHONE:
        assert songs.bounding_box()["y"] < opening.bounding_box()["y"] < families.bounding_box()["y"]
    opening.click()
    expect(page).to_have_url(f"{demo_service}/#view=map")
    expect(opening).to_be_hidden()


@pytest.mark.parametrize("device", [DESK, PHONE], ids=["desk", "phone"])
def test_an_overview_is_drawn_first_and_then_all_songs(demo_service, visit, songs, device):
    """Where a catalogue has more songs than an overview shows; on a phone once it is enlarged."""
    few = requests.get(f"{demo_service}/map?detail=low", timeout=60).content
    sizes, count = [int.from_bytes(few[16 + 4 * at : 20 + 4 * at], "little") for at in range(few[12])], len(songs)
    kept = [
        at for first, size in zip(itertools.accumulate([0, *sizes]), sizes) for at in range(first, first + size // 2)
    ]
    start, half = 16 + 4 * len(sizes), [size // 2 for size in sizes]

    def part(offset, width):
        return b"".join(few[offset + width * at : offset + width * (at + 1)] for at in kept)

    head = [few[:8], len(kept).to_bytes(4, "little"), few[12:16], *(size.to_bytes(4, "little") for size in half)]
    body = b"".join([*head, part(start, 4), part(start + 4 * count, 2), part(start + 6 * count, 2)])
    page, waiting = visit(f"{demo_service}/docs", reduced_motion="reduce", **device), []
    page.route("**/map?detail=low", lambda route: route.fulfill(body=body, content_type="application/octet-stream"))
    page.route("**/map?detail=full", lambda route: waiting.append(route))  # noqa: PLW0108 # playwright wants it
    where = f"{demo_service}/#view=map"
    if device is PHONE:
        page.goto(where)
        unfolded(page)
        assert not waiting
        where += "&at=0.5,0.5,3"
    with page.expect_request("**/map?detail=full"):
        page.goto(where)
    expect(page.locator(".stage-note")).to_contain_text(f"{count} songs, alike")
    unfolded(page)
    before = page.evaluate(f"({DRAWN})()")
    assert before > 0
    waiting[0].continue_()
    page.wait_for_function(f"() => ({DRAWN})() > {1.2 * before}")
