"""How tables are written: one module a family of formats, each of which turns a file into chunks of raw cells.

What a file is, its first bytes say, never its name. What is packed is unpacked first. The package imports nothing of
its siblings.
"""
