"""The page in a browser: how long the first list takes, how smoothly the map is dragged, and what a slow phone sees.

Debian's Chromium draws without a graphics card here, so a laptop is no slower.
"""

import statistics
from collections.abc import Iterator
from typing import Any

from tests.benchmarks.figures import Row
from tests.benchmarks.subject import Skipped, Subject
from tests.support.browser import CHROMIUM, PHONE, opened
from tests.support.serving import served

SIZE = {"width": 1280, "height": 800}
FRAMES = 120
# Lighthouse's slow 4G, and a processor that is four times slower than this one
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
SLOWER = 4
# When the largest text was drawn, milliseconds, and how much has moved (https://web.dev/articles/vitals).
VITALS = """
    window.vitals = {drawn: 0, moved: 0};
    const watch = (type, tell) =>
        new PerformanceObserver(list => list.getEntries().forEach(tell)).observe({type, buffered: true});
    watch('largest-contentful-paint', one => { vitals.drawn = one.startTime; });
    watch('layout-shift', one => { vitals.moved += one.hadRecentInput ? 0 : one.value; });
"""
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
    """Medians of ``subject.runs``."""
    if CHROMIUM is None:
        raise Skipped("page: needs chromium")
    with served(subject.artifacts.resolve()) as base, opened() as browser:
        page = browser.new_page(viewport=SIZE)
        page.goto(base)
        page.wait_for_load_state("networkidle")
        first = [page.evaluate(FIRST, song) for song in subject.ids(subject.runs + 1, seed=1)][1:]
        yield {"measured": "song chosen to list shown", "ms": statistics.median(first)}
        page.goto(f"{base}/#view=map")
        page.locator(".stage-note button:enabled").wait_for()
        for zoom in (1, 8):
            page.goto(f"{base}/#view=map&at=0.5,0.5,{zoom}")
            drags = [page.evaluate(DRAG, FRAMES) for _ in range(subject.runs)]
            rate, slow = (statistics.median(values) for values in zip(*drags))
            yield {
                "measured": f"map dragged, enlarged {zoom} times",
                "frames a second": rate,
                "ms, 95 % within": slow,
            }
        yield from slow_visits(browser, base, subject)


def slow_visits(browser: Any, base: str, subject: Subject) -> Iterator[Row]:
    """A row for each view that an address may lead to."""
    songs = subject.ids(12, seed=2)
    views = {
        "the opening": "",
        "a song": f"#song={songs[0]}",
        "a shared song": f"s/song/{songs[0]}",
        "a list": f"#view=playlist&list={','.join(songs)}",
        "a shared list": f"s/list/{','.join(songs)}",
        "the map": "#view=map",
    }
    rounds = [{name: visited_slowly(browser, f"{base}/{views[name]}") for name in views} for _ in range(subject.runs)]
    for name in views:
        drawn, moved, size = (statistics.median(values) for values in zip(*(one[name] for one in rounds)))
        yield {"measured": f"{name} on a slow phone", "ms": drawn, "layout shift": moved, "KB": size}


def visited_slowly(browser: Any, address: str) -> tuple[float, float, float]:
    """The largest contentful paint in milliseconds, the layout shift, and KB, of a first visit with a slow phone."""
    context = browser.new_context(**PHONE)
    page, sizes = context.new_page(), []
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    session.send("Network.emulateNetworkConditions", SLOW)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.add_init_script(VITALS)
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)
    vitals = page.evaluate("vitals")
    context.close()
    return vitals["drawn"], vitals["moved"], sum(sizes) / 1000
