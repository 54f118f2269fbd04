"""The playlist of the page, in a real browser: kept, ordered, made by the service, and taken elsewhere."""

import csv
import io
import json
import re

import pytest
import requests
from playwright.sync_api import expect

from tests.support.browser import PHONE, in_a_browser, visit, visits

__all__ = ["visit", "visits"]  # fixtures
pytestmark = in_a_browser

LIST = [f"demo-{number:07}" for number in (33, 77, 114, 200)]
KEPT = f"#view=playlist&list={','.join(LIST)}"


def told(service, ids):
    return requests.post(f"{service}/songs", json={"ids": list(ids)}, timeout=60).json()["songs"]


def kept(page):
    """The ids of the playlist, as the address has them; the page's own, for a browser tells of a change later."""
    found = re.search(r"list=([^&]*)", page.evaluate("location.hash"))
    return found[1].split(",") if found else []


def expect_list(page, service, ids):
    names = [song["name"] for song in told(service, ids)]
    expect(page.locator("#playlist .song-name")).to_have_text(names)
    expect(page).to_have_url(re.compile(f"list={','.join(ids)}(&|$)"))


def test_songs_are_put_in_and_taken_out_beside_the_recommendations(demo_service, visit):
    page = visit(f"{demo_service}/#song=demo-0000033")
    first = page.locator("#songs .song").first
    plus = first.get_by_role("button", name=re.compile("in the playlist"))
    expect(plus).to_have_attribute("aria-pressed", "false")
    plus.click()
    expect(plus).to_have_attribute("aria-pressed", "true")
    expect(plus).to_be_focused()
    assert kept(page) == [first.get_attribute("data-id")]
    expect(page.get_by_role("link", name="Playlist 1")).to_be_visible()
    page.get_by_role("button", name="All into the playlist").click()
    expect(page.get_by_role("link", name="Playlist 10")).to_be_visible()
    plus.click()
    expect(page.get_by_role("link", name="Playlist 9")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("link", name="Playlist 10")).to_be_visible()


def test_the_list_tells_its_length_and_how_its_energy_goes(demo_service, visit):
    page = visit(f"{demo_service}/{KEPT}")
    songs = told(demo_service, LIST)
    minutes = round(sum(song["duration_ms"] for song in songs) / 60_000)
    expect(page.locator(".playlist-length")).to_have_text(f"4 songs, {minutes} min")
    first, last = (round(100 * songs[place]["features"]["energy"]) for place in (0, -1))
    expect(page.locator(".energy figcaption")).to_have_text(f"Energy, from {first} % to {last} %")
    expect_list(page, demo_service, LIST)


def test_songs_are_moved_by_keyboard_and_the_move_is_said(demo_service, visit):
    page = visit(f"{demo_service}/{KEPT}")
    first = told(demo_service, LIST)[0]["name"]
    expect(page.get_by_role("button", name=f"Move {first} up")).to_be_disabled()
    down = page.get_by_role("button", name=f"Move {first} down")
    down.press("Enter")
    expect_list(page, demo_service, [LIST[1], LIST[0], LIST[2], LIST[3]])
    expect(down).to_be_focused()
    expect(page.locator("#spoken")).to_have_text(f"{first} is number 2 of 4.")
    page.get_by_role("button", name=f"Take {first} out").press("Enter")
    expect_list(page, demo_service, LIST[1:])
    page.go_back()
    page.go_back()
    expect_list(page, demo_service, LIST)


@pytest.mark.parametrize("options", [{}, PHONE], ids=["mouse", "phone"])
def test_songs_are_dragged_to_their_places(demo_service, visit, options):
    page = visit(f"{demo_service}/{KEPT}", **options)
    expect_list(page, demo_service, LIST)
    expect(page.locator("#about")).not_to_be_empty()  # nothing above it is still to come
    boxes = [grip.bounding_box() for grip in page.locator("#playlist .grip").all()]
    x, (began, ended) = boxes[0]["x"] + 8, (boxes[place]["y"] + boxes[place]["height"] / 2 for place in (0, 2))
    page.mouse.move(x, began)
    page.mouse.down()
    page.mouse.move(x, (began + ended) / 2)
    page.mouse.move(x, ended + 6)
    page.mouse.up()
    expect_list(page, demo_service, [LIST[1], LIST[2], LIST[0], LIST[3]])


