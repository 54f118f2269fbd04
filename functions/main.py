"""What the platforms call: ``recommend`` by the functions framework, ``lambda_handler`` by AWS Lambda."""

import functools
import os
from collections.abc import Callable
from typing import Any

# Before NumPy comes: a function has a fraction of a core, on which BLAS threads only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from werkzeug.wrappers import Request, Response

from segue.config import Config
from segue.public import staged
from segue.web import Service

service = Service(Config.from_environ(os.environ))


def recommend(request: Request) -> Response:
    """Answer an HTTP request (functions framework, Cloud Run functions)."""
    return service.handle(request)


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer an event of a function URL, API Gateway or load balancer (AWS Lambda)."""
    return _adapter()(event, context)


@functools.cache
def _adapter() -> Callable[[dict[str, Any], object], dict[str, Any]]:
    from apig_wsgi import make_lambda_handler

    handler: Callable[[dict[str, Any], object], dict[str, Any]] = make_lambda_handler(
        staged(Request.application(recommend)), binary_support=True
    )
    return handler
