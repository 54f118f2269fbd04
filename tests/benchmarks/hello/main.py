"""The least that a function of this kind can be: what every figure is held against."""

import numpy as np
from werkzeug.wrappers import Request, Response


def recommend(request: Request) -> Response:
    """Answer with a constant."""
    return Response(f'{{"mean":{np.arange(3).mean()}}}', mimetype="application/json")
