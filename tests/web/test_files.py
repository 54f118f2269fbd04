"""The files of the page, as they are served and as they hang together: no browser needed."""

import gzip
import json
import re

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.config import Config
from segue.web import gateway
from segue.web.aws_lambda import strip_stage
from segue.web.service import Service
from segue.web.views.pages import MEDIA_TYPES, PAGE_FOLDER, STATIC_FOLDERS
from tests.web.test_base_url import http, rest

FILES = sorted(path for folder in STATIC_FOLDERS for path in (PAGE_FOLDER / folder).rglob("*.*"))
SERVED = [path.relative_to(PAGE_FOLDER).as_posix() for path in FILES if path.suffix in MEDIA_TYPES]
SCRIPTS = sorted((PAGE_FOLDER / "scripts").rglob("*.js"))
LAYERS = [
    "state", "service", "answers", "elements", "controls", "find", "search", "songs", "shape", "player", "bring",
    "playlist", "map/drawing", "map/chart", "map/panel", "map/map", "main", "docs/reference", "docs/clients",
    "docs/main",
]  # of scripts: each imports from those before it  # fmt: skip
HTML = ["index.html", "docs.html"]
LINES = 450
BYTES, BYTES_OF_ALL = 100_000, 150_000


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A client of a service without artifacts: files need none."""
    return Client(Request.application(Service(Config(tmp_path_factory.mktemp("nothing"))).handle))


def addresses(name):
    """What the HTML of a page refers to."""
    return re.findall(r'(?:href|src)="([^"]*)"', (PAGE_FOLDER / name).read_text(encoding="utf-8"))


def stamp(client):
    """Where the page says that its files are."""
    return re.search(r"page/[0-9a-f]{16}/", client.get("/").get_data(as_text=True))[0]


def room(path):
    """A script as LAYERS names it."""
    return path.relative_to(PAGE_FOLDER / "scripts").with_suffix("").as_posix()


def imported(path):
    """The modules that a module imports, at once and later, as paths."""
    source = path.read_text(encoding="utf-8")
    names = re.findall(r'^\s*(?:import|export|\}) .*?from "([^"]+)"|import\("([^"]+)"\)', source, re.MULTILINE)
    return [(path.parent / (at_once or later)).resolve() for at_once, later in names]


@pytest.mark.parametrize("name", SERVED)
def test_a_file_is_served_with_its_type_and_kept_for_as_long_as_it_is_the_same(client, name):
    answer = client.get(f"/{stamp(client)}{name}")
    assert (answer.status_code, answer.mimetype) == (200, MEDIA_TYPES[f".{name.rpartition('.')[2]}"])
    assert answer.data == (PAGE_FOLDER / name).read_bytes()
    assert answer.headers["Cache-Control"] == "max-age=31536000, immutable"


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/docs/clients", "/page/-/styles/base.css"])
def test_what_may_change_is_asked_for_each_time_and_sent_once(client, path):
    first = client.get(path)
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "no-cache")
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    other = client.get(path, headers={"If-None-Match": '"another"'})
    assert (other.status_code, other.data) == (200, first.data)


@pytest.mark.parametrize("path", ["/", "/docs", "/page/-/scripts/main.js"])
def test_head_has_the_headers_of_get_and_no_body(client, path):
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.data) == (200, b"")
    assert {**head.headers} == {**get.headers}


@pytest.mark.parametrize(
    "name",
    [
        "scripts/nothing.js", "scripts/", "scripts", "", "index.html", "openapi.json", "fonts/OFL.txt", "scripts/a/",
        "scripts/../index.html", "scripts/map/../../index.html", "../routes.py", "scripts/../../routes.py",
        "%2e%2e/routes.py", "scripts%2f..%2f..%2froutes.py", "scripts/map/map.js%00", "/etc/passwd",
        "scripts//main.js", "scripts\\main.js", "SCRIPTS/main.js", "scripts/map/map.js/", "scripts/a/b/c.js",
        "styles/page.css.js",
    ],
)  # fmt: skip
@pytest.mark.parametrize("under", ["-", "0123456789abcdef", ".."])
def test_whatever_is_no_file_of_the_page_is_a_404_problem(client, name, under):
    answer = client.get(f"/page/{under}/{name}")
    assert (answer.status_code, answer.mimetype, answer.json["status"]) == (404, "application/problem+json", 404)


def test_a_changed_file_changes_where_files_are(client, tmp_path, monkeypatch):
    for path in FILES:
        copy = tmp_path / path.relative_to(PAGE_FOLDER)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (tmp_path / "index.html").write_bytes((PAGE_FOLDER / "index.html").read_bytes())
    monkeypatch.setattr("segue.web.views.pages.PAGE_FOLDER", tmp_path)
    before = stamp(client)
    (tmp_path / "styles" / "base.css").write_text("body { margin: 0 }", encoding="utf-8")
    after = stamp(client)
    kept = [client.get(f"/{where}styles/base.css").headers["Cache-Control"] for where in (before, after)]
    assert before != after
    assert kept == ["no-cache", "max-age=31536000, immutable"]


@pytest.mark.parametrize("page", HTML)
def test_a_page_refers_to_files_of_its_own_by_relative_addresses(client, page):
    listed = addresses(page)
    files = [address.removeprefix("page/-/") for address in listed if address.startswith("page/-/")]
    assert set(files) <= set(SERVED)
    others = {address.partition("#")[0] for address in listed if not address.startswith("page/-/")}
    assert others <= {"", "./", "docs", "docs/clients", "openapi.json"}


@pytest.mark.parametrize("page", HTML)
def test_nothing_of_a_page_is_inline(page):
    source = (PAGE_FOLDER / page).read_text(encoding="utf-8")
    assert not re.search(r"<style|<script(?![^>]*src=)[^>]*>|\sstyle=|\son\w+=|javascript:", source)


@pytest.mark.parametrize("page", HTML)
def test_a_page_preloads_every_module_that_it_needs_at_once_and_no_other(page):
    listed = addresses(page)
    (main,) = [PAGE_FOLDER / address.removeprefix("page/-/") for address in listed if address.endswith("/main.js")]
    source = (PAGE_FOLDER / page).read_text(encoding="utf-8")
    preloaded = re.findall(r'<(?:link rel="modulepreload" href|script type="module" src)="page/-/([^"]+)"', source)
    assert sorted(preloaded) == sorted(path.relative_to(PAGE_FOLDER).as_posix() for path in at_once(main))


def test_the_scripts_of_each_view_are_loaded_with_those_of_the_page():
    source = (PAGE_FOLDER / "scripts" / "early.js").read_text(encoding="utf-8")
    preloaded = {view: re.findall(r'"([^"]+)"', names) for view, names in re.findall(r"(\w+): \[([^\]]*)\]", source)}
    main = PAGE_FOLDER / "scripts" / "main.js"
    later = {room(path): at_once(path) - at_once(main) for path in imported(main)}
    wanted = {"opening": "search", "songs": "songs", "map": "map/map", "playlist": "playlist"}
    assert preloaded == {view: sorted(map(room, later[of]), key=LAYERS.index) for view, of in wanted.items()}


def at_once(main):
    """All modules that are imported before a module runs, it among them."""
    reached, left = set(), [main]
    while left:
        path = left.pop()
        reached.add(path)
        source = path.read_text(encoding="utf-8")
        names = re.findall(r'^(?:import|export|\}) ?.*?from "([^"]+)"', source, re.MULTILINE)
        left += {(path.parent / name).resolve() for name in names} - reached
    return reached


@pytest.mark.parametrize("script", SCRIPTS, ids=room)
def test_a_module_is_short_makes_text_of_text_and_asks_nobody_else(script):
    source = script.read_text(encoding="utf-8")
    assert source.startswith("/**")  # says what it is for
    assert source.count("\n") <= LINES
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", source)
    elsewhere = set(re.findall(r"https?://[^\s\"'`)]+", source))
    assert elsewhere <= {
        "http://www.w3.org/2000/svg",
        "https://www.w3.org/WAI/ARIA/apg/patterns/combobox/",
        "https://developer.spotify.com/documentation/embeds/references/iframe-api",
        "https://developer.spotify.com/documentation/embeds/reference/oembed",
        "https://open.spotify.com/oembed?url=",  # asked once a listener wants pictures
        "https://www.youtube.com/results?search_query=",  # links that a listener may follow
        "https://music.apple.com/search?term=",
    }


@pytest.mark.parametrize("script", SCRIPTS, ids=room)
def test_modules_import_downwards(script):
    below = LAYERS[: LAYERS.index(room(script))] if script.name != "early.js" else []
    assert {room(path) for path in imported(script)} <= set(below)


def test_the_page_weighs_less_than_100_kb_compressed_as_it_opens_and_150_kb_whatever_is_done_with_it():
    first = at_once(PAGE_FOLDER / "scripts" / "main.js") | {PAGE_FOLDER / "index.html"}
    whole = [PAGE_FOLDER / name for name in SERVED if "docs" not in name]
    later = {path for path in whole if path.suffix == ".js"} - first
    sizes = {path: len(gzip.compress(path.read_bytes(), 6)) for path in {*whole, *first}}
    assert sum(size for path, size in sizes.items() if path not in later) < BYTES
    assert sum(sizes.values()) < BYTES_OF_ALL


def test_every_file_that_is_compressed_once_is_kept_compressed(client):
    """Whoever asks for all files in turn, as browsers do, finds each of them there the next time."""
    kept = gateway._compress_once.cache_parameters()["maxsize"]
    assert len([path for path in PAGE_FOLDER.rglob("*.*") if path.suffix in MEDIA_TYPES]) <= kept


def test_the_font_comes_with_its_licence():
    assert "SIL Open Font License" in (PAGE_FOLDER / "fonts" / "OFL.txt").read_text(encoding="utf-8")


def test_the_documents_with_a_slash_lead_to_those_without(client):
    answer = client.get("/docs/?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (308, "../docs?x=1")


@pytest.mark.parametrize("event", [rest("prod", ""), http("prod", "")])
def test_a_stage_without_a_slash_leads_to_the_page_with_one(world_artifacts, event):
    from apig_wsgi import make_lambda_handler

    event["path"] = "/"  # a REST API's, even so
    app = strip_stage(Request.application(Service(Config(world_artifacts)).handle))
    answer = make_lambda_handler(app, binary_support=True)(event, None)
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    assert (answer["statusCode"], headers["location"]) == (308, "prod/?ids=piano-1")


@pytest.mark.parametrize("event", [rest("prod", "/"), http("prod", "/"), http("$default", "/")])
def test_a_stage_with_a_slash_is_the_page(world_artifacts, event):
    from apig_wsgi import make_lambda_handler

    app = strip_stage(Request.application(Service(Config(world_artifacts)).handle))
    answer = make_lambda_handler(app, binary_support=True)(event, None)
    assert answer["statusCode"] == 200
    assert "<title>" in answer["body"]


def test_fonts_come_whole_through_a_gateway(world_artifacts):
    from apig_wsgi import make_lambda_handler

    app = strip_stage(Request.application(Service(Config(world_artifacts)).handle))
    answer = make_lambda_handler(app, binary_support=True)(rest("prod", "/page/-/fonts/familjen-latin.woff2"), None)
    assert answer["isBase64Encoded"]
    assert json.dumps(answer["headers"]).count("font/woff2") == 1
