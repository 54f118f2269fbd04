"""The page, addresses of it for friends, the documents, and the health of the service.

What the page shows lies after a #, which servers and previews never see. Below ``/s/KIND/IDS`` is the same page with
a title, a description and a picture drawn from the map for previews, and with the songs for people, who see the rows
of a list before a script runs.
"""

import functools
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.exact import artist_names, songs_by_ids
from segue.catalog.normalization import without_version
from segue.dialects import RequestContext, accepted_coding, is_navigation, json_response
from segue.errors import ArtifactsError, UnknownSong
from segue.query.schema import Validator
from segue.web.request_context import query_parameters
from segue.web.routes import load_view

EXAMPLE_URL = "http://127.0.0.1:8080"  # the service's address in documents
PAGE_FOLDER = Path(__file__).resolve().parents[1] / "page"
DIGEST_PLACEHOLDER = "page/-/"  # in HTML: where files are, but for the digest of their content
MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".md": "text/plain",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
STATIC_FOLDERS = ("fonts", "scripts", "styles")
_STATIC_FILE = re.compile(rf"(?:{'|'.join(STATIC_FOLDERS)})/(?:[a-z]+/)?[a-z0-9-]+\.(?:css|js|svg|woff2)")
MAX_SONGS = 50
MAX_NAME_LENGTH = 80  # characters of a playlist's name
MAX_NAMED = 5  # songs that a description names
WIDTH, HEIGHT, SPAN = 1200, 630, 65535  # pixels of a picture, as previews crop them; units of the map's sides
MAX_POINTS = 4000  # of the map's songs on a picture
FRAGMENTS = {"song": "song={ids}", "list": "view=playlist&list={ids}", "walk": "view=map&list={ids}"}  # of the page
HUES = 12
_HEAD = re.compile('<meta name="description".*</title>', re.DOTALL)  # of the page, in whose place stands what follows
_PREVIEW = """<title>{title} · Segue</title>
<meta name="description" content="{description}">
<meta property="og:site_name" content="Segue">
<meta property="og:type" content="music.playlist">
<meta property="og:title" content="{title}">
<meta property="og:description" content="{description}">
<meta property="og:image" content="{picture}">
<meta property="og:image:type" content="image/svg+xml">
<meta property="og:image:width" content="1200">
<meta property="og:image:height" content="630">
<meta name="twitter:card" content="summary_large_image">"""
_VIEW = '<div id="view-playlist">'  # of the page, in which the songs of a list stand until playlist.js draws them
_PLAYLIST = """<div class="columns"><section class="results">
<div class="playlist-head"><h2>{title}</h2><p class="playlist-length">{length}</p>
<input class="playlist-name" aria-label="Name of the playlist" placeholder="Give it a name" value="{name}" disabled>
<p class="actions"></p><div class="energy"></div></div>
<ol class="playlist">{rows}</ol></section></div>"""
_ROW = (
    '<li class="entry"><span class="grip"></span><span class="rank">{place}</span><div class="about">'
    '<h3><a class="title"><bdi class="song-name">{song}</bdi></a></h3>'
    '<p class="facts"><bdi class="song-artists">{artists}</bdi></p></div>'
    '<span class="entry-length">{length}</span><div class="entry-buttons {kind}"></div></li>'
)
_RELATIVE = re.compile(r'(?<=(?:href|.src)=")(?:\./|(?=page/|docs))')  # where an address in HTML begins
FileState = tuple[Path, int, int]  # path, time of modification in ns, size in bytes


def healthz(_: RequestContext) -> Response:
    """Whether the process is alive."""
    return json_response({"status": "alive"})


def readyz(context: RequestContext) -> Response:
    """Which version is served; an error if there is none."""
    catalog = context.open_catalog()
    return json_response(
        {"version": catalog.version, "songs": len(catalog), "invented": catalog.manifest["invented"]}
    )


def openapi(context: RequestContext) -> Response:
    """The description of the API."""
    return _file_response(context, "openapi.json")


def docs(context: RequestContext) -> Response:
    """The description as a page."""
    return (
        _redirect(context, "../docs") if context.request.path.endswith("/") else _html_response(context, "docs.html")
    )


def clients(context: RequestContext) -> Response:
    """The instructions for clients, with the address of this service in them: Markdown, for people a page of it."""
    if is_navigation(context.request):
        response = _html_response(context, "clients.html")
    else:
        response = _file_response(context, "clients.md", lambda text: text.replace(EXAMPLE_URL, context.base_url))
    response.headers.add("Vary", "Sec-Fetch-Mode")
    return response


def page(context: RequestContext) -> Response:
    """The page."""
    if not context.request.environ["PATH_INFO"]:  # its files lie beside it, one level below
        return _redirect(context, f"{context.request.root_path.rpartition('/')[2]}/")
    return _html_response(context, "index.html")


