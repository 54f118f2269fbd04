"""The page for everybody: no violation that axe-core finds in any state, names that are hostile, keyboards, eyes."""

import re

import pytest
import requests
from playwright.sync_api import expect

from segue_build.fit import FitOptions, fit
from tests.support import world
from tests.support.browser import PHONE, in_a_browser, violations, visit, visits, with_axe
from tests.support.map_view import unfolded
from tests.support.serving import served

__all__ = ["visit", "visits"]  # fixtures
pytestmark = in_a_browser

SONG = "demo-0000033"
LIST = "demo-0000033,demo-0000077,demo-0000114"
STATES = {  # the address of each, and what comes last there
    "start": ("/", ".opening canvas"),
    "songs": (f"/#song={SONG}&artist=Idle+Heron&-genre=jazz&energy=0.3&never=Nobody", "#presets button"),
    "nothing left": (f"/#song={SONG}&never=Nobody&limit=100", "#presets button"),
    "unknown song": ("/#song=demo-9999999", ".trouble"),
    "playlist": (f"/#song={SONG}&view=playlist&list={LIST},demo-9999999", ".energy svg"),
    "empty playlist": ("/#view=playlist", ".nothing-kept"),
    "map": (f"/#song={SONG}&view=map&list={LIST}", ".lit .seed-cluster", ".stage canvas", ".clusters li"),
    "cluster": ("/#view=map&cluster=1", ".told .line", ".stage canvas", ".clusters li"),
    "artist": ("/#artist=Idle+Heron", "#presets button"),
    "walk": (f"/#view=map&list={LIST}", ".lit .line", ".stage canvas", ".clusters li"),
    "docs": ("/docs", "article"),
    "clients": ("/docs/clients", "#main h2"),
    "nowhere": ("/no/where", "h1"),
}
DESK = {"viewport": {"width": 1280, "height": 800}}
LONG = "Endless " * 62 + "Song"
INJECTED = "main :is(script, img, b, i, svg[onload])"
HOSTILE = {
    "<script>alert(1)</script>": "<b>Bold & the Beautiful</b>",
    "<img src=x onerror=alert(2)>": "\"><svg onload=alert(3)>",
    "javascript:alert(4)": "${7*7}{{7*7}}",
    "\U0001f3b8\U0001f525 Émigré \U0001f469\u200d\U0001f467": "\U0001f98a",
    "أغنية طويلة جدا": "فرقة الليل",
    "\u202eevil\u202c": "\u202edrawkcab",
    LONG: "W" * 500,
}  # fmt: skip


@pytest.fixture(scope="module")
def hostile_service(tmp_path_factory):
    """The small world, whose songs have names that nobody should have."""
    folder = tmp_path_factory.mktemp("hostile")
    rows = world.rows()
    for row, (name, artist) in zip(rows, HOSTILE.items()):
        row |= {"name": name, "artists": artist, "album": name, "genres": "<i>genre</i>"}
    fit(FitOptions([str(world.write(folder / "world.csv", rows))]), folder / "artifacts")
    with served(folder / "artifacts") as base:
        yield base


def visit_state(visit, service, state, **options):
    """A page on which all that its address leads to has come."""
    address, *last = STATES[state]
    page = visit(service + address, **options)
    for one in last:
        expect(page.locator(one).first).to_be_attached()
    page.wait_for_load_state("networkidle")
    return page


@with_axe
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_no_violation_in_any_state(demo_service, visit, state):
    page = visit_state(visit, demo_service, state, color_scheme="dark", **PHONE)
    assert violations(page) == []


@pytest.mark.slow
@with_axe
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_no_violation_in_any_state_and_size_and_scheme(demo_service, visit, state, scheme, size):
    page = visit_state(visit, demo_service, state, color_scheme=scheme, **size)
    assert violations(page) == []


