"""Segue recommends songs from a table of tracks.

Reading order: errors, attributes, names, space, catalog, lookup, query, engine, web. Imports run one way.
"""
