"""The page, the documents, and whether the service is there."""

from pathlib import Path

from werkzeug.wrappers import Response

from segue.errors import ArtifactsError
from segue.responses import json_response
from segue.web import public
from segue.web.views.call import Call

EXAMPLE = "http://127.0.0.1:8080"  # the service's address in documents
PAGES = Path(__file__).resolve().parents[1] / "page"


def healthz(_: Call) -> Response:
    """Whether the process is alive."""
    return json_response({"status": "alive"})


def readyz(call: Call) -> Response:
    """Whether there is a model to answer from, and which."""
    songs = call.catalog()
    return json_response({"version": songs.version, "songs": len(songs), "invented": songs.manifest["invented"]})


def openapi(_: Call) -> Response:
    """The description of the API."""
    return Response(document(), mimetype="application/json")


def docs(_: Call) -> Response:
    """The description as a page."""
    return _file("docs.html", "text/html")


def clients(call: Call) -> Response:
    """The page with the lines to change, which name the address that it was asked for at."""
    page = _file("clients.md", "text/plain")
    base = public.base(call.request, call.public_url)
    page.set_data(page.get_data(as_text=True).replace(EXAMPLE, base))
    return page


def page(_: Call) -> Response:
    """The page."""
    return _file("index.html", "text/html")


def document() -> bytes:
    """The description of the API, in JSON."""
    return _read("openapi.json")


def _file(name: str, mimetype: str) -> Response:
    return Response(_read(name), mimetype=mimetype)


def _read(name: str) -> bytes:
    try:
        return (PAGES / name).read_bytes()
    except FileNotFoundError as error:
        raise ArtifactsError(f"{name} is missing from the deployed code") from error