@with_axe
def test_axe_finds_no_violation_while_suggestions_are_open_and_an_answer_is_shown(demo_service, visit):
    page = visit(demo_service)
    page.get_by_role("combobox", name="Song, artist or genre").fill("anchor")
    expect(page.locator("#search-choices [role=option]").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    assert violations(page) == []
    docs = visit(f"{demo_service}/docs")
    docs.get_by_role("button", name="Try it").first.click()
    expect(docs.locator(".status").first).to_be_visible()
    assert violations(docs) == []


def test_hostile_names_are_shown_as_text_everywhere(hostile_service, visit):
    ids = [row["id"] for row in world.rows()][: len(HOSTILE)]
    page = visit(f"{hostile_service}/#song={ids[0]}&song={ids[6]}&-song={ids[1]}&limit=20&never=%3Cb%3ENever%3C/b%3E")
    asked = [name for place, name in enumerate(HOSTILE) if place not in (0, 1, 6)]
    for name in asked:
        expect(page.locator("#songs .song-name").filter(has_text=name).first).to_have_text(name)
    expect(page.locator("#seeds .chip-name")).to_have_text(
        ["<script>alert(1)</script>", LONG, "<img src=x onerror=alert(2)>", "<b>Never</b>"]
    )
    page.goto(f"{hostile_service}/#view=playlist&list={','.join(ids)}")
    expect(page.locator("#playlist .song-name")).to_have_text(list(HOSTILE))
    expect(page.locator("#playlist .song-artists")).to_have_text(list(HOSTILE.values()))
    assert page.locator(INJECTED).count() == 0
    page.goto(f"{hostile_service}/#view=map&song={ids[0]}&cluster=0")
    page.get_by_text(re.compile("^All [0-9]+ songs$")).click()
    expect(page.locator(".told details .song-name").first).to_be_visible()
    expect(page.locator(".lit .song-name").filter(has_text=LONG).first).to_have_text(LONG)
    assert page.locator(INJECTED).count() == 0


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "أغنية", "<i>genre</i>"])
def test_hostile_names_are_suggested_as_text(hostile_service, visit, text):
    page = visit(hostile_service)
    page.get_by_role("combobox", name="Song, artist or genre").fill(text)
    expect(page.locator("#search-choices [role=option]").first).to_be_visible()
    assert page.locator("#search-choices :is(script, img, b, i)").count() == 0
    page.keyboard.press("Enter")
    expect(page.locator("#songs .song-name").first).to_be_visible()


def test_names_that_run_from_right_to_left_do_not_turn_what_is_beside_them(hostile_service, visit):
    page = visit(f"{hostile_service}/#song=piano-1&limit=20")
    row = page.locator("#songs .song").filter(has_text="أغنية")
    name, percent = row.locator(".song-name"), row.locator(".percent")
    expect(row.locator(".profile")).to_be_visible()  # the list is drawn again with the features
    expect(name).to_have_css("direction", "rtl")
    assert percent.bounding_box()["x"] > row.locator(".rank").bounding_box()["x"]


@pytest.mark.parametrize("width", [320, *(pytest.param(width, marks=pytest.mark.slow) for width in (390, 768, 1280))])
def test_nothing_is_wider_than_the_page(demo_service, hostile_service, visit, width):
    ids = [row["id"] for row in world.rows()[: len(HOSTILE)]]
    hostile = {
        f"song={ids[6]}&limit=20": "#songs .profile",
        f"view=playlist&list={','.join(ids)}": "#playlist .song-artists",
        f"view=map&song={ids[6]}&cluster=0": ".told .line",
    }
    narrow = {"viewport": {"width": width, "height": 700}}
    pages = [visit_state(visit, demo_service, state, **narrow) for state in STATES]
    for fragment, last in hostile.items():
        pages.append(visit(f"{hostile_service}/#{fragment}", **narrow))
        expect(pages[-1].locator(last).last).to_be_attached()
    for page in pages:
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, page.url


