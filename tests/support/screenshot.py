"""``make screenshot``: the page on the invented catalogue, as the README opens with it."""

import tempfile
from pathlib import Path

from segue_build import ROOT
from segue_build.fit import FitOptions, fit
from tests.support.browser import CHROMIUM, opened
from tests.support.serving import served

PICTURE = ROOT / "docs" / "page.png"
SIZE = {"width": 1080, "height": 620}
STATE = "#song=demo-0014219&view=map&at=0.5,0.5,1"


def main() -> None:
    """Fit what ``make run`` serves, and keep what its page shows."""
    if CHROMIUM is None:
        raise SystemExit("make screenshot: needs chromium")
    with tempfile.TemporaryDirectory() as folder:
        fit(FitOptions(), Path(folder))
        with served(Path(folder)) as base:
            keep(base)
    print(f"{PICTURE.relative_to(ROOT)}, {PICTURE.stat().st_size:,} bytes")


def keep(base: str) -> None:
    """Open the page of a service and write what is seen."""
    with opened() as browser:
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(f"{base}/{STATE}")
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(500)  # until the frame that draws the map
        page.screenshot(path=PICTURE)


if __name__ == "__main__":
    main()
