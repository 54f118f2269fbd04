"""``/map``: where songs lie in the plane that the build draws.

The map is made of little-endian numbers, so that a page reads it without looking at each:

======================  =============================================================================
``MAP1``                four letters
uint32 * 3              songs of the catalogue, ``n`` points on the map, ``c`` clusters
uint32 * ``c``          points of each cluster, by its id
uint32 * ``n``          the song's row, rising: points of a cluster are neighbours
uint16 * ``n``          how far to the right, 0..65535
uint16 * ``n``          how far up, on the same scale
======================  =============================================================================
"""

import numpy as np
from werkzeug.wrappers import Response

from segue.catalog import Catalog
from segue.web.views.call import Call

MOST = 200_000  # points


def points(call: Call) -> Response:
    """Where songs lie."""
    call.arguments()
    catalog = call.catalog()
    content = catalog.derived("map", lambda: _map(catalog))
    return Response(content, mimetype="application/octet-stream")


def _map(catalog: Catalog) -> bytes:
    offsets = catalog.array("cell_offsets").astype(np.int64)
    shown = _shown(np.diff(offsets))
    rows = np.repeat(offsets[:-1] - np.cumsum(shown) + shown, shown) + np.arange(shown.sum())
    n_clusters = len(catalog.manifest["clusters"])
    of_clusters = np.bincount(catalog.array("cell_clusters"), shown, n_clusters)
    across, up = catalog.array("map")[rows].T
    numbers = np.concatenate([[len(catalog), len(rows), n_clusters], of_clusters, rows]).astype("<u4")
    return b"".join([b"MAP1", numbers.tobytes(), across.astype("<u2").tobytes(), up.astype("<u2").tobytes()])


def _shown(sizes: np.ndarray) -> np.ndarray:
    """How many songs of each cell are on the map, its best-known ones: all, or the same share of each."""
    if sizes.sum() <= MOST:
        return sizes
    return -(-sizes * (MOST - len(sizes)) // sizes.sum())
