"""Everything that requests need, loaded before the first one comes: what a snapshot of a started function keeps."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

_log = logging.getLogger("segue")


def preload(handle: Callable[[Request], Response]) -> None:
    """Ask a service one thing of each kind; without artifacts it starts all the same."""

    def ask(path: str, body: Mapping[str, Any] | None = None) -> Any:
        asked = EnvironBuilder(path) if body is None else EnvironBuilder(path, method="POST", json=body)
        response = handle(Request(asked.get_environ()))
        if response.status_code != 200:
            _log.warning("not preloaded: a request answers %d", response.status_code)
            return None
        return json.loads(response.get_data())

    if ask("/readyz"):
        song = ask("/clusters/0?limit=1")["songs"][0]["id"]
        for path in ("/search?q=a", f"/songs/{song}", f"/recommend?song_id={song}&explain=true"):
            ask(path)
        following = (ask("/continue", {"played": [song], "limit": 1}) or {}).get("songs")
        for flow in ("steady", "harmonic"):
            ask("/playlist", {"song_id": song, "songs": 5, "flow": flow})
        if following:
            ask("/path", {"from": {"id": song}, "to": {"id": following[0]["id"]}, "length": 3})
