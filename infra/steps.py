"""Steps of a rehearsal: each is named, timed, and passes, fails or is skipped with its reason."""

import contextlib
import time
from collections.abc import Iterator


class Skipped(Exception):
    """A step can't be taken on this machine; the message is the reason."""


class Failed(Exception):
    """A step did not do what it should; the message says what it did."""


class Steps:
    """What was rehearsed so far."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Tell how a step went; a failure ends the rehearsal, a step that can't be taken does not."""
        began = time.monotonic()
        try:
            yield
        except Skipped as reason:
            self.skipped.append(what)
            print(f"skipped  {what}: {reason}", flush=True)
            return
        except Failed:
            print(f"FAILED   {what}", flush=True)
            raise
        print(f"passed   {what} ({time.monotonic() - began:.0f} s)", flush=True)


def expect(what: str, found: object, wanted: object) -> None:
    """Raise Failed if something is not what it should be."""
    if found != wanted:
        raise Failed(f"{what}: expected {wanted!r}, found {found!r}")
