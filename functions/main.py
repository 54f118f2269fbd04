"""What the platforms call: ``recommend`` by the functions framework, ``lambda_handler`` by AWS Lambda."""

import functools
import os
from collections.abc import Callable
from typing import Any

# Before NumPy comes: a function has a fraction of a core, on which BLAS threads only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from werkzeug.wrappers import Request, Response

from segue.config import Config
from segue.web import events, log
from segue.web.front import Front
from segue.web.public import staged
from segue.web.service import Service

log.set_up()
config = Config.from_environ(os.environ)
service = Service(config)
front = Front(service.handle)


def recommend(request: Request) -> Response:
    """Answer an HTTP request (functions framework, Cloud Run functions)."""
    return front.handle(request)


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer an event of a function URL, API Gateway or load balancer (AWS Lambda)."""
    return events.answer(_adapter(), event, context)


@functools.cache
def _adapter() -> Callable[[dict[str, Any], object], dict[str, Any]]:
    from apig_wsgi import make_lambda_handler

    handler: Callable[[dict[str, Any], object], dict[str, Any]] = make_lambda_handler(
        staged(Request.application(recommend)), binary_support=True
    )
    return handler


if config.preload:
    from segue.web.preload import preload

    preload(service.handle)
