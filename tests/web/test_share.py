"""Addresses to send to friends: what previews read there, and what people see."""

import json
import re
from html import unescape
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

import pytest

from segue_build.fit import FitOptions, fit
from tests.support import world
from tests.support.dialects import client_of as of
from tests.support.gateway import client_of, lines

__all__ = ["client_of", "lines"]  # fixtures

IDS = "piano-1,metal-2,disco-3"


def told(answer):
    """What the head of a page tells previews, by property."""
    found = re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)">', answer.get_data(as_text=True))
    return {name: unescape(content) for name, content in found}


def references(answer):
    """Where what a page refers to is."""
    found = re.findall(r'(?:href|src)="([^"#]+)"', answer.get_data(as_text=True))
    return [urljoin(answer.request.url, address) for address in found]


@pytest.mark.parametrize(
    ("path", "title", "leads"),
    [
        ("song/piano-1", "Songs like Slow Rain by Ada Lindqvist", "song=piano-1"),
        (f"list/{IDS}", "A playlist of 3 songs", f"view=playlist&list={IDS}"),
        (f"walk/{IDS}", "From Slow Rain to Velvet Count, a walk over the map", f"view=map&list={IDS}"),
        (f"list/{IDS},gone?name=Sundays <3", "Sundays <3", f"view=playlist&list={IDS}&name=Sundays%20%3C3"),
        (f"list/{IDS}?name=1999", "1999", f"view=playlist&list={IDS}&name=1999"),
    ],
)
def test_previews_get_a_title_songs_and_a_picture_and_people_the_page(client_of, path, title, leads):
    client = client_of()
    answer = client.get(f"/s/{path}")
    meta = told(answer)
    assert (answer.status_code, answer.mimetype, meta["og:title"]) == (200, "text/html", title)
    assert meta["og:description"] == meta["description"]
    assert meta["description"].startswith("Slow Rain by Ada Lindqvist")
    assert re.fullmatch(r"http://localhost/s/\w+/[\w,-]+/map\.svg(\?name=\S+)?", meta["og:image"])
    text = answer.get_data(as_text=True)
    assert unescape(re.search('<html lang="en" data-shared="([^"]*)">', text)[1]) == leads
    assert references(answer) == references(client.get("/"))


def test_the_page_comes_with_its_songs_as_data_that_no_name_ends(tmp_path):
    rows = world.rows()
    rows[0] |= {"name": "</script><script>alert(1)</script><!--", "artists": '\u2028 & "Co"'}
    fit(FitOptions([str(world.write(tmp_path / "world.csv", rows))]), tmp_path / "artifacts")
    client = of(tmp_path / "artifacts")
    answer = client.get(f"/s/list/{rows[0]['id']},{rows[1]['id']}")
    data = re.findall('<script type="application/json" id="told">(.*?)</script>', answer.get_data(as_text=True))
    answered = client.get(f"/songs?ids={rows[0]['id']},{rows[1]['id']}").json
    assert [json.loads(one) for one in data] == [answered]
    names = re.findall('<bdi class="song-(?:name|artists)">(.*?)</bdi>', answer.get_data(as_text=True))
    assert [unescape(one) for one in names] == [
        text for song in answered["songs"] for text in (song["name"], ", ".join(song["artists"]))
    ]
    assert "<" not in data[0]
    scripts = re.findall("<script[^>]*>", answer.get_data(as_text=True))
    assert sum("src=" not in script for script in scripts) == 1
    assert not any("async" in script for script in scripts)  # none runs before early.js knows where the page is
    again = client.get(answer.request.path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.headers["Cache-Control"]) == (304, "no-cache")


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
