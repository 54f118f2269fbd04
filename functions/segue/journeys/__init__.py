"""Ordered lists of songs: a path between two songs, a playlist with a flow, a radio that continues what was played.

Each is a function of a catalogue and a frozen query of :mod:`segue.query.schema`, and knows nothing of HTTP. It
builds on the engine::

    >>> from segue.journeys.paths import path
    >>> path(load(Path("artifacts")), PathQuery(Seed("", {}, song="Anchor"), Seed("", {}, song="Orbit")))
"""