def test_a_list_is_made_along_a_curve(demo_service, visit):
    page = visit(f"{demo_service}/#song=demo-0000033&never=Idle+Heron&view=playlist")
    maker = page.get_by_role("form", name="From what you like")
    expect(maker).to_contain_text("Songs like Anchor, shaped by your sliders.")
    maker.get_by_label("How much").fill("12")
    maker.get_by_label("Energy").select_option("rising")
    maker.get_by_role("button", name="Make it").click()
    body = {
        "seeds": [{"id": "demo-0000033"}],
        "songs": 12,
        "flow": "rise",
        "filters": {"exclude_artists": ["Idle Heron"]},
    }
    answer = requests.post(f"{demo_service}/playlist", json=body, timeout=60).json()
    expect_list(page, demo_service, [song["id"] for song in answer["songs"]])
    page.get_by_text("The request behind this").last.click()
    assert json.loads(page.locator(".made code").inner_text().partition("\n")[2]) == body


def test_a_list_may_be_asked_for_in_minutes_and_of_the_playlist_itself(demo_service, visit):
    page = visit(f"{demo_service}/{KEPT}")
    maker = page.get_by_role("form", name="From what you like")
    maker.get_by_label("of", exact=True).select_option("minutes")
    maker.get_by_label("How much").fill("30")
    maker.get_by_role("button", name="Make it").click()
    body = {"seeds": [{"id": song} for song in LIST], "minutes": 30, "flow": "steady"}
    answer = requests.post(f"{demo_service}/playlist", json=body, timeout=60).json()
    expect_list(page, demo_service, LIST)  # which is not replaced before somebody says so
    question = page.get_by_role("group", name="The playlist")
    expect(question).to_contain_text(f"The playlist has 4 songs already, the new one {len(answer['songs'])}.")
    expect(question.get_by_role("button", name="Replace them")).to_be_focused()
    question.get_by_role("button", name="Keep it as it is").click()
    expect(question).to_be_hidden()
    maker.get_by_role("button", name="Make it").click()
    question.get_by_role("button", name="Add to the end").click()
    expect_list(page, demo_service, list(dict.fromkeys([*LIST, *(song["id"] for song in answer["songs"])])))
    page.get_by_role("button", name="Undo").click()
    maker.get_by_role("button", name="Make it").click()
    question.get_by_role("button", name="Replace them").click()
    expect_list(page, demo_service, [song["id"] for song in answer["songs"]])
    page.get_by_role("button", name="Undo").click()
    expect_list(page, demo_service, LIST)


def test_a_walk_leads_from_one_song_to_another(demo_service, visit):
    page = visit(f"{demo_service}/#view=playlist")
    maker = page.get_by_role("form", name="A walk between two songs")
    maker.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose where the walk begins")
    ends = told(demo_service, [LIST[0], LIST[3]])
    for end, song in zip(("From", "To"), ends):
        field = maker.get_by_role("combobox", name=f"{end} which song")
        field.fill(f"{song['name']} {song['artists'][0]}")
        page.locator(f"#walk-{end.lower()}-choices [role=option]").first.click()
        expect(field).to_have_value(song["name"])
    maker.get_by_label("Songs").fill("5")
    maker.get_by_role("button", name="Make it").click()
    body = {"from": {"id": LIST[0]}, "to": {"id": LIST[3]}, "length": 5}
    answer = requests.post(f"{demo_service}/path", json=body, timeout=60).json()
    expect_list(page, demo_service, [song["id"] for song in answer["songs"]])
    assert (kept(page)[0], kept(page)[-1]) == (LIST[0], LIST[3])


def test_a_radio_goes_on_from_the_last_song(demo_service, visit):
    page = visit(f"{demo_service}/{KEPT}")
    page.get_by_role("button", name="Add 5 that follow").click()
    answer = requests.post(f"{demo_service}/continue", json={"played": LIST, "limit": 5}, timeout=60).json()
    expect_list(page, demo_service, [*LIST, *(song["id"] for song in answer["songs"])])


def test_what_the_service_refuses_is_told(demo_service, visit):
    page = visit(f"{demo_service}/{KEPT}")
    maker = page.get_by_role("form", name="A walk between two songs")
    for end in ("from", "to"):
        maker.locator(f"#walk-{end}").fill("anchor")
        page.locator(f"#walk-{end}-choices [role=option]").first.click()
    maker.get_by_role("button", name="Make it").click()
    refused = requests.post(
        f"{demo_service}/path", json={"from": {"id": LIST[0]}, "to": {"id": LIST[0]}, "length": 8}, timeout=60
    )
    assert refused.status_code == 400
    expect(page.get_by_role("alert")).to_contain_text(refused.json()["detail"][1:])
    expect_list(page, demo_service, LIST)


