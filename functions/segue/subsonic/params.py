"""Parameters from the URL or a form: the first of repeated ones counts, unknown ones are ignored."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs

from werkzeug.wrappers import Request

from segue.query.reader import LONGEST_TEXT, shown
from segue.subsonic.errors import GENERIC, MISSING, Refused

LARGEST = 16 * 1024  # bytes of a form
MOST_FIELDS = 50  # of a form
FORM = "application/x-www-form-urlencoded"
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)


class Params:
    """The parameters of a request."""

    def __init__(self, given: Mapping[str, str]):
        self._given = given

    def get(self, name: str) -> str:
        """A parameter's text; empty where it is not given."""
        return self._given.get(name, "")

    def text(self, name: str) -> str:
        """A required text, which may be empty.

        Raises
        ------
        Refused
            it is not given, or too long.

        """
        if name not in self._given:
            raise Refused(MISSING, f"Required parameter is missing: {name}")
        text = self._given[name]
        if len(text) > LONGEST_TEXT:
            raise Refused(GENERIC, f"{name}: expected up to {LONGEST_TEXT} characters, found {len(text)}")
        return text

    def count(self, name: str, default: int, most: int) -> int:
        """How many things are wanted; a number above ``most`` counts as ``most``."""
        text = self._given.get(name) or str(default)
        if not _WHOLE.fullmatch(text):
            raise Refused(GENERIC, f"{name}: expected a whole number from 0, found {shown(text)}")
        return min(int(text), most)


def read(request: Request) -> Params:
    """The parameters of a request, read once; after a form that can't be read, those of the URL alone.

    Raises
    ------
    Refused, werkzeug.exceptions.HTTPException
        the form is too large, or ends before it is complete.

    """
    if "segue.rest" not in request.environ:
        given = request.args.to_dict()
        request.environ["segue.rest"] = Params(given)
        if request.method == "POST" and request.mimetype == FORM:
            request.environ["segue.rest"] = Params({**_form(request), **given})
    params: Params = request.environ["segue.rest"]
    return params


def _form(request: Request) -> dict[str, str]:
    body = request.stream.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise Refused(GENERIC, f"a form may have {LARGEST} bytes at the most", 413)
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Refused(GENERIC, f"a form may have {MOST_FIELDS} fields at the most", 413) from None
    return {name: values[0] for name, values in fields.items()}
