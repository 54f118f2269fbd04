"""HTTP: routes, limits, headers, the log and the page. Only here and in the dialect is Flask's request known.

:mod:`segue.web.urls` has the routes, :mod:`segue.web.views` what they answer. It may import every other
wing; none imports it.
"""
