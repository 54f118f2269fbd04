"""The page at /, in a real browser in front of a real server: find, recommend, shape, and say what is going on."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import PHONE, in_a_browser, visit, visits
from tests.support.page_helpers import ANCHOR, ask, by_family, field, options, renumbered, shown, with_gaps
from tests.support.serving import served

__all__ = ["visit", "visits"]  # fixtures
pytestmark = in_a_browser

HERON = "Idle Heron"


# --- find ---------------------------------------------------------------------------------------------------------


def test_suggestions_come_as_one_types_and_are_chosen_by_keyboard(demo_service, visit):
    page = visit(demo_service)
    field(page).press_sequentially("anchor")
    expect(options(page).first).to_be_visible()
    expect(field(page)).to_have_attribute("aria-expanded", "true")
    field(page).press("ArrowDown")
    picked = options(page).first
    expect(picked).to_have_attribute("aria-selected", "true")
    expect(field(page)).to_have_attribute("aria-activedescendant", picked.get_attribute("id"))
    field(page).press("ArrowUp")
    expect(field(page)).not_to_have_attribute("aria-activedescendant", re.compile(".*"))
    field(page).press("Escape")
    expect(page.locator("#search-choices")).to_be_hidden()
    field(page).press("ArrowDown")
    field(page).press("ArrowDown")
    field(page).press("Enter")
    expect(page.get_by_role("heading", name="Songs like Anchor")).to_be_visible()
    shown(page, demo_service)


def test_a_suggestion_tells_title_artist_and_album_apart_and_is_chosen_by_touch(demo_service, visit):
    page = visit(demo_service, **PHONE)
    field(page).fill("anchor rosalind")
    song = ask(demo_service, "search", q="anchor rosalind")["songs"][0]
    expect(options(page).first.locator(".choice-name")).to_have_text(song["name"])
    expect(options(page).first.locator(".choice-note")).to_have_text(f"by {song['artists'][0]}on {song['album']}")
    expect(options(page).first.locator(".choice-kind")).to_have_text("Song")
    options(page).first.tap()
    expect(page.get_by_role("heading", name=f"Songs like {song['name']}")).to_be_visible()


def test_a_name_with_a_typo_is_found(demo_service, visit):
    page = visit(demo_service)
    field(page).fill("ancor")
    field(page).press("Enter")
    expect(page.get_by_role("heading", name="Songs like Anchor")).to_be_visible()


@pytest.mark.parametrize(("text", "kind"), [(HERON, "Artist"), ("jazz", "Genre")])
def test_artists_and_genres_are_suggested_and_may_be_seeds(demo_service, visit, text, kind):
    page = visit(demo_service)
    field(page).fill(text)
    option = options(page).filter(has=page.locator(".choice-kind", has_text=kind)).first
    expect(option.locator(".choice-name")).to_have_text(text)
    option.click()
    expect(page.get_by_role("heading", name=f"Songs like {text}")).to_be_visible()
    answer = shown(page, demo_service)
    assert answer["seeds"][0]["asked"] == {kind.lower(): text}


def test_enter_takes_the_best_and_offers_what_else_was_meant(demo_service, visit):
    page = visit(demo_service)
    field(page).fill("anchor")
    field(page).press("Enter")
    said = page.locator("#search-said")
    expect(said).to_contain_text("You typed “anchor”. Not what you meant?")
    other = said.get_by_role("button").first
    name = other.inner_text().partition(" · ")[0]
    other.click()
    expect(page.get_by_role("heading", name=f"Songs like {name}")).to_be_visible()


def test_a_name_that_is_like_none_is_answered_in_words(demo_service, visit):
    page = visit(demo_service)
    field(page).fill("zzqqxxjj")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("#search-said")).to_have_text("No song is called anything like “zzqqxxjj”.")


def test_a_name_in_the_address_is_searched_at_once(demo_service, visit):
    page = visit(f"{demo_service}/?q=anchor")
    expect(page.get_by_role("heading", name="Songs like Anchor")).to_be_visible()
    assert "?q" not in page.url


def test_surprise_me_begins_with_some_song(demo_service, visit):
    page = visit(demo_service)
    page.get_by_role("button", name="Surprise me").click()
    answer = shown(page, demo_service)
    assert answer["seeds"][0]["id"] in page.url


def test_surprise_me_takes_a_song_of_a_cluster_that_is_there_where_ids_have_gaps(demo_service, visit):
    page = visit(f"{demo_service}/docs")
    sizes = {renumbered(cluster["id"]): cluster["size"] for cluster in ask(demo_service, "clusters")["clusters"]}
    asked = []

    def songs(route):
        number, offset = map(
            int, re.search(r"clusters/([0-9]+)\?offset=([0-9]+)&limit=1$", route.request.url).groups()
        )
        asked.append((number, offset))
        route.fulfill(json={"songs": ask(demo_service, "songs", ids=ANCHOR)["songs"]})

    page.route("**/clusters", lambda route: route.fulfill(json=with_gaps(ask(demo_service, "clusters"))))
    page.route("**/clusters/*", songs)
    page.goto(demo_service)
    page.get_by_role("button", name="Surprise me").click()
    expect(page.get_by_role("heading", name="Songs like Anchor")).to_be_visible()
    ((number, offset),) = asked
    assert 0 <= offset < sizes[number]


@pytest.mark.parametrize("size", [{"viewport": {"width": 1280, "height": 800}}, PHONE], ids=["desk", "phone"])
def test_the_page_opens_with_the_families_and_the_largest_clusters_of_each(demo_service, visit, size):
    page, families = visit(demo_service, **size), list(by_family(demo_service))
    corners = page.get_by_role("region", name="Or wander in a corner of the catalogue")
    expect(corners.get_by_role("heading", level=3)).to_have_text([family["name"] for family, _ in families])
    first = [cluster for _, clusters in families for cluster in clusters[:3]]
    expect(corners.get_by_role("link")).to_have_text([cluster["name"] for cluster in first])
    corners.get_by_role("link").last.click()
    expect(page).to_have_url(f"{demo_service}/#view=map&cluster={first[-1]['id']}")
    expect(page.get_by_role("region", name="Cluster", exact=True)).to_contain_text(families[-1][0]["name"])


def test_all_clusters_of_the_families_are_shown_and_hidden_again(demo_service, visit):
    answer = ask(demo_service, "clusters")
    whole = {**answer["families"][0], "clusters": [cluster["id"] for cluster in answer["clusters"]]}
    page = visit(f"{demo_service}/docs")
    page.route("**/clusters", lambda route: route.fulfill(json={**answer, "families": [whole]}))
    page.goto(demo_service)
    links = page.get_by_role("region", name="Or wander").get_by_role("link")
    expect(links).to_have_count(3)
    every = page.get_by_role("button", name=f"All {len(answer['clusters'])} clusters")
    expect(every).to_have_attribute("aria-expanded", "false")
    every.click()
    expect(links).to_have_count(len(answer["clusters"]))
    fewer = page.get_by_role("button", name="Fewer clusters")
    expect(fewer).to_be_focused()
    fewer.click()
    expect(links).to_have_count(3)


def test_the_last_searches_are_offered_until_they_are_forgotten(demo_service, visit):
    page = visit(f"{demo_service}/?q=anchor")
    shown(page, demo_service)
    page.get_by_role("link", name="Segue").click()
    recent = page.get_by_role("region", name="Recent searches")
    expect(recent.get_by_role("button", name="Anchor", exact=True)).to_be_visible()
    field(page).click()
    expect(options(page).first.locator(".choice-kind")).to_have_text("Song, recent")
    field(page).press("Escape")
    recent.get_by_role("button", name="Forget these").click()
    expect(recent).to_be_hidden()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(recent).to_be_hidden()


# --- recommend ----------------------------------------------------------------------------------------------------


def test_a_row_tells_what_a_song_is_why_it_is_there_and_how_alike_it_is(demo_service, visit):
    page = visit(f"{demo_service}/#song={ANCHOR}")
    answer = shown(page, demo_service)
    years = ask(demo_service, "songs", ids=",".join(song["id"] for song in answer["recommendations"]))["songs"]
    expect(page.locator("#songs .profile").last).to_be_visible()
    for song, known, row in zip(answer["recommendations"], years, page.locator("#songs .song").all()):
        length = f"{round(song['duration_ms'] / 1000) // 60}:{round(song['duration_ms'] / 1000) % 60:02}"
        facts = f"{', '.join(song['artists'])} on {song['album']}, {known['year']} · {length}"
        expect(row.locator(".facts")).to_have_text(facts)
        expect(row.locator(".why")).to_have_text(" · ".join(song["why"]["reasons"]))
        expect(row.locator(".percent")).to_have_text(f"{round(100 * song['score'])} %")
        share = row.locator(".bar").evaluate(
            "bar => [...bar.children].reduce((sum, part) => sum + part.offsetWidth, 0) / bar.clientWidth"
        )
        assert share == pytest.approx(song["score"], abs=0.06)  # whole pixels of up to six parts
        energy = round(100 * known["features"]["energy"])
        assert f"energy {energy} (seed " in row.locator(".profile").get_attribute("aria-label")


def test_seeds_are_chips_that_may_be_added_turned_and_taken_away(demo_service, visit):
    page = visit(f"{demo_service}/#song={ANCHOR}")
    shown(page, demo_service)
    adder = page.get_by_role("combobox", name="Add a song, artist or genre")
    adder.fill("jazz")
    page.locator("#add-choices [role=option]", has_text="Genre").first.click()
    assert len(shown(page, demo_service)["seeds"]) == 2
    page.get_by_role("button", name="Less like jazz").click()
    expect(page.get_by_role("heading", name="Songs like Anchor, less like jazz")).to_be_visible()
    expect(page.get_by_role("button", name="Less like jazz")).to_be_focused()
    assert page.url.endswith(f"#song={ANCHOR}&-genre=jazz")
    page.get_by_role("button", name="Take Anchor away").click()
    expect(page.locator("#seeds .chip")).to_have_count(1)


def test_more_like_this_begins_anew_and_less_like_this_turns_away(demo_service, visit):
    page = visit(f"{demo_service}/#song={ANCHOR}")
    second = shown(page, demo_service)["recommendations"][1]
    page.get_by_role("button", name=f"Less like this: {second['name']}").click()
    expect(page.get_by_role("heading", name=f"Songs like Anchor, less like {second['name']}")).to_be_visible()
    assert page.url.endswith(f"#song={ANCHOR}&-song={second['id']}")
    first = shown(page, demo_service)["recommendations"][0]
    page.get_by_role("button", name=f"More like this: {first['name']}").click()
    expect(page.get_by_role("heading", name=f"Songs like {first['name']}")).to_be_visible()
    assert [seed["id"] for seed in shown(page, demo_service)["seeds"]] == [first["id"]]


def test_an_artist_who_is_never_wanted_stays_out_until_allowed_again(demo_service, visit):
    page = visit(f"{demo_service}/#song={ANCHOR}")
    artist = shown(page, demo_service)["recommendations"][0]["artists"][0]
    page.get_by_role("button", name=f"Never this artist: {artist}").first.click()
    allow = page.get_by_role("button", name=f"Allow {artist} again")
    expect(allow).to_be_visible()
    assert all(artist not in song["artists"] for song in shown(page, demo_service)["recommendations"])
    allow.click()
    expect(page.locator("#songs .song-artists").filter(has_text=artist).first).to_be_visible()


def test_more_songs_and_others_are_to_be_had(demo_service, visit):
    page = visit(f"{demo_service}/#song={ANCHOR}")
    before = [song["id"] for song in shown(page, demo_service)["recommendations"]]
    page.get_by_role("button", name="Other songs").click()
    expect(page).to_have_url(re.compile("draw=1"))
    assert {song["id"] for song in shown(page, demo_service)["recommendations"]} != set(before)
    page.get_by_role("button", name="More songs").click()
    expect(page.locator("#songs .song")).to_have_count(20)


# --- hear ---------------------------------------------------------------------------------------------------------


def test_spotifys_player_is_loaded_when_a_song_is_asked_for_and_gone_when_closed(dialect_artifacts, visits, visit):
    with served(dialect_artifacts) as service:
        page = visit(f"{service}/#song=Invented00000000000033")
        page.route("https://open.spotify.com/**", lambda route: route.fulfill(body="a player"))
        first = shown(page, service)["recommendations"][0]
        assert visits.troubles == []  # no other host was asked for anything
        play = page.get_by_role("button", name=f"Play {first['name']}").first
        play.click()
        player = page.get_by_role("complementary", name="Player")
        expect(player.frame_locator("iframe").get_by_text("a player")).to_be_visible()
        assert visits.troubles == [f"https://open.spotify.com/embed/track/{first['id']}"]
        visits.troubles.clear()
        page.get_by_role("button", name="Close the player").click()
        expect(player).to_be_hidden()
        expect(play).to_be_focused()


def test_a_song_that_spotify_has_not_can_not_be_played(demo_service, visit):
    page = visit(f"{demo_service}/#song={ANCHOR}")
    shown(page, demo_service)
    expect(page.get_by_role("button", name=re.compile("^Play "))).to_have_count(0)
