"""How tables are written: one module a family of formats, each of which turns a file into chunks of raw cells.

What a file is, its first bytes say, never its name. Packed files are unpacked as they are read, as often as a format
needs to. The package imports nothing of its siblings.
"""
