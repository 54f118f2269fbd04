"""Debian's Chromium in front of a real server, for the tests of the page and its screenshots."""

import contextlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from segue_build import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
CLIENTS = ROOT / ".cache" / "clients"  # where .ci/run installs tests/clients/package.json
AXE = CLIENTS / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
PATIENCE = 30_000  # milliseconds, for what is done and for what is expected

in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
with_axe = pytest.mark.skipif(
    not AXE.is_file(),
    reason=f"needs axe-core: npm install --prefix {CLIENTS.relative_to(ROOT)}, with its package.json",
)


@contextlib.contextmanager
def opened() -> Iterator[Any]:
    """A browser. While it is open no other event loop runs in this thread: open it for a module at the most."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Visits:
    """Opens pages in one browser, and notes what none may do: throw, break the policy, ask another host.

    Pages with the same options share a context, so that the files of the page are loaded once.
    """

    def __init__(self, browser: Any):
        self._browser = browser
        self._contexts: dict[str, Any] = {}
        self.troubles: list[str] = []

    def open(self, address: str, **options: Any) -> Any:
        """A page, ``options`` being those of a context."""
        key = json.dumps(options)
        if key not in self._contexts:
            self._contexts[key] = self._browser.new_context(**options)
            self._contexts[key].set_default_timeout(PATIENCE)
        page = self._contexts[key].new_page()
        ours = (re.match(r"https?://[^/]+", address)[0], "data:", "blob:")
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", lambda said: self.troubles.extend([said.text] if "Content Security" in said.text else []))
        page.on("request", lambda asked: self.troubles.extend([] if asked.url.startswith(ours) else [asked.url]))
        page.goto(address)
        return page

    def leave(self) -> list[str]:
        """Close all pages, forget what they kept, and tell what was wrong."""
        for context in self._contexts.values():
            context.set_offline(False)
            for page in context.pages:
                page.unroute_all(behavior="ignoreErrors")
                page.evaluate("localStorage.clear()")
                page.close()
        troubles, self.troubles = self.troubles, []
        return troubles


@pytest.fixture(scope="module")
def visits() -> Iterator[Visits]:
    """One browser for the tests of a module."""
    with opened() as browser:
        yield Visits(browser)


@pytest.fixture
def visit(visits: Visits) -> Iterator[Callable[..., Any]]:
    """Opens an address: ``visit(address, **options of the context)``."""
    yield visits.open
    troubles = visits.leave()
    assert not troubles, troubles


def violations(page: Any) -> list[str]:
    """What axe-core has against a page, each with where."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    places = [[node["target"] for node in one["nodes"]][:3] for one in found]
    return [f"{one['id']}: {one['help']} at {json.dumps(where)}" for one, where in zip(found, places)]
