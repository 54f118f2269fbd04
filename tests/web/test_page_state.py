"""What the page says of the service: which model, asleep, failing, offline, without artifacts."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.support.browser import PHONE, in_a_browser, visit, visits
from tests.support.gateway import KEY, LOCKED
from tests.support.page_helpers import ANCHOR, ask, shown
from tests.support.serving import served

__all__ = ["visit", "visits"]  # fixtures
pytestmark = in_a_browser


def test_the_page_says_that_the_catalogue_is_invented_and_which_model_answers(demo_service, visit):
    page = visit(demo_service)
    ready = ask(demo_service, "readyz")
    expect(page.locator("#about")).to_have_text(f"{ready['songs']} songs, model {ready['version']}.")
    expect(page.locator("#invented")).to_contain_text("These songs and artists exist nowhere")
    expect(page.locator("#invented")).to_be_visible()


def test_the_wait_for_a_service_that_was_asleep_is_told(demo_service, visit):
    page, waiting = visit(f"{demo_service}/docs"), []
    page.route("**/readyz", lambda route: waiting.append(route))  # noqa: PLW0108 # playwright wants it
    page.goto(f"{demo_service}/#view=playlist")  # which asks for nothing else
    expect(page.locator("#wait")).to_contain_text(re.compile(r"Waking up the service … [1-9]\d*\.\d s"))
    waiting[0].continue_()
    expect(page.locator("#wait")).to_have_text(re.compile(r"It was asleep and woke up in [1-9]\d*\.\d s\."))


def test_offline_what_was_there_stays_and_goes_on_by_itself(demo_service, visit):
    page = visit(f"{demo_service}/#song={ANCHOR}")
    before = [song["name"] for song in shown(page, demo_service)["recommendations"]]
    faster = page.get_by_role("button", name="Faster")
    expect(faster).to_be_visible()
    page.context.set_offline(True)
    faster.click()
    expect(page.get_by_role("alert")).to_contain_text("You are offline.")
    expect(page.locator("#songs .song-name")).to_have_text(before)
    page.context.set_offline(False)
    expect(page.get_by_role("alert")).to_have_count(0)
    shown(page, demo_service)


def test_a_service_that_fails_is_told_and_asked_again(demo_service, visit):
    page = visit(demo_service)
    page.route("**/recommend", lambda route: route.fulfill(status=502, body="Bad Gateway"))
    page.goto(f"{demo_service}/#song={ANCHOR}")
    expect(page.get_by_role("alert")).to_contain_text("The service answered 502")
    page.unroute("**/recommend")
    page.get_by_role("button", name="Try again").click()
    shown(page, demo_service)


# What alerts say as they appear: they may be gone before anybody looks.
ALERTS = """
    window.alerts = [];
    new MutationObserver(changes => {
        for (const {addedNodes} of changes) {
            for (const one of addedNodes) if (one.role === 'alert') alerts.push(one.textContent);
        }
    }).observe(document, {childList: true, subtree: true});
