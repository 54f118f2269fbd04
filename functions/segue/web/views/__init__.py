"""What each route answers: a function of a :class:`~segue.web.views.call.Call`, in a module by its subject.

:mod:`segue.web.routes` names them; a module is imported when a request first needs it.
"""
