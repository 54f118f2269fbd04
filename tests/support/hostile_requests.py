"""Hostile requests, and what they do to a server: ``python -m tests.support.hostile_requests ARTIFACTS``.

They go to a real functions framework over sockets; good requests go beside them, one after the other, and are timed.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from infra.harness import free_port, wait_for

MAIN = Path(__file__).resolve().parents[2] / "functions" / "main.py"
WARM = 10_000  # hostile requests before memory is looked at: until then a process grows to its size
PATIENCE = 20  # seconds for an answer
FIELDS = ("song", "song_id", "seeds", "limit", "filters", "targets", "max_per_artist", "diversity", "draw", "explain")
PATHS = (
    "/recommend",
    "/search",
    "/songs/x",
    "/clusters/0",
    "/readyz",
    "/",
    "/v1/recommendations",
    "/v1/search",
    "/rest/search3",
    "/rest/getSimilarSongs",
)
VALUES = (
    None, True, -1, 0, 1e308, 10**400, "", "x" * 3000, "\x00", "\ud800", "\u202e", [], [[]], {}, {"id": {}},
    "../" * 40,
)  # fmt: skip
TEXTS = [  # for parameters
    "", " ", ",", ",,,", "0", "-1", "-0", "1e309", "1e-400", "nan", "inf", "-inf", "0x10", "1_0", "١٢", "½",
    "9" * 400, "null", "true", "[]", "{}", "%00", "\x00", "%ff", "ß", "İ", "a" * 3000, "../../etc/passwd", "*", "?",
    "' OR 1=1 --", '"', '""', "<script>", "${7*7}", "artist:", 'track:"', "year:0000-9999", "year:1-", "genre:\x00",
    "spotify:track:x", "Z" * 22, "0" * 22, "z" * 21 + "é", "\n", "\u202e", "🎵", "(feat. )", "[]()", "-", " - ",
]  # fmt: skip
METHODS = ["GET"] * 60 + ["HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH"]  # as often as these
WALKS = ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/songs/..%2f..%2fetc%2fpasswd", "//etc/passwd",
         "/songs/%00", "/songs/%ff%fe", "/docs/../main.py", "/static/../../main.py", "/\\..\\main.py")  # fmt: skip


def request(dice: random.Random) -> bytes:
    """One hostile request, as it goes over the wire."""
    return dice.choice(KINDS)(dice)


def wrong_types(dice: random.Random) -> bytes:
    body = {dice.choice(FIELDS): dice.choice(VALUES) for _ in range(dice.randrange(1, 5))}
    if dice.random() < 0.3:
        body["seeds"] = [dice.choice(VALUES) for _ in range(dice.choice((1, 3, 101)))]
    return post(json.dumps(body).encode())


def deep(dice: random.Random) -> bytes:
    depth = dice.choice((50, 1000, 60_000))
    return post(dice.choice((b"[" * depth, b'{"seeds":' * (depth // 9), b'{"a":[' * (depth // 6) + b"1")))


def huge(dice: random.Random) -> bytes:
    return post(b'{"song":"' + b"a" * dice.choice((200_000, 262_145, 600_000)) + b'"}')


def malformed(dice: random.Random) -> bytes:
    whole = json.dumps({"song": "Slow Rain", "filters": {"tempo": [0, 1]}}).encode()
    place = dice.randrange(len(whole))
    return post(whole[:place] + dice.randbytes(dice.randrange(4)) + whole[place + dice.randrange(3) :])


def walk(dice: random.Random) -> bytes:
    return line(dice.choice(("GET", "POST", "HEAD")), dice.choice(WALKS))


def control(dice: random.Random) -> bytes:
    text = "".join(f"%{byte:02x}" for byte in dice.randbytes(dice.randrange(1, 60)))
    return line("GET", f"{dice.choice(PATHS)}?{dice.choice(('q', 'song', text))}={text}")


def injection(dice: random.Random) -> bytes:
    value = dice.choice(("%0d%0aSet-Cookie:%20a=b", "%0d%0a%0d%0a<script>", "a%00b", "${jndi:x}", "%s%s%n"))
    extra = dice.choice(("X-Forwarded-Proto: javascript", "Origin: https://evil.example", "X-Amzn-Trace-Id: \x7f{}",
                         "Authorization: Bearer " + "x" * 4000, "If-None-Match: " + '"a",' * 900))  # fmt: skip
    return line(dice.choice(("GET", "OPTIONS", "HEAD")), f"{dice.choice(PATHS)}?q={value}&limit={value}", extra)


def odd_method(dice: random.Random) -> bytes:
    return line(dice.choice(("PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "A" * 15)), dice.choice(PATHS))


def no_http(dice: random.Random) -> bytes:
    return dice.choice((
        b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nHost\r\n\r\n", dice.randbytes(80) + b"\r\n\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nA: " + b"b" * 9000 + b"\r\n\r\n",
        b"POST /recommend HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ))  # fmt: skip


def broken_off(dice: random.Random) -> bytes:
    return post(b'{"song":', length=dice.choice((9, 5000, 10**7)))


KINDS = (wrong_types, wrong_types, wrong_types, deep, huge, malformed, malformed, walk, control, control, injection,
         odd_method, no_http, broken_off)  # fmt: skip


def post(body: bytes, length: int | None = None) -> bytes:
    head = f"Content-Type: application/json\r\nContent-Length: {len(body) if length is None else length}"
    return line("POST", "/recommend", head) + body


def line(method: str, target: str, extra: str = "") -> bytes:
    head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + (f"{extra}\r\n" if extra else "")
    return head.encode() + b"\r\n"


def send(port: int, wire: bytes, *, hang_up: bool = True) -> int:
    """The status of the answer, 0 where a connection is closed without one.

    hang_up : say that nothing more will be sent, as if the caller were gone
    """
    with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
        with contextlib.suppress(ConnectionError):  # an answer may come before the whole request is read
            client.sendall(wire)
            if hang_up:
                client.shutdown(socket.SHUT_WR)
        first = client.recv(64)
        while client.recv(65536):
            pass
        return int(first[9:12]) if first.startswith(b"HTTP/1.") else 0
    return 0


@dataclass(frozen=True)
class Outcome:
    """What an attack did.

    statuses : status -> answers
    growth : bytes by which the server's own memory grew after the first WARM requests
    calm, beside : 99th percentiles of good requests, seconds: before, and beside the hostile ones
    """

    statuses: Counter
    growth: int
    calm: float
    beside: float


def attack(artifacts: Path, count: int, seed: int, senders: int = 2) -> Outcome:
    """Send hostile requests to a server of artifacts, the same ones for the same seed."""
    with served(artifacts) as (process, port):
        good = good_request(port)
        calm = [timed(port, good) for _ in range(200)]
        statuses = send_many(port, WARM, senders, 1)
        before = own_memory(process.pid)
        with meanwhile(lambda: timed(port, good)) as beside, meanwhile(lambda: drip(port)):
            statuses += send_many(port, count - WARM, senders, seed)
        return Outcome(statuses, own_memory(process.pid) - before, high(calm), high(beside))


@contextlib.contextmanager
def meanwhile(act):
    """Do something again and again in another thread; gives what came of it."""
    done, found = threading.Event(), []

    def repeat():
        while not done.is_set():
            found.append(act())

    other = threading.Thread(target=repeat)
    other.start()
    try:
        yield found
    finally:
        done.set()
        other.join()


def drip(port: int) -> None:
    """A request that comes byte by byte, and never whole."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
        for byte in b"GET / HTTP/1.1\r\nHo":
            client.sendall(bytes([byte]))
            time.sleep(0.1)


