"""One line of JSON a request, and for what is logged otherwise: read by people, CloudWatch and Cloud Logging alike.

No line holds what a caller wrote: not a path, a query, a body or a header, but for ids that platforms gave.
"""

import json
import logging
import re
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from segue.notes import Notes

METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE")
TIMES = ("load", "search")
COUNTS = ("trips", "ranges", "fetched")  # of pieces from a store: waits one after another, requests, bytes
_ID = re.compile(r"[\w=;:.,+-]{1,200}", re.ASCII)
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
METRICS = [
    {"Name": "duration", "Unit": "Milliseconds"},
    {"Name": "search", "Unit": "Milliseconds"},
    {"Name": "cold", "Unit": "Count"},
    {"Name": "faults", "Unit": "Count"},
]


class Lines(logging.Formatter):
    """Log records as JSON: an exception's type and places, not its text, which may quote a caller."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        line: dict[str, Any] = {"severity": record.levelname, "message": record.getMessage(), "logger": record.name}
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            line["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line)


def set_up() -> None:
    """Let the service's logger write such lines to stderr, and nothing twice."""
    logger = logging.getLogger("segue")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(Lines())
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False


def of_request(request: Request, response: Response, notes: Notes, duration: float, *, cold: bool) -> dict[str, Any]:
    """The canonical line of a request.

    duration : milliseconds
    """
    faulty = response.status_code >= 500
    route = notes.get("route", "none")
    line = {
        "severity": "ERROR" if faulty else "INFO",
        "message": f"{route} {response.status_code}",
        "route": route,
        "method": request.method if request.method in METHODS else "other",
        "status": response.status_code,
        "duration": round(duration, 2),
        **{name: round(notes[name], 2) for name in TIMES if name in notes},
        **{name: notes[name] for name in COUNTS if name in notes},
        "cold": int(cold),
        "faults": int(faulty),
        "model": notes.get("model"),
        "trace": _trace(request),
    }
    context = request.environ.get("apig_wsgi.context")
    if context is not None:
        line["request"] = getattr(context, "aws_request_id", None)
    return line


def with_metrics(line: Mapping[str, Any], function: str) -> dict[str, Any]:
    """A line from which CloudWatch reads metrics by itself."""
    metrics = [metric for metric in METRICS if metric["Name"] in line]
    described = {"Namespace": "Segue", "Dimensions": [["function"]], "Metrics": metrics}
    return {
        **line,
        "function": function,
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [described]},
    }


def write(line: Mapping[str, Any]) -> None:
    """Write a line to stderr, in one piece: both platforms collect it, and stdout stays the caller's."""
    sys.stderr.write(json.dumps(line, separators=(",", ":")) + "\n")
    sys.stderr.flush()


def _trace(request: Request) -> str | None:
    """The platform's id of what the request is a part of."""
    google = request.headers.get("X-Cloud-Trace-Context", "").partition("/")[0]
    given = request.headers.get("X-Amzn-Trace-Id") or google
    return given if given and _ID.fullmatch(given) else None
