"""What cells mean: numbers, durations, keys and dates as people write them, and what only a whole column shows.

A cell is read by itself where it can be; in which unit a column is, and whether a comma parts the names of artists,
its cells say together.
"""
