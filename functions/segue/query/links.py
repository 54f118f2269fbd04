"""Songs and artists as Spotify's programs name them: URIs, and links as its "share" copies them.

``spotify:track:ID``, ``https://open.spotify.com/track/ID?si=...``, and the same for artists.
https://developer.spotify.com/documentation/web-api/concepts/spotify-uris-ids
"""

import re
from dataclasses import dataclass

EXPECTED = "expected spotify:track:ID or https://open.spotify.com/track/ID, or the same with 'artist'"
_HOST = r"(?:https?://)?(?:open|play)\.spotify\.com/"
_ANY = re.compile(rf"spotify:\S|{_HOST}", re.IGNORECASE)
_KNOWN = re.compile(
    rf"(?:spotify:|{_HOST}(?:intl-[\w-]+/|embed/)?)(track|artist)[:/]([\w.-]{{1,64}})/?(?:[?#]\S*)?",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Link:
    """What a link leads to.

    kind : ``"track"`` or ``"artist"``; empty for anything else, and for what is no whole link
    id : of the song or artist
    """

    kind: str
    id: str


def link(text: str) -> Link | None:
    """The link that a text is, None for a text that does not begin as one."""
    text = text.strip()
    if not _ANY.match(text):
        return None
    found = _KNOWN.fullmatch(text)
    return Link(found[1].lower(), found[2]) if found else Link("", "")
