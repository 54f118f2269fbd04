"""Addresses to send to friends: what previews read there, and where people are led."""

import re
from html import unescape
from xml.etree import ElementTree as ET

import pytest

from tests.support.gateway import client_of, lines

__all__ = ["client_of", "lines"]  # fixtures

IDS = "piano-1,metal-2,disco-3"


def told(answer):
    """What the head of a page tells previews, by property."""
    found = re.findall(
        r'<meta (?:name|property|http-equiv)="([^"]+)" content="([^"]*)">', answer.get_data(as_text=True)
    )
    return {name: unescape(content) for name, content in found}


@pytest.mark.parametrize(
    ("path", "title", "leads"),
    [
        ("song/piano-1", "Songs like Slow Rain by Ada Lindqvist", "song=piano-1"),
        (f"list/{IDS}", "A playlist of 3 songs", f"view=playlist&list={IDS}"),
        (f"walk/{IDS}", "From Slow Rain to Velvet Count, a walk over the map", f"view=map&list={IDS}"),
        (f"list/{IDS},gone?name=Sundays <3", "Sundays <3", f"view=playlist&list={IDS}"),
        (f"list/{IDS}?name=1999", "1999", f"view=playlist&list={IDS}"),
    ],
)
def test_previews_get_a_title_songs_and_a_picture_and_people_the_page(client_of, path, title, leads):
    answer = client_of().get(f"/s/{path}")
    meta = told(answer)
    assert (answer.status_code, answer.mimetype, meta["og:title"]) == (200, "text/html", title)
    assert meta["og:description"] == meta["description"]
    assert meta["description"].startswith("Slow Rain by Ada Lindqvist")
    assert meta["refresh"] == f"0; url=../../#{leads}"
    assert re.fullmatch(r"http://localhost/s/\w+/[\w,-]+/map\.svg(\?name=\S+)?", meta["og:image"])
    assert "<script" not in answer.get_data(as_text=True)


def test_the_picture_has_the_map_and_a_mark_for_each_song(client_of):
    client = client_of()
    answer = client.get(f"/s/list/{IDS}/map.svg?name=<b>Ours%26</b>")
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    picture = ET.fromstring(answer.data)  # noqa: S314 # our own
    names = [element.tag.rpartition("}")[2] for element in picture.iter()]
    assert names.count("circle") == 3
    assert picture.find("{*}text").text == "<b>Ours&</b>"
    places = [
        tuple(int(mark.get(axis)) for axis in ("cx", "cy"))
        for mark in picture.iter("{http://www.w3.org/2000/svg}circle")
    ]
    assert all(0 <= x <= 1200 and 0 <= y <= 630 for x, y in places)
    assert client.get(f"/s/list/{IDS}/map.svg?name=<b>Ours%26</b>").data == answer.data


@pytest.mark.parametrize(
    ("path", "status"),
    [("song/gone", 404), ("album/piano-1", 404), (f"song/{IDS}", 400), ("list/a b", 400),
     (f"list/{','.join(['piano-1'] * 51)}", 400)],
)  # fmt: skip
def test_what_is_no_list_of_songs_is_refused_in_words(client_of, path, status):
    for end in ("", "/map.svg"):
        answer = client_of().get(f"/s/{path}{end}")
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_a_browser_that_is_led_astray_gets_a_page_that_leads_on(client_of):
    client = client_of()
    for path, top in (("/nowhere", "./"), ("/no/where/", "../../")):
        answer = client.get(path, headers={"Sec-Fetch-Mode": "navigate"})
        text = answer.get_data(as_text=True)
        assert (answer.status_code, answer.mimetype) == (404, "text/html")
        assert f'<a class="mark" href="{top}">' in text
        (style,) = re.findall(r'href="(\S+base\.css)"', text)
        assert client.get(f"/{style.removeprefix(top)}").status_code == 200
        assert client.get(path).mimetype == "application/problem+json"