def test_everything_is_reached_and_seen_by_keyboard(demo_service, visit):
    page = visit(f"{demo_service}/#song={SONG}")
    expect(page.locator("#songs .profile-button")).to_have_count(10)
    expect(page.locator("#presets button").last).to_be_visible()  # nothing to be reached is still to come
    page.keyboard.press("Tab")
    expect(page.locator("#skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#results")).to_be_focused()  # the songs
    assert page.url.endswith(f"#song={SONG}")
    page.locator("#main").focus()
    wanted = page.locator("main :is(a, button, input, select, summary):visible:not(:disabled)").count()
    reached = set()
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        here = page.evaluate("""() => {
            const one = document.activeElement, style = getComputedStyle(one), field = one.closest('.field') !== null;
            return [one.closest('main') && one.outerHTML.slice(0, 200), style.outlineStyle !== 'none' || field];
        }""")  # fmt: skip
        reached.add(here[0])
        assert here[0] is None or here[1], here
    assert len(reached - {None}) >= wanted - 1


def test_what_is_asked_for_is_said_once_it_is_there(demo_service, visit):
    page = visit(f"{demo_service}/#song={SONG}")
    expect(page.get_by_role("status").and_(page.locator("#spoken"))).to_have_text("10 songs: Songs like Anchor.")


def test_nothing_moves_for_who_wants_it_still(demo_service, visit):
    page = visit(f"{demo_service}/#view=playlist&list={LIST}", reduced_motion="reduce")
    expect(page.locator(".entry").first).to_be_visible()
    moving = page.evaluate("""[...document.querySelectorAll('*')].filter(one => {
        const {transitionDuration, animationName} = getComputedStyle(one);
        return animationName !== 'none' || transitionDuration.split(', ').some(time => parseFloat(time) > 0);
    }).map(one => one.outerHTML.slice(0, 80))""")
    assert moving == []


@pytest.mark.parametrize("state", ["start", "songs", "playlist"])
def test_what_is_touched_is_large_enough(demo_service, visit, state):
    page = visit_state(visit, demo_service, state, **PHONE)
    small = page.evaluate("""[...document.querySelectorAll(
        'button, select, summary, nav a, input:not([type=checkbox])')]
        .filter(one => one.checkVisibility())
        .map(one => [one.getBoundingClientRect(), one.getAttribute('aria-label') || one.textContent || one.id])
        .filter(([{width, height}]) => width < 24 || height < 24).map(([, name]) => name)""")  # fmt: skip
    assert small == []


# --- phones -------------------------------------------------------------------------------------------------------


def test_on_a_phone_the_first_song_is_near_the_top_and_the_sheet_leaves_it_in_sight(demo_service, visit):
    page = visit(demo_service, **PHONE)
    field = page.get_by_role("combobox", name="Song, artist or genre", exact=True)
    field.fill("anchor")
    field.press("Enter")
    first = page.locator("#songs .song-name").first
    expect(first).to_be_visible()
    expect(field).not_to_be_focused()  # so that the keyboard goes
    assert first.bounding_box()["y"] < 300
    page.get_by_role("button", name="Shape it").click()
    before = page.locator("#songs .song-name").all_inner_texts()
    page.get_by_role("slider", name="Energy").press("End")
    expect(page.locator("#songs .song-name")).not_to_have_text(before)
    expect(page.locator("#results")).to_have_attribute("aria-busy", "false")
    sheet, song = page.locator(".sheet").bounding_box(), first.bounding_box()
    assert song["y"] + song["height"] < sheet["y"]
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".sheet")).to_be_hidden()
    expect(page.get_by_role("button", name="Shape it")).to_be_focused()


