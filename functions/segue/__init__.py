"""Segue recommends songs from a table of tracks.

Reading order: errors, attributes, names, ragged, mapping, space, sketch, manifest, catalog, likeness, trigrams,
fulltext, lookup, query, parser, seeds, scoring, filtering, search, choice, explain, engine, store, bucket, cache,
releases, remote, refresh, validators, public, web. Imports run one way.
:mod:`segue.spotify` is a dialect of the web layer.
"""
