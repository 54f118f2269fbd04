"""The page at /, in a real browser in front of a real server: find, recommend, shape, and say what is going on."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import PHONE, in_a_browser, visit, visits
from tests.support.page_helpers import ANCHOR, ask, by_family, field, options, scripts, shown, with_gaps

__all__ = ["visit", "visits"]  # fixtures
pytestmark = in_a_browser

HERON = "Idle Heron"


# --- find ---------------------------------------------------------------------------------------------------------


def test_suggestions_come_as_one_types_and_are_chosen_by_keyboard(demo_service, visit):
    page = visit(demo_service)
    field(page).fill("anchor")
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
    expect(options(page).first).to_be_visible()
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


def test_enter_takes_the_best_and_offers_what_else_was_meant_where_there_is_doubt(demo_service, visit):
    page = visit(demo_service)
    field(page).fill("ancor")
    field(page).press("Enter")
    said = page.locator("#search-said")
    expect(said).to_contain_text("“ancor” was taken for “Anchor” by")
    expect(said).to_contain_text("Not what you meant?")
    other = said.get_by_role("button").first
    name = other.inner_text().partition(" · ")[0]
    other.click()
    expect(page.get_by_role("heading", name=f"Songs like {name}")).to_be_visible()


def test_a_name_that_is_only_near_others_begins_nothing_and_offers_them(demo_service, visit):
    page = visit(demo_service)
    text = "ankhor"
    field(page).fill(text)
    field(page).press("Enter")
    said = page.locator("#search-said")
    expect(said).to_contain_text(re.compile(f"“{text}” isn.t among 600 songs. Nearest by name:"))
    expect(page.locator("#results")).to_be_hidden()
    nearest = guesses(demo_service, text)[0]
    said.get_by_role("button").first.click()
    expect(page.get_by_role("heading", name=f"Songs like {nearest['name']}")).to_be_visible()


def guesses(service, text):
    songs = ask(service, "search", q=text)["songs"]
    assert songs[0]["match"] == "guess"
    return songs


def test_what_a_text_was_taken_for_is_said_and_others_are_offered_only_where_there_is_doubt(demo_service, visit):
    page = visit(demo_service)
    said = page.locator("#search-said")
    field(page).fill(HERON)
    field(page).press("Enter")
    expect(said).to_have_text(f"{HERON} is an artist.")
    (song,) = ask(demo_service, "songs", ids=ANCHOR)["songs"]
    field(page).fill(f"{song['name']} {song['artists'][0]}")
    field(page).press("Enter")
    expect(page.get_by_role("heading", name=f"Songs like {song['name']}")).to_be_visible()
    expect(said).to_be_empty()


@pytest.mark.parametrize("kind", ["album", "playlist", "episode"])
def test_a_link_that_leads_to_no_song_gets_a_sentence_for_listeners(demo_service, visit, kind):
    page = visit(demo_service)
    field(page).fill(f"https://open.spotify.com/intl-de/{kind}/37i9dQZF1DXcBWIGoYBM5M?si=x")
    field(page).press("Enter")
    article = "a" if kind == "playlist" else "an"
    said = f"This is a link to {article} {kind}. Name one of its songs, or paste the link of a song or an artist."
    expect(page.locator("#search-said")).to_have_text(said)


def test_a_name_that_is_like_none_is_answered_in_words(demo_service, visit):
    page = visit(demo_service)
    field(page).fill("zzqqxxjj")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("#search-said")).to_have_text("No song is called anything like “zzqqxxjj”.")


def test_a_name_in_the_address_is_searched_at_once(demo_service, visit):
    page = visit(f"{demo_service}/?q=anchor")
    expect(page.get_by_role("heading", name="Songs like Anchor")).to_be_visible()
    assert "?q" not in page.url


def test_surprise_me_begins_with_a_known_song_and_none_of_a_season(demo_service, visit):
    """Of all clusters but one a season is made, by a genre or by the titles of its songs."""
    answer = with_gaps(ask(demo_service, "clusters"))
    left, *others = answer["clusters"]
    for cluster in others[::2]:
        cluster["genres"] = [{"name": "christmas", "share": 0.9}]
    for cluster in others[1::2]:
        cluster["typical"] = [{**song, "name": f"{song['name']} (Weihnachtslied)"} for song in cluster["typical"]]
    page = visit(f"{demo_service}/docs")
    page.route("**/clusters", lambda route: route.fulfill(json=answer))
    page.goto(demo_service)
    page.get_by_role("button", name="Surprise me").click()
    assert shown(page, demo_service)["seeds"][0]["id"] in {song["id"] for song in left["typical"]}


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
    expect(page.locator("#seeds .chip")).to_have_count(2)
    assert len(shown(page, demo_service)["seeds"]) == 2
    page.get_by_role("button", name="Less like jazz").click()
    expect(page.get_by_role("heading", name="Songs like Anchor, less like jazz")).to_be_visible()
    expect(page.get_by_role("button", name="Less like jazz")).to_be_focused()
    expect(page).to_have_url(f"{demo_service}/#song={ANCHOR}&-genre=jazz")
    page.get_by_role("button", name="Take Anchor away").click()
    expect(page.locator("#seeds .chip")).to_have_count(1)


def test_more_like_this_begins_anew_and_less_like_this_turns_away(demo_service, visit):
    page = visit(f"{demo_service}/#song={ANCHOR}")
    second = shown(page, demo_service)["recommendations"][1]
    less = page.get_by_role("button", name=f"Less like this: {second['name']}")
    less.click()
    expect(page.get_by_role("heading", name=f"Songs like Anchor, less like {second['name']}")).to_be_visible()
    expect(page).to_have_url(f"{demo_service}/#song={ANCHOR}&-song={second['id']}")
    done = page.get_by_role("complementary", name="What was done")
    expect(done).to_contain_text(f"“{second['name']}” and songs like it are taken away.")
    assert second["id"] not in {song["id"] for song in shown(page, demo_service)["recommendations"]}
    done.get_by_role("button", name="Undo").click()
    expect(page).to_have_url(f"{demo_service}/#song={ANCHOR}")
    expect(less).to_be_focused()
    expect(done).to_be_hidden()
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


# --- whose song it is ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [{"viewport": {"width": 1280, "height": 800}}, PHONE], ids=["desk", "phone"])
def test_the_list_begins_with_the_song_it_is_about(demo_service, visit, size):
    page = visit(f"{demo_service}/#song={ANCHOR}", **size)
    (song,) = ask(demo_service, "songs", ids=ANCHOR)["songs"]
    shown(page, demo_service)
    head = page.locator("#about-seed")
    expect(head.get_by_role("heading", name=song["name"])).to_be_visible()
    expect(head.locator(".facts")).to_contain_text(f"{', '.join(song['artists'])} on {song['album']}, {song['year']}")
    expect(head.locator(".seed-tags a")).to_have_text(
        [*song["genres"][:4], f"in “{song['cluster']['name']}” on the map"]
    )
    head.get_by_role("link", name=song["genres"][0], exact=True).click()
    expect(page.get_by_role("heading", name=f"Songs like {song['genres'][0]}")).to_be_visible()
    assert shown(page, demo_service)["seeds"][0]["asked"] == {"genre": song["genres"][0]}
    expect(head).to_be_hidden()
    page.go_back()
    head.locator(".seed-cluster").click()
    expect(page).to_have_url(re.compile(f"view=map&cluster={song['cluster']['id']}$"))


@pytest.mark.parametrize(
    ("title", "told"),
    [("Here Comes - Remastered 2011", "Here Comes"), ("One (2009 Remaster)", "One"), ("Two [Mono]", "Two"),
     ("Three - Single Version / Remastered", "Three"), ("Remastered", "Remastered"), ("Four - Live", "Four - Live"),
     ("Half-Mono Lisa", "Half-Mono Lisa"), ("Five (feat. Six) - Radio Edit", "Five (feat. Six)")],
)  # fmt: skip
def test_a_title_is_told_without_its_release(demo_service, visit, title, told):
    page = visit(f"{demo_service}/docs")
    script = f"import('{scripts(page)}elements.js').then(({{untagged}}) => untagged({json.dumps(title)}))"
    assert page.evaluate(script) == told


def test_titles_and_artists_are_links_and_an_artist_has_songs_genres_and_similar_ones(demo_service, visit):
    page = visit(f"{demo_service}/#song={ANCHOR}")
    first = shown(page, demo_service)["recommendations"][0]
    row = page.locator("#songs .song").first
    artist = ask(demo_service, f"artists/{first['artists'][0]}")
    row.get_by_role("link", name=first["artists"][0], exact=True).click()
    head = page.locator("#about-seed")
    expect(head.get_by_role("heading", name=artist["name"])).to_be_visible()
    expect(head.locator(".line .song-name")).to_have_text([song["name"] for song in artist["songs"][:5]])
    expect(head.locator(".seed-tags a")).to_have_text([genre["name"] for genre in artist["genres"][:4]])
    expect(head.locator(".seed-similar a")).to_have_text([other["name"] for other in artist["similar"][:8]])
    if artist["size"] > 5:
        head.get_by_role("button", name=f"All {artist['size']} songs").click()
        expect(head.locator(".line")).to_have_count(artist["size"])
    page.go_back()
    page.locator("#songs .song").first.get_by_role("link", name=first["name"], exact=True).click()
    expect(page.get_by_role("heading", name=f"Songs like {first['name']}")).to_be_visible()
    assert [seed["id"] for seed in shown(page, demo_service)["seeds"]] == [first["id"]]


# --- the first screen ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [{"viewport": {"width": 1280, "height": 800}}, PHONE], ids=["desk", "phone"])
def test_the_page_opens_with_known_songs_of_different_families_and_a_walk_between_two(demo_service, visit, size):
    page = visit(demo_service, **size)
    first = page.get_by_role("region", name="Songs to begin with")
    expect(first.locator("li")).to_have_count(6)
    ids = [item.get_attribute("data-id") for item in first.locator("li").all()]
    songs = ask(demo_service, "songs", ids=",".join(ids))["songs"]
    family = {cluster["id"]: cluster["family"] for cluster in ask(demo_service, "clusters")["clusters"]}
    number = min(6, len(set(family.values())))
    assert len({family[song["cluster"]["id"]] for song in songs[:number]}) == number
    assert len({song["artists"][0] for song in songs}) == 6
    known = [song["popularity"] for song in songs[:number]]
    assert known == sorted(known, reverse=True)
    walk = page.get_by_role("form", name="A walk over the map")
    expect(walk.get_by_role("combobox", name="From which song")).to_have_value(songs[0]["name"])
    walk.get_by_role("button", name="Draw the way").click()
    body = {"from": {"id": ids[0]}, "to": {"id": ids[-1]}, "length": 8}
    stops = ask(demo_service, "path", body)["songs"]
    expect(page).to_have_url(f"{demo_service}/#view=map&list={','.join(song['id'] for song in stops)}")
    page.go_back()
    first.get_by_role("link", name=songs[1]["name"]).click()
    expect(page.get_by_role("heading", name=f"Songs like {songs[1]['name']}")).to_be_visible()
