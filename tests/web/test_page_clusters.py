"""The clusters beside the map of the page, in a real browser."""

import re

from playwright.sync_api import expect

from tests.support.browser import in_a_browser, visit, visits
from tests.support.map_view import DESK, SONG, get, looked_at, opened, songs, unfolded
from tests.support.page_helpers import by_family, renumbered, with_gaps

__all__ = ["songs", "visit", "visits"]  # fixtures
pytestmark = in_a_browser


def test_clusters_are_listed_below_their_families(demo_service, visit):
    page, families = opened(visit, demo_service), list(by_family(demo_service))
    members = [cluster for _, clusters in families for cluster in clusters]
    listed = page.get_by_role("region", name=f"{len(members)} clusters")
    expect(listed.get_by_role("heading", level=3)).to_have_text([family["name"] for family, _ in families])
    expect(listed.get_by_role("link")).to_have_text([cluster["name"] for cluster in members])
    for place, (_, clusters) in enumerate(families):
        links = listed.get_by_role("list").nth(place).get_by_role("link")
        expect(links).to_have_text([cluster["name"] for cluster in clusters])


def test_a_cluster_tells_its_family_its_genres_and_how_it_differs(demo_service, visit):
    page = opened(visit, demo_service)
    members = [(family, cluster) for family, clusters in by_family(demo_service) for cluster in clusters]
    family, cluster = max(members, key=lambda one: one[1]["differences"]["acousticness"])
    page.get_by_role("region", name="clusters").get_by_role("link", name=cluster["name"], exact=True).first.click()
    told = page.get_by_role("region", name="Cluster", exact=True)
    expect(page).to_have_url(f"{demo_service}/#view=map&cluster={cluster['id']}")
    expect(told.get_by_role("heading", level=2)).to_have_text(cluster["name"])
    expect(told.locator("p.soft")).to_have_text(f"In the family {family['name']}")
    shares = [f"{genre['name']}{round(100 * genre['share'])} %" for genre in cluster["genres"]]
    expect(told.locator(".genres > div")).to_have_text(shares)
    expect(told.locator(".sound").last).to_contain_text(f"energy{round(100 * cluster['features']['energy'])} %")
    expect(told.locator(".different")).to_contain_text(re.compile("^Than the catalogue: .*more acoustic"))
    expect(told.locator(".song-name")).to_have_text([song["name"] for song in cluster["typical"]])
    expect(told.locator(".nears a")).to_have_text([near["name"] for near in cluster["near"]])
    told.locator(".nears a").first.click()
    expect(told.get_by_role("heading", level=2)).to_have_text(cluster["near"][0]["name"])
    page.go_back()
    expect(told.get_by_role("heading", level=2)).to_have_text(cluster["name"])
    told.get_by_role("button", name=f"Close {cluster['name']}").click()
    expect(told).to_be_hidden()


def test_a_cluster_is_found_by_its_id_where_ids_have_gaps(demo_service, visit):
    page = visit(demo_service, **DESK)
    page.route("**/clusters", lambda route: route.fulfill(json=with_gaps(get(demo_service, "clusters"))))
    cluster = get(demo_service, "clusters")["clusters"][1]
    page.goto(f"{demo_service}/#view=map&cluster={renumbered(cluster['id'])}")
    page.reload()
    told = page.get_by_role("region", name="Cluster", exact=True)
    expect(told.get_by_role("heading", level=2)).to_have_text(cluster["name"])
    expect(page.locator(".clusters [aria-current]")).to_have_text(cluster["name"])
    unfolded(page)
    page.get_by_role("button", name="Enlarge").click()  # goes on from where the map is looked at
    assert looked_at(page)[2] > 1.9
    page.goto(f"{demo_service}/#view=map&cluster=1")  # an id that is no longer there
    expect(told).to_have_text("This catalogue has no such cluster.")


def test_all_songs_of_a_cluster_are_to_be_had_a_page_at_a_time(demo_service, visit):
    largest = max(get(demo_service, "clusters")["clusters"], key=lambda cluster: cluster["size"])
    page = opened(visit, demo_service, f"&cluster={largest['id']}")
    told = page.get_by_role("region", name="Cluster", exact=True)
    told.get_by_text(f"All {largest['size']} songs").click()
    names = told.locator("details .song-name")
    expect(names).to_have_count(20)
    told.get_by_role("button", name="More songs").click()
    expect(names).to_have_count(min(40, largest["size"]))
    listed = get(demo_service, f"clusters/{largest['id']}", limit=40)["songs"]
    expect(names).to_have_text([song["name"] for song in listed])


def test_a_song_beside_the_map_is_explored_or_put_into_the_playlist(demo_service, visit):
    page = opened(visit, demo_service, f"&song={SONG}")
    lines = page.get_by_role("region", name="Songs on the map").locator(".line")
    expect(lines).to_have_count(10)
    line = lines.first
    name, song = line.locator(".song-name").inner_text(), line.get_attribute("data-id")
    line.get_by_role("button", name=f"{name} in the playlist").click()
    expect(page.get_by_role("link", name="Playlist 1")).to_be_visible()
    line.locator(".line-name").click()
    expect(page.get_by_role("heading", name=f"Songs like {name}")).to_be_visible()
    expect(page).to_have_url(f"{demo_service}/#song={song}&view=map&list={song}")