def missing(request: Request) -> Response:
    """The page for an address that leads nowhere; what it refers to lies as many levels above as the address has."""
    return Response(_html("missing.html", "../" * (request.path.count("/") - 1)), 404, mimetype="text/html")


def openapi_document() -> bytes:
    """The description of the API, in JSON."""
    return _read_file("openapi.json")


def file(context: RequestContext, digest: str, name: str) -> Response:
    """A script, style or font of the page; browsers may keep it if its URL has the current digest."""
    if not _STATIC_FILE.fullmatch(name):
        raise NotFound
    response = _file_response(context, name)
    if digest == _content_digest(_file_states()):
        response.headers["Cache-Control"] = "max-age=31536000, immutable"
    return response


def _html_response(context: RequestContext, name: str) -> Response:
    """A page, or a 304 if the caller has it."""
    return with_content_etag(Response(_html(name), mimetype="text/html"), context.request)


def _html(name: str, top: str = "") -> str:
    """HTML that refers to its files by the digest of their content; ``top`` leads from its address to the service."""
    text = _read_file(name).decode()
    if top:
        text = _RELATIVE.sub(top, text)
    return text.replace(DIGEST_PLACEHOLDER, f"page/{_content_digest(_file_states())}/")


def _file_response(context: RequestContext, name: str, change: Callable[[str], str] | None = None) -> Response:
    """A file of the page, or a 304 if the caller has it."""
    content = _read_file(name)
    if change:
        content = change(content.decode()).encode()
    response = Response(content, mimetype=MEDIA_TYPES[Path(name).suffix])
    return with_content_etag(response, context.request)


def _redirect(context: RequestContext, location: str) -> Response:
    """A redirect to a relative address, which works below any prefix."""
    query = context.request.query_string.decode("ascii", "ignore")
    return Response(status=308, headers={"Location": f"{location}?{query}" if query else location})


def _read_file(name: str) -> bytes:
    try:
        return (PAGE_FOLDER / name).read_bytes()
    except FileNotFoundError as error:
        if _STATIC_FILE.fullmatch(name):
            raise NotFound from None
        raise ArtifactsError(f"{name} is missing from the deployed code") from error


def _file_states() -> tuple[FileState, ...]:
    """Path, time and size of each file of the page, by which a change is noticed."""
    files = sorted(path for folder in STATIC_FOLDERS for path in (PAGE_FOLDER / folder).rglob("*.*"))
    return tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in files)


@functools.lru_cache(maxsize=1)
def _content_digest(states: tuple[FileState, ...]) -> str:
    """A digest of the page's files; they are read again only if one has changed."""
    content = b"".join(path.read_bytes() for path, *_ in states)
    return hashlib.sha256(content).hexdigest()[:16]


def with_content_etag(response: Response, request: Request) -> Response:
    """Give a response that depends on no version an ETag by content and coding; a 304 if the caller has it."""
    content = response.get_data() + accepted_coding(request).encode()
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    response.headers["Cache-Control"] = "no-cache"  # may be stored, and must be revalidated
    return response.make_conditional(request)


def share(context: RequestContext, kind: str, ids: str) -> Response:
    """The page with what an address is about: in its head for previews, as data for the scripts that show it."""
    name = query_parameters(context.request, ("name",)).get("name", "")[:MAX_NAME_LENGTH].strip()
    catalog, rows, known = _songs(context, kind, ids)
    query = f"?name={quote(name)}" if name else ""
    values = {
        "title": name or _title(catalog, kind, rows),
        "description": _description(catalog, rows),
        "picture": f"{context.base_url}/s/{kind}/{known}/map.svg{query}",
    }
    preview = _PREVIEW.format(**{key: escape(value) for key, value in values.items()})
    fragment = FRAGMENTS[kind].format(ids=known)
    if name and kind != "song":
        fragment += f"&name={quote(name, safe='')}"
    answer = load_view("catalogue.SONGS").execute(catalog, known.split(","))
    text = _with_songs(preview, fragment, answer)
    if kind == "list":
        text = text.replace(_VIEW, _VIEW + _playlist(name, answer["songs"]))
    return with_content_etag(Response(text, mimetype="text/html"), context.request)


def _with_songs(preview: str, fragment: str, answer: Mapping[str, Any]) -> str:
    """The page of a fragment: early.js has it take the place of the address, so no script may run before that."""
    text = _HEAD.sub(lambda _: preview, _html("index.html", "../../")).replace(" async></script>", "></script>")
    data = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).replace("<", r"\u003c")
    element = f'<script type="application/json" id="told">{data}</script>\n</body>'
    return text.replace('lang="en"', f'lang="en" data-shared="{escape(fragment)}"', 1).replace("</body>", element)


