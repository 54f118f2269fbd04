"""A stand-in for AWS Lambda: the Runtime API that a runtime client polls, and the events it hands out.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import queue
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PREFIX = "/2018-06-01/runtime"
ANSWER_TIMEOUT = 60  # seconds for an answer
FUNCTION = {
    "AWS_LAMBDA_FUNCTION_NAME": "segue",
    "AWS_LAMBDA_FUNCTION_VERSION": "1",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/segue",
    "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
    "AWS_REGION": "eu-west-1",
}


class FunctionError(Exception):
    """The function failed, or failed to start; the message is what it reported."""


class RuntimeAPI:
    """Hands out events and waits for their answers; ``with RuntimeAPI() as runtime``.

    environ : what a runtime client's environment must hold
    """

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.runtime = self
        host, port = self._server.server_address[:2]
        self.environ = FUNCTION | {"AWS_LAMBDA_RUNTIME_API": f"{host!s}:{port}"}

    def __enter__(self) -> "RuntimeAPI":
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """The function's answer to an event."""
        self.events.put(event)
        try:
            kind, answer = self.answers.get(timeout=ANSWER_TIMEOUT)
        except queue.Empty:
            raise FunctionError(f"no answer within {ANSWER_TIMEOUT} s") from None
        if kind != "response":
            raise FunctionError(json.dumps(answer))
        return answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client's last poll stays unanswered
    runtime: RuntimeAPI

    def handle_error(self, *_: object) -> None:
        """Ignore a client that was stopped while it polled."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one write: apart, every call would wait 40 ms for an acknowledgement
    server: _Server

    def do_GET(self) -> None:
        if self.path != f"{PREFIX}/invocation/next":
            self._answer(404, {"errorMessage": f"no such path: {self.path}"})
            return
        event = self.server.runtime.events.get()
        self._answer(200, event, {
            "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "Lambda-Runtime-Deadline-Ms": "4102444800000",
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:segue",
        })  # fmt: skip

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "null")
        self.server.runtime.answers.put((self.path.rpartition("/")[2], content))
        self._answer(202, {"status": "OK"})

    def _answer(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        described = {"Content-Type": "application/json", "Content-Length": str(len(content))}  # without: SIGSEGV
        for name, value in {**described, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def function_url_event(method: str, path: str, query: str = "", body: str | None = None) -> dict[str, Any]:
    """The event that a function URL makes of a request.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
    """
    return {
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query, "cookies": [],
        "headers": {"content-type": "application/json", "host": "example.lambda-url.on.aws"},
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9"}
        },
        "body": body, "isBase64Encoded": False,
    }  # fmt: skip
