"""What the page shows, for the tests that look at it."""

import re

import requests
from playwright.sync_api import expect

ANCHOR = "demo-0000033"  # of 600 invented songs


def ask(service, path, body=None, **parameters):
    if body is not None:
        return requests.post(f"{service}/{path}", json=body, timeout=60).json()
    return requests.get(f"{service}/{path}", parameters, timeout=60).json()


def field(page):
    return page.get_by_role("combobox", name="Song, artist or genre", exact=True)


def options(page):
    return page.locator("#search-choices [role=option]")


def scripts(page):
    """Where the scripts of a page are."""
    return re.sub(r"(?<=/scripts/).*", "", page.locator("script[src$='main.js']").evaluate("script => script.src"))


def shown(page, service):
    """Wait for the songs that the service answers for what the page says that it asked, and give them."""
    expect(page.locator("#results")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#songs .song-name").first).to_be_visible()
    body = page.evaluate(f"import('{scripts(page)}answers.js').then(({{showing}}) => showing().body)")
    answer = ask(service, "recommend", body)
    expect(page.locator("#songs .song-name")).to_have_text([song["name"] for song in answer["recommendations"]])
    return answer


def by_family(service):
    """The families, each with its clusters, the largest first."""
    answer = ask(service, "clusters")
    clusters = {cluster["id"]: cluster for cluster in answer["clusters"]}
    for family in answer["families"]:
        yield family, sorted((clusters[number] for number in family["clusters"]), key=lambda one: -one["size"])


def renumbered(number):
    """The id of a cluster once ids have gaps."""
    return 3 * number + 5


def with_gaps(answer):
    """The clusters as a catalogue has them that was trained several times."""
    for cluster in answer["clusters"]:
        cluster["id"] = renumbered(cluster["id"])
        cluster["near"] = [{**near, "id": renumbered(near["id"])} for near in cluster["near"]]
    for family in answer["families"]:
        family["clusters"] = [renumbered(number) for number in family["clusters"]]
    return answer
