"""HTTP: routes, limits, headers, the log and the page. Only here and in the dialect is Flask's request known.

:mod:`segue.web.service` has the routes. It may import every other wing; none imports it.
"""
