"""Servers for the tests: a fake of what Google's storage speaks, and a proxy that makes any store misbehave."""

import hashlib
import http.client
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

WHEN = "Wed, 21 Oct 2015 07:28:00 GMT"


class Handler(BaseHTTPRequestHandler):
    """Reads a request whole and sends an answer whole."""

    protocol_version = "HTTP/1.1"

    def handle_any(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.answer()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815 # the names are the base class's

    def send(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    """A server on a free port until the end of a ``with``."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler):
        super().__init__(("127.0.0.1", 0), handler)
        self.base = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def handle_error(self, *_):
        """A caller that hangs up, as one that is killed does, is no error of ours."""


class FakeGoogleStorage(Server):
    """A fake of the few endpoints of Google Cloud Storage's XML API that Segue uses, written for these tests.

    Objects are read (whole, a range, if they changed), written (always, if new, if still of a generation), listed and
    deleted; there are no buckets to make, no pages of listings and no permissions.
    """

    def __init__(self):
        super().__init__(FakeGoogleHandler)
        self.objects, self.turn = {}, threading.Lock()


class FakeGoogleHandler(Handler):
    def answer(self):
        address = urllib.parse.urlsplit(self.path)
        with self.server.turn:
            if "list-type" in address.query:
                return self.list(
                    urllib.parse.unquote(address.path).strip("/"), dict(urllib.parse.parse_qsl(address.query))
                )
            return getattr(self, self.command.lower())(urllib.parse.unquote(address.path))

    def facts(self, content, generation):
        tag = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
        return {"ETag": tag, "x-goog-generation": str(generation), "Last-Modified": WHEN}

    def get(self, name):
        if name not in self.server.objects:
            return self.send(404)
        content, generation = self.server.objects[name]
        facts = self.facts(content, generation)
        if self.headers.get("If-None-Match") == facts["ETag"]:
            return self.send(304, headers=facts)
        if "Range" not in self.headers:
            return self.send(200, content, facts)
        first, last = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
        if first >= len(content):
            return self.send(416)
        piece = content[first : last + 1]
        return self.send(
            206, piece, {**facts, "Content-Range": f"bytes {first}-{first + len(piece) - 1}/{len(content)}"}
        )

    def put(self, name):
        _, generation = self.server.objects.get(name, (b"", 0))
        if self.headers.get("x-goog-if-generation-match", str(generation)) != str(generation):
            return self.send(412)
        self.server.objects[name] = (self.body, time.monotonic_ns())
        return self.send(200, headers=self.facts(*self.server.objects[name]))

    def delete(self, name):
        return self.send(204 if self.server.objects.pop(name, None) else 404)

    def list(self, bucket, query):
        prefix = f"/{bucket}/"
        found = "".join(
            f"<Contents><Key>{escape(name.removeprefix(prefix))}</Key><LastModified>2015-10-21T07:28:00.000Z"
            f"</LastModified><Size>{len(content)}</Size><ETag>&quot;tag&quot;</ETag></Contents>"
            for name, (content, _) in sorted(self.server.objects.items())
            if name.startswith(prefix + query.get("prefix", ""))
        )
        self.send(200, f"<ListBucketResult>{found}</ListBucketResult>".encode())


class Proxy(Server):
    """Stands before a store and hands everything on, unless ``fault`` says otherwise.

    fault : a status that it answers, seconds that it takes, ``garbage`` that it sends, ``down`` for no answer at all,
        or a function of the request's name that gives one of these, or the body to answer with
    """

    def __init__(self, base):
        super().__init__(ProxyHandler)
        self.upstream, self.fault, self.asked = base.removeprefix("http://"), None, []


class ProxyHandler(Handler):
    def answer(self):
        self.server.asked.append(urllib.parse.unquote(self.path))
        fault = (
            self.server.fault(urllib.parse.unquote(self.path)) if callable(self.server.fault) else self.server.fault
        )
        if isinstance(fault, int):
            return self.send(fault, b"<Error><Code>Made up</Code></Error>")
        if isinstance(fault, bytes):
            return self.send(200, fault, {"ETag": '"made-up"', "Last-Modified": WHEN})
        if fault == "down":
            self.close_connection = True
            return None
        if fault == "garbage":
            self.close_connection = True
            return self.wfile.write(b"\x00\xff neither this nor that\r\n\r\n")
        if isinstance(fault, float):
            time.sleep(fault)
        return self.hand_on()

    def hand_on(self):
        upstream = http.client.HTTPConnection(self.server.upstream)
        upstream.request(self.command, self.path, self.body, dict(self.headers))
        answer = upstream.getresponse()
        body = answer.read()
        skipped = ("content-length", "transfer-encoding", "connection", "date", "server")
        self.send(answer.status, body, {name: v for name, v in answer.getheaders() if name.lower() not in skipped})
        upstream.close()