"""


def test_a_service_that_says_when_is_asked_again_then_by_itself(demo_service, visit):
    page = visit(f"{demo_service}/docs")
    page.add_init_script(ALERTS)
    asked = []

    def busy(route):
        asked.append(time.monotonic())
        if len(asked) > 1:
            route.continue_()
        else:
            route.fulfill(status=503, headers={"Retry-After": "2"}, json={"detail": "too many others wait"})

    page.route("**/recommend", busy)
    page.goto(f"{demo_service}/#song={ANCHOR}")
    shown(page, demo_service)
    expect(page.get_by_role("alert")).to_have_count(0)
    said = page.evaluate("alerts")[0]
    assert said.startswith("Too many others wait.")
    assert said.endswith("It is tried again by itself in 2 s.")
    assert asked[1] - asked[0] >= 1.9  # seconds: not before it was said to


def test_the_opening_is_never_seen_before_what_a_link_leads_to(demo_service, visit):
    page = visit(f"{demo_service}/docs", **PHONE)
    page.route("**/main.js", lambda route: None)  # which never comes
    page.goto(f"{demo_service}/s/song/{ANCHOR}", wait_until="commit")
    page.wait_for_url(f"{demo_service}/#song={ANCHOR}", wait_until="commit")
    expect(page.locator("html")).to_have_class("begun")
    expect(page.locator("#openings")).to_be_hidden()
    assert page.get_by_role("heading", level=1).bounding_box()["height"] <= 1


def test_a_seed_that_is_not_there_any_more_can_be_taken_away(demo_service, visit):
    page = visit(f"{demo_service}/#song=demo-9999999&song={ANCHOR}")
    expect(page.get_by_role("alert")).to_contain_text("No song has the id")
    page.get_by_role("button", name="Take away what is not known").click()
    shown(page, demo_service)
    expect(page).to_have_url(f"{demo_service}/#song={ANCHOR}")


def test_missing_artifacts_are_told_with_the_command_to_run(empty_service, visit):
    page = visit(empty_service)
    expect(page.get_by_role("alert")).to_contain_text("segue fit")


def test_the_request_behind_the_songs_can_be_copied_and_gets_the_same_answer(demo_service, visit):
    page = visit(f"{demo_service}/#song={ANCHOR}&energy=0.4", permissions=["clipboard-read", "clipboard-write"])
    answer = shown(page, demo_service)
    page.get_by_text("The request behind this").click()
    page.get_by_role("button", name="Copy as Python").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    code = page.evaluate("navigator.clipboard.readText()")
    told = {}
    exec(code.replace("print(answer.json())", ""), told)  # noqa: S102 # what is copied must run
    assert told["answer"].json() == answer
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.locator("#songs-below .behind button").first).to_have_text("Copied")
    command = page.evaluate("navigator.clipboard.readText()")
    assert command.startswith(f"curl '{demo_service}/recommend' \\\n  --json '{{")


# --- what moves ------------------------------------------------------------------------------------------------

SHIFTS = """
    window.shifts = [];
    new PerformanceObserver(list => {
        for (const one of list.getEntries()) {
            const what = one.sources.map(({node}) => `${node?.nodeName}#${node?.id}.${node?.className}`);
            if (!one.hadRecentInput) shifts.push([one.value, what]);
        }
    }).observe({type: 'layout-shift', buffered: true});
"""
MOST_MOVED = 0.05  # of the window, in all (https://web.dev/articles/cls)
LIST = ",".join(f"demo-{number:07}" for number in range(40, 52))


@pytest.mark.parametrize("device", [{"viewport": {"width": 1280, "height": 800}}, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize(
    "state",
    ["", f"#song={ANCHOR}", "#artist=Idle+Heron", f"#view=playlist&list={LIST}", f"#view=map&list={LIST}",
     f"#view=map&song={ANCHOR}", f"s/list/{LIST}"],
)  # fmt: skip
def test_nothing_moves_as_answers_come_one_after_the_other(demo_service, visit, state, device):
    page = visit(f"{demo_service}/docs", **device)
    page.route("**/*", lambda route: late(page, route))
    page.add_init_script(SHIFTS)
    page.goto(f"{demo_service}/{state}")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    shifts = page.evaluate("shifts")
    assert sum(value for value, _ in shifts) < MOST_MOVED, shifts


def late(page, route):
    if route.request.resource_type in ("fetch", "font"):
        page.wait_for_timeout(150)
    route.continue_()


# --- keys ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def closed_service(demo_artifacts):
    with served(demo_artifacts, **LOCKED) as base:
        yield base


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_a_page_of_a_closed_service_asks_for_the_key_once(closed_service, visit, device):
    page = visit(f"{closed_service}/#song={ANCHOR}", **device)
    dialog = page.get_by_role("dialog", name="This service is closed by keys")
    expect(dialog).to_be_visible()
    dialog.get_by_label("API key").fill("another")
    dialog.get_by_role("button", name="Open").click()
    expect(dialog.get_by_role("alert")).to_have_text("It does not know this key.")
    dialog.get_by_label("API key").fill(KEY)
    page.keyboard.press("Enter")
    expect(page.locator("#songs .song-name")).to_have_count(10)
    expect(dialog).to_be_hidden()
    page.reload()
    expect(page.locator("#songs .song-name")).to_have_count(10)
    page.get_by_role("link", name="Map", exact=True).click()
    expect(page.locator(".stage-note button:enabled")).to_be_visible()
    page.evaluate("sessionStorage.clear()")


def test_who_has_no_key_is_told_and_may_try_again(closed_service, visit):
    page = visit(f"{closed_service}/#song={ANCHOR}")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("alert").first).to_contain_text("An API key is needed")


def test_a_browser_that_was_asked_by_itself_shows_the_key_everywhere(closed_service, visit):
    page = visit(closed_service, http_credentials={"username": "anybody", "password": KEY})
    page.goto(f"{closed_service}/clusters")
    page.goto(f"{closed_service}/#song={ANCHOR}")
    expect(page.locator("#songs .song-name")).to_have_count(10)
    expect(page.get_by_role("dialog")).to_have_count(0)
