"""The views: what each route answers, as a function of a ``RequestContext``, in a module by its subject.

:mod:`segue.web.urls` names them; a module is imported when a request first needs it.
"""
