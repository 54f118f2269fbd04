"""HTTP: routes, limits, headers, the log and the page. Only this package and the dialects know of requests.

:mod:`segue.web.routes` has the routes, :mod:`segue.web.views` the functions behind them. This package may import
every other one, and none imports it.
"""