def test_one_finger_scrolls_the_page_over_the_map_until_the_map_was_pressed(demo_service, visit):
    page = visit(f"{demo_service}/#view=map&at=0.5,0.5,3", **PHONE)
    unfolded(page)
    session, box = page.context.new_cdp_session(page), page.get_by_role("application").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for kind, points in [
        ("touchStart", [y]),
        *(("touchMove", [y - 20 * step]) for step in range(1, 9)),
        ("touchEnd", []),
    ]:
        touches = [{"x": x, "y": down} for down in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
    page.wait_for_function("scrollY > 80")
    assert page.url.endswith("at=0.5,0.5,3")


# --- eyes, paper, keys --------------------------------------------------------------------------------------------


def test_the_columns_of_a_sound_are_named_where_somebody_asks(demo_service, visit):
    page = visit(f"{demo_service}/#song={SONG}", **PHONE)
    columns = page.get_by_role("button", name=re.compile("^Sound: ")).first
    expect(columns).to_have_attribute("aria-expanded", "false")
    columns.press("Enter")
    names = page.locator(".profile-told").first.locator("li")
    expect(names.first).to_have_text(re.compile(r"^energy \d+ \(seed \d+\)$"))
    expect(names).to_have_count(columns.locator("g").count())
    expect(columns).to_be_focused()
    assert not re.search(r"occasion \d", page.locator("main").inner_text())


def test_the_skip_link_goes_to_the_songs(demo_service, visit):
    page = visit(f"{demo_service}/#song={SONG}")
    expect(page.locator("#songs .song-name").first).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the songs")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#results")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#results").locator(":focus")).to_have_count(1)


@pytest.mark.parametrize(
    ("state", "names"),
    [
        (f"/#song={SONG}&genre=jazz&energy=0.4", ["Take jazz away", "Less like Anchor", "Reset", "Other songs",
                                                  "Never this artist", "All into the playlist"]),
        (f"/#view=playlist&list={LIST}", ["Move .* down", "Take .* out", "Clear the playlist"]),
        ("/#view=map&cluster=1", ["Close .*", "Enlarge"]),
    ],
)  # fmt: skip
def test_the_focus_never_falls_off_the_page(demo_service, visit, state, names):
    page = visit(demo_service + state)
    for name in names:
        page.get_by_role("button", name=re.compile(f"^{name}")).first.press("Enter")
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        page.wait_for_timeout(100)  # a focus that fell has no event to wait for
        assert page.evaluate("document.activeElement !== document.body"), name


def test_sliders_and_bars_are_seen_in_forced_colours_and_print_has_the_songs_alone(demo_service, visit):
    page = visit(f"{demo_service}/#song={SONG}&energy=0.4", forced_colors="active")
    expect(page.locator("#songs .profile").first).to_be_visible()
    paper, *seen = page.evaluate("""() => {
        const shade = (one, part) => getComputedStyle(one, part).backgroundColor;
        const filled = one => getComputedStyle(one).fill;
        const [bar, column] = ['.bar-part', '.profile-bar'].map(name => document.querySelector(name));
        return [shade(document.body), shade(bar), filled(column)];
    }""")
    assert paper not in seen
    page.emulate_media(media="print", forced_colors="none")
    hidden = ("header nav", ".finder", "#shape", ".dock", ".song-actions", ".below")
    assert [name for name in hidden if page.locator(name).first.is_visible()] == []
    expect(page.locator("#songs .song-name")).to_have_count(10)
    expect(page.locator("#songs .song-name").last).to_be_visible()


# --- the map by name ----------------------------------------------------------------------------------------------


def test_a_search_from_the_map_stays_there_and_what_keys_come_to_is_spoken(demo_service, visit):
    page = visit(f"{demo_service}/#view=map", reduced_motion="reduce", **DESK)
    expect(page.locator(".stage-note button:enabled")).to_be_visible()
    field = page.get_by_role("combobox", name="Song, artist or genre", exact=True)
    field.fill("anchor")
    field.press("Enter")
    expect(page).to_have_url(f"{demo_service}/#song={SONG}&view=map")
    expect(page.get_by_role("region", name="Songs on the map").locator(".line")).to_have_count(10)
    (song,) = requests.get(f"{demo_service}/songs", {"ids": SONG}, timeout=60).json()["songs"]
    page.goto(f"{demo_service}/#view=map&at={song['x'] / 65535:.4f},{1 - song['y'] / 65535:.4f},40")
    page.get_by_role("application").focus()
    page.keyboard.press("+")
    expect(page.locator("#spoken")).to_have_text(re.compile(r"^.+, .+\.$"))
    name, by = page.locator(".tip bdi").all_inner_texts()  # which is there before it is spoken
    expect(page.locator("#spoken")).to_have_text(f"{name}, {by}.")
    expect(page.locator(".tip")).to_be_visible()
