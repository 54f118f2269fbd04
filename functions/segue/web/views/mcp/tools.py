"""Operations of the API as tools."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from segue.catalog import Catalog
from segue.web.views.call import Asked, vocabulary
from segue.web.views.journeys import PATH, PLAYLIST
from segue.web.views.mcp.schemas import Described
from segue.web.views.recommend import RECOMMEND
from segue.web.views.search import SEARCH

# No tool changes anything, and all that is known is in the table.
HINTS = {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": False}


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool.

    path, method : the operation that it is
    kind : reads its arguments and answers
    """

    path: str
    method: str
    kind: Asked

    def answer(self, songs: Catalog, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """What it answers, as JSON has it."""
        return self.kind.answer(songs, self.kind.read(arguments, vocabulary(songs)))


TOOLS = {
    "search_songs": Tool("/search", "get", SEARCH),
    "recommend": Tool("/recommend", "post", RECOMMEND),
    "song_path": Tool("/path", "post", PATH),
    "make_playlist": Tool("/playlist", "post", PLAYLIST),
}


@functools.cache
def described() -> list[dict[str, Any]]:
    """All tools, as ``tools/list`` answers."""
    return [_described(name, Described(tool.path, tool.method)) for name, tool in TOOLS.items()]


def _described(name: str, operation: Described) -> dict[str, Any]:
    return {
        "name": name,
        "title": operation.title,
        "description": operation.description,
        "inputSchema": operation.takes(),
        "outputSchema": operation.gives(),
        "annotations": {"title": operation.title, **HINTS},
    }
