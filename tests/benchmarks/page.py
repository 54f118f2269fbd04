"""The page in a browser: how long the first list takes, and how smoothly the map is dragged.

Debian's Chromium draws without a graphics card here, so a laptop is no slower.
"""

import statistics
from collections.abc import Iterator

from tests.benchmarks.figures import Row
from tests.benchmarks.subject import Skipped, Subject
from tests.support.browser import CHROMIUM, opened
from tests.support.serving import served

SIZE = {"width": 1280, "height": 800}
FRAMES = 120
# From the choice of a song to its list on the page, milliseconds.
FIRST = """id => new Promise(done => {
    const list = document.querySelector('#songs'), began = performance.now();
    new MutationObserver((_, observer) => {
        if (!list.querySelector('.song-name')) return;
        observer.disconnect();
        requestAnimationFrame(() => done(performance.now() - began));
    }).observe(list, {childList: true});
    history.pushState(null, '', `#song=${id}`);
    dispatchEvent(new PopStateEvent('popstate'));
})"""
# A drag of the map by some pixels in each frame: frames a second, and milliseconds within which 95 % came.
DRAG = """frames => new Promise(done => {
    const canvas = document.querySelector('canvas[role]'), times = [];
    const hand = x => ({pointerId: 1, pointerType: 'mouse', clientX: x, clientY: 400});
    const send = (type, x) => canvas.dispatchEvent(new PointerEvent(type, hand(x)));
    canvas.setPointerCapture = () => {};
    send('pointerdown', 300);
    const step = time => {
        times.push(time);
        if (times.length <= frames) {
            send('pointermove', 300 + 60 * Math.sin(times.length / 9));
            return requestAnimationFrame(step);
        }
        send('pointerup', 300);
        const gaps = times.slice(1).map((at, place) => at - times[place]).sort((one, other) => one - other);
        return done([1000 * frames / (times.at(-1) - times[0]), gaps[Math.floor(0.95 * gaps.length)]]);
    };
    requestAnimationFrame(step);
})"""


def measure(subject: Subject) -> Iterator[Row]:
    """A row for each of the two; medians of ``subject.runs``."""
    if CHROMIUM is None:
        raise Skipped("page: needs chromium")
    with served(subject.artifacts.resolve()) as base, opened() as browser:
        page = browser.new_page(viewport=SIZE)
        page.goto(base)
        page.wait_for_load_state("networkidle")
        first = [page.evaluate(FIRST, song) for song in subject.ids(subject.runs + 1, seed=1)][1:]
        yield {"measured": "song chosen to list shown", "ms": statistics.median(first)}
        page.goto(f"{base}/#view=map")
        page.locator(".stage-note").wait_for()
        for zoom in (1, 8):
            page.goto(f"{base}/#view=map&at=0.5,0.5,{zoom}")
            drags = [page.evaluate(DRAG, FRAMES) for _ in range(subject.runs)]
            rate, slow = (statistics.median(values) for values in zip(*drags))
            yield {
                "measured": f"map dragged, enlarged {zoom} times",
                "frames a second": rate,
                "ms, 95 % within": slow,
            }