def send_many(port: int, count: int, senders: int, seed: int) -> Counter:
    """Statuses of so many hostile requests, from a process of its own: good ones are timed in this one."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(send_at_once, port, count, senders, seed).result()


def send_at_once(port: int, count: int, senders: int, seed: int) -> Counter:
    with ThreadPoolExecutor(senders) as pool:
        seeds = range(seed * 1000, seed * 1000 + senders)
        return sum(pool.map(lambda one: send_some(port, count // senders, one), seeds), Counter())


def send_some(port: int, count: int, seed: int) -> Counter:
    dice = random.Random(seed)
    return Counter(send(port, request(dice)) for _ in range(count))


def good_request(port: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/clusters/0?limit=1") as answer:
        song = json.load(answer)["songs"][0]["id"]
    return line("GET", f"/recommend?song_id={song}")


def timed(port: int, wire: bytes) -> float:
    began = time.perf_counter()
    if send(port, wire, hang_up=False) != 200:
        raise AssertionError("a good request got no answer")
    return time.perf_counter() - began


def high(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


def own_memory(root: int) -> int:
    """Memory of its own of a process and its children, bytes.

    Not the pages of files: how much of those counts depends on what other processes map at the moment.
    """
    children = [int(child) for task in Path(f"/proc/{root}/task").iterdir()
                for child in (task / "children").read_text().split()]  # fmt: skip
    text = Path(f"/proc/{root}/smaps_rollup").read_text()
    own = next(int(entry.split()[1]) for entry in text.splitlines() if entry.startswith("Pss_Anon:"))
    return own * 1024 + sum(map(own_memory, children))


@contextlib.contextmanager
def served(artifacts: Path):
    port = free_port()
    command = [Path(sys.executable).with_name("functions-framework"), "--source", MAIN, "--target", "recommend",
               "--host", "127.0.0.1", "--port", str(port)]  # fmt: skip
    environ = os.environ | {"SEGUE_ARTIFACTS": str(artifacts), "SEGUE_PRELOAD": "1"}
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}", "/readyz")
        yield process, port
    finally:
        process.terminate()
        process.wait(20)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.support.hostile_requests", description=__doc__)
    parser.add_argument("artifacts", type=Path)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=2, help="of the requests (default: %(default)s)")
    parser.add_argument("--senders", type=int, default=2, help="that send (default: %(default)s)")
    options = parser.parse_args()
    found = attack(options.artifacts, options.count, options.seed, options.senders)
    print(f"answers: {dict(sorted(found.statuses.items()))}")
    print(f"memory: {found.growth / 1e6:+.1f} MB after the first {WARM}")
    print(f"good requests, p99: {found.calm * 1000:.1f} ms before, {found.beside * 1000:.1f} ms beside them,"
          f" {found.beside / found.calm:.2f} x")  # fmt: skip


if __name__ == "__main__":
    main()