def _playlist(name: str, songs: Sequence[Mapping[str, Any]]) -> str:
    """A list as HTML of the size that playlist.js gives it, without what presses do."""
    rows = [
        _ROW.format(
            place=place,
            song=escape(song["name"]),
            artists=escape(", ".join(song["artists"]) or "artist unknown"),
            length=_clock(song.get("duration_ms")),
            kind="" if song.get("link") else "silent",
        )
        for place, song in enumerate(songs, 1)
    ]
    hours, minutes = divmod(round(sum(song.get("duration_ms") or 0 for song in songs) / 60_000), 60)
    span = f"{hours} h {minutes} min" if hours else f"{minutes} min"
    length = f"{len(songs)} song{'s' * (len(songs) > 1)}, {span}"
    return _PLAYLIST.format(title=escape(name or "Playlist"), length=length, name=escape(name), rows="".join(rows))


def _clock(milliseconds: int | None) -> str:
    """The length of a song: 3:45."""
    seconds = round((milliseconds or 0) / 1000)
    return f"{seconds // 60}:{seconds % 60:02}" if seconds else ""


def picture(context: RequestContext, kind: str, ids: str) -> Response:
    """The map as a picture, the songs marked on it; about 60 KB."""
    name = query_parameters(context.request, ("name",)).get("name", "")[:MAX_NAME_LENGTH].strip()
    catalog, rows, _ = _songs(context, kind, ids)
    return Response(_draw(catalog, rows, name or _title(catalog, kind, rows)), mimetype="image/svg+xml")


def _songs(context: RequestContext, kind: str, ids: str) -> tuple[Catalog, list[int], str]:
    """The catalogue, the rows of the songs that it has, and their ids as an address has them."""
    if kind not in FRAGMENTS:
        raise NotFound
    validator = Validator()
    entries = validator.array(ids.split(","), "/ids", 1, 1 if kind == "song" else MAX_SONGS)
    wanted = [validator.song_id(one, f"/ids/{number}") for number, one in enumerate(entries)]
    validator.raise_faults()
    catalog = context.open_catalog()
    rows = [row for row in songs_by_ids(catalog, wanted) if row is not None]
    if not rows:
        raise UnknownSong("no song has this id", "/ids/0")
    return catalog, rows, ",".join(catalog.texts("ids").take(np.asarray(rows)))


def _title(catalog: Catalog, kind: str, rows: Sequence[int]) -> str:
    first, last = (without_version(catalog.texts("names")[row]) for row in (rows[0], rows[-1]))
    if kind == "song":
        return f"Songs like {first} by {', '.join(artist_names(catalog, rows[0])) or 'an unknown artist'}"
    return f"From {first} to {last}, a walk over the map" if kind == "walk" else f"A playlist of {len(rows)} songs"


def _description(catalog: Catalog, rows: Sequence[int]) -> str:
    named = [
        " by ".join(filter(None, (catalog.texts("names")[row], ", ".join(artist_names(catalog, row)))))
        for row in rows[:MAX_NAMED]
    ]
    left = len(rows) - len(named)
    return "; ".join(named) + (f"; and {left} more" if left else "") + "."


def _draw(catalog: Catalog, rows: Sequence[int], title: str) -> str:
    """An SVG: points of the map in the colours of their clusters, and the songs in their order on top."""
    sample = np.unique(np.linspace(0, len(catalog) - 1, min(MAX_POINTS, len(catalog))).astype(np.int64))
    places = _pixels(catalog, sample)
    hues = np.array([entry["family"] % HUES for entry in catalog.clusters_of(sample)])
    points = "".join(
        f'<path stroke="hsl({360 * hue // HUES} 55% 62%)" d="{_dots(places[hues == hue])}"/>'
        for hue in np.unique(hues).tolist()
    )
    songs = _pixels(catalog, np.asarray(rows)).tolist()
    line = " ".join(f"{x},{y}" for x, y in songs)
    marks = "".join(f'<circle cx="{x}" cy="{y}" r="9"/>' for x, y in songs)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fcfbf9"/>'
        f'<g stroke-width="3" stroke-linecap="round">{points}</g>'
        f'<polyline points="{line}" fill="none" stroke="#19171b" stroke-width="3"/>'
        f'<g fill="#c4003f" stroke="#fcfbf9" stroke-width="3">{marks}</g>'
        f'<text x="40" y="{HEIGHT - 44}" font-family="system-ui, sans-serif" font-size="44" font-weight="700"'
        f' fill="#19171b" stroke="#fcfbf9" stroke-width="8" paint-order="stroke">{escape(title)}</text></svg>'
    )


def _dots(places: np.ndarray) -> str:
    return "".join(f"M{x} {y}h0" for x, y in places.tolist())


def _pixels(catalog: Catalog, rows: np.ndarray) -> np.ndarray:
    """Where songs lie on a picture, x and y from its left top corner, int64, shape (n_songs, 2)."""
    across, up = catalog.take("map", rows).astype(np.float64).T / SPAN
    return np.stack([30 + across * (WIDTH - 60), 20 + (1 - up) * (HEIGHT - 40)], axis=1).round().astype(np.int64)
