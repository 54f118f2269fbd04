"""What the C library keeps of memory that was freed, where it is glibc.

What the store's client fetches is allocated by its threads. Each has an *arena* of its own, up to eight a processor,
and of what is free at an arena's end only the first one's can be given back.
"""

import ctypes

_ARENA_MAX = -8  # M_ARENA_MAX of mallopt(3)


def share() -> None:
    """Let all threads allocate from one arena; before the first of them does, or from those that there are."""
    _call("mallopt", _ARENA_MAX, 1)


def give_back() -> None:
    """Give the kernel what is free (malloc_trim(3))."""
    _call("malloc_trim", 0)


def _call(name: str, *numbers: int) -> None:
    function = getattr(ctypes.CDLL(None), name, None)
    if function:
        function(*numbers)