@pytest.mark.parametrize("name", ["CSV", "M3U8", "JSPF"])
def test_a_playlist_is_saved_as_a_file_in_its_order(demo_service, visit, name):
    page = visit(f"{demo_service}/{KEPT}")
    with page.expect_download() as coming:
        page.get_by_role("button", name=f"Save as {name}").click()
    assert coming.value.suggested_filename == f"playlist.{name.lower()}"
    text = coming.value.path().read_bytes().decode()
    found = {
        "CSV": lambda: [row["id"] for row in csv.DictReader(io.StringIO(text))],
        "M3U8": lambda: [line.rpartition(":")[2] for line in text.splitlines() if not line.startswith("#")],
        "JSPF": lambda: [one["identifier"][0].rpartition(":")[2] for one in json.loads(text)["playlist"]["track"]],
    }[name]()
    assert found == LIST


def test_the_link_holds_the_whole_playlist(demo_service, visit):
    page = visit(f"{demo_service}/{KEPT}", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{demo_service}/s/list/{','.join(LIST)}"
    shared = visit(f"{demo_service}/docs")
    shared.route("**/songs?*", lambda route: route.abort())  # they come with the page
    shared.goto(f"{link}?name=Sundays")
    expect_list(shared, demo_service, LIST)
    expect(shared.get_by_role("heading", name="Sundays")).to_be_visible()
    expect(shared.get_by_role("link", name="API")).to_have_attribute("href", f"{demo_service}/docs")
    shared.get_by_label("Name of the playlist").fill("For the way home")
    shared.get_by_label("Name of the playlist").press("Enter")
    expect(shared.get_by_role("heading", name="For the way home")).to_be_visible()
    shared.reload()
    expect(shared.get_by_role("heading", name="For the way home")).to_be_visible()


BOXES = """
    [...document.querySelectorAll('.playlist-head > *, .entry, .entry :is(.song-name, .facts, .entry-length)')]
        .map(one => [one.className, one.textContent, one.getBoundingClientRect()])
        .map(([name, text, {x, y, height}]) => [name, /energy|actions|entry$/.test(name) ? '' : text,
            ...[x, y, height].map(Math.round)])
"""


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_a_shared_list_comes_drawn_where_the_scripts_draw_it(demo_service, visit, device):
    page, waiting = visit(f"{demo_service}/docs", **device), []
    page.route("**/playlist.js", lambda route: waiting.append(route))  # noqa: PLW0108 # playwright wants it
    with page.expect_request("**/playlist.js"):
        page.goto(f"{demo_service}/s/list/{','.join(LIST)}?name=Sundays", wait_until="domcontentloaded")
    expect(page.locator(".entry .song-name")).to_have_text([song["name"] for song in told(demo_service, LIST)])
    expect(page.locator("#about")).not_to_be_empty()
    page.evaluate("document.fonts.ready")
    before = page.evaluate(BOXES)
    waiting[0].continue_()
    expect(page.locator("#playlist .entry").first.get_by_role("button").first).to_be_visible()
    assert page.evaluate(BOXES) == before


def test_the_list_is_seen_on_the_map(demo_service, visit):
    page = visit(f"{demo_service}/{KEPT}")
    page.get_by_role("button", name="See it on the map").click()
    expect(page.locator(".stage-note button:enabled")).to_be_visible()
    expect(page).to_have_url(f"{demo_service}/#view=map&list={','.join(LIST)}")


def test_spotifys_addresses_are_offered_for_songs_that_spotify_has(demo_service, visit):
    page = visit(f"{demo_service}/{KEPT}")
    expect(page.get_by_role("button", name="Spotify URIs")).to_be_disabled()


def test_a_song_that_is_not_there_any_more_is_told_and_can_be_taken_out(demo_service, visit):
    page = visit(f"{demo_service}/#view=playlist&list={LIST[0]},demo-9999999,{LIST[1]}")
    expect(page.locator("#playlist .entry").nth(1)).to_contain_text("This catalogue has no such song.")
    page.get_by_role("button", name="Take demo-9999999 out").click()
    expect_list(page, demo_service, LIST[:2])


def test_an_empty_playlist_says_how_it_is_filled_and_clear_empties_it(demo_service, visit):
    page = visit(f"{demo_service}/{KEPT}")
    page.get_by_role("button", name="Clear the playlist").click()
    expect(page.locator(".nothing-kept")).to_contain_text("Nothing here yet.")
    assert kept(page) == []
    page.get_by_role("button", name="Undo").click()
    expect_list(page, demo_service, LIST)
    name = told(demo_service, LIST)[1]["name"]
    page.get_by_role("button", name=f"Take {name} out").click()
    expect(page.get_by_role("complementary", name="What was done")).to_contain_text(
        f"“{name}” is out of the playlist."
    )
    page.get_by_role("button", name="Undo").click()
    expect_list(page, demo_service, LIST)


# --- bring a list -------------------------------------------------------------------------------------------------


def exported(kind, songs):
    """Songs as another program exports them, and one that no catalogue has."""
    songs = [*songs, {"id": "elsewhere", "name": "Nowhere to Be Heard", "artists": ["Nobody Knows"]}]
    pairs = [(song["name"], ", ".join(song["artists"])) for song in songs]
    return {
        "csv": lambda: "\ufeffTrack name;Artist name;Type\r\n"
        + "".join(f'"{title}";"{by}";Playlist\r\n' for title, by in pairs)
        + "Idle Heron;;Artist\r\n",
        "json": lambda: json.dumps({"playlists": [{"name": "Ours", "items": [
            {"track": {"trackName": title, "artistName": by, "trackUri": "spotify:track:0"}, "episode": None}
            for title, by in pairs]}]}),
        "jspf": lambda: json.dumps({"playlist": {"title": "Ours", "creator": "Us", "track": [
            {"title": song["name"], "creator": "Somebody", "identifier": [f"spotify:track:{song['id']}"]}
            for song in songs]}}),
        "m3u8": lambda: "#EXTM3U\n"
        + "".join(f"#EXTINF:201,{by} - {title}\nsongs/{title}.mp3\n" for title, by in pairs),
    }[kind]()  # fmt: skip


@pytest.mark.parametrize(("kind", "device"), [("csv", PHONE), ("json", {}), ("jspf", {}), ("m3u8", {})])
def test_a_list_of_another_program_is_brought_and_what_is_missing_is_told(demo_service, visit, kind, device):
    page = visit(f"{demo_service}/#view=playlist", **device)
    content = exported(kind, told(demo_service, LIST)).encode()
    page.get_by_label("A file that another program saved").set_input_files(
        {"name": f"Way home.{kind}", "mimeType": "", "buffer": content}
    )
    expect(page.locator(".brought-said")).to_have_text(f"4 of 5 songs of “Way home.{kind}” are here.")
    expect_list(page, demo_service, LIST)
    expect(page.get_by_role("heading", name="Way home")).to_be_visible()
    page.get_by_text("1 song missing").click()
    by = "Somebody" if kind == "jspf" else "Nobody Knows"
    expect(page.locator(".lacking li")).to_have_text([f"Nowhere to Be Heard by {by}"])
    page.get_by_role("button", name="More like these").click()
    expect(page.locator("#seeds .chip")).to_have_count(len(LIST))


def test_a_file_may_be_dropped_on_any_view_and_replaces_no_playlist_unasked(demo_service, visit):
    page = visit(f"{demo_service}/#song=demo-0000033&list={LIST[3]}")
    content = exported("m3u8", told(demo_service, LIST[:3]))
    page.evaluate(
        """text => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([text], "radio.m3u8"));
            for (const kind of ["dragover", "drop"]) document.body.dispatchEvent(new DragEvent(kind, {dataTransfer, bubbles: true, cancelable: true}));
        }""",  # noqa: E501
        content,
    )
    question = page.get_by_role("group", name="The playlist")
    expect(question).to_contain_text("The playlist has 1 song already, the new one 3.")
    question.get_by_role("button", name="Add to the end").click()
    expect_list(page, demo_service, [LIST[3], *LIST[:3]])
    expect(page.locator("html")).not_to_have_class(re.compile("dropping"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04\x00zip", "This page reads JSON, JSPF, CSV, M3U8 and plain text."),
        (b'{"playlists": [', "This file looks like JSON and is not:"),
        (b'{"playlists": []}', "No songs are in this file:"),
    ],
)
def test_a_file_without_a_list_is_told_what_would_have_worked(demo_service, visit, content, said):
    page = visit(f"{demo_service}/{KEPT}")
    page.get_by_label("A file that another program saved").set_input_files(
        {"name": "list.bin", "mimeType": "", "buffer": content}
    )
    expect(page.get_by_role("alert")).to_contain_text(said)
    expect_list(page, demo_service, LIST)


def test_a_playlist_is_put_in_order_and_back(demo_service, visit):
    lost = [*LIST[:2], "demo-9999999", *LIST[2:]]
    page = visit(f"{demo_service}/#view=playlist&list={','.join(lost)}")
    maker = page.get_by_role("form", name="Put it in order")
    maker.get_by_label("Energy").select_option("falling")
    maker.get_by_role("button", name="Put in order").click()
    songs = sorted(told(demo_service, LIST), key=lambda song: -song["features"]["energy"])
    expect(page).to_have_url(re.compile(f"list={','.join(song['id'] for song in songs)},demo-9999999$"))
    expect(page.get_by_role("complementary", name="What was done")).to_contain_text("The playlist is falling now.")
    page.get_by_role("button", name="Undo").click()
    expect(page).to_have_url(re.compile(f"list={','.join(lost)}$"))
