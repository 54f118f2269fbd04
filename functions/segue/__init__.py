"""Segue recommends songs from a table of tracks.

Reading order: errors, attributes, names, ragged, space, catalog, fulltext, lookup, query, parser, seeds, scoring,
search, choice, explain, engine, public, web. Imports run one way.
:mod:`segue.spotify` is a dialect of the web layer.
"""
