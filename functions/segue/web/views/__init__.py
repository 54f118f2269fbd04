"""The views: functions that answer a ``RequestContext``, and operations, in one module per subject.

:mod:`segue.web.routes` refers to them by name; a module is imported when a request first needs it.
"""
