"""What a text means: songs by id, by title, by title and artist in one text, with typos, and artists and genres.

``exact`` finds by id, by name or by the beginning of one, ``fuzzy`` what a text with typos is like, ``matching`` says
how well a text spells a song, and ``resolver`` joins them: it resolves seeds and searches. ``words`` finds all names
that contain words, for searches by field.
"""
