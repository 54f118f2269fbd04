"""AWS Lambda's side of the function, stood in for by the Runtime API of ``infra/lambda_runtime.py``."""

import http.client
import json
import socket

import pytest

from infra.lambda_runtime import ANSWER_TIMEOUT, PREFIX, FunctionError, RuntimeAPI, function_url_event
from tests.benchmarks.cold import invoked
from tests.benchmarks.subject import HELLO, OURS, Subject


def call(runtime, method, path, body=None):
    connection = http.client.HTTPConnection(runtime.environ["AWS_LAMBDA_RUNTIME_API"], timeout=10)
    connection.request(method, path, None if body is None else json.dumps(body))
    answer = connection.getresponse()
    content = json.load(answer)
    connection.close()
    return answer, content


def test_events_are_handed_out_in_turn_and_answers_come_back():
    with RuntimeAPI() as runtime:
        runtime.events.put({"number": 1})
        answer, event = call(runtime, "GET", f"{PREFIX}/invocation/next")
        identity = answer.headers["Lambda-Runtime-Aws-Request-Id"]
        accepted, _ = call(runtime, "POST", f"{PREFIX}/invocation/{identity}/response", {"statusCode": 200})
        assert (answer.status, event, accepted.status) == (200, {"number": 1}, 202)
        assert runtime.answers.get(timeout=10) == ("response", {"statusCode": 200})


def test_what_the_function_reports_is_raised():
    with RuntimeAPI() as runtime:
        call(runtime, "POST", f"{PREFIX}/init/error", {"errorMessage": "no module 'nowhere'"})
        with pytest.raises(FunctionError, match="no module 'nowhere'"):
            runtime.invoke({})


def test_another_path_is_not_there():
    with RuntimeAPI() as runtime:
        answer, _ = call(runtime, "GET", "/2015-01-01/next")
        assert answer.status == 404


def test_headers_and_body_come_in_one_piece():
    """Apart, the body would wait 40 ms for an acknowledgement of the headers."""
    with RuntimeAPI() as runtime:
        runtime.events.put({"number": 1})
        host, _, port = runtime.environ["AWS_LAMBDA_RUNTIME_API"].partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as client:
            client.sendall(f"GET {PREFIX}/invocation/next HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert client.recv(65536).endswith(b'\r\n\r\n{"number": 1}')


@pytest.mark.parametrize(("folder", "module"), [(OURS, "main"), (HELLO, "aws")])
def test_the_runtime_client_calls_the_function(folder, module, world_artifacts):
    pytest.importorskip("awslambdaric", reason="needs tests/benchmarks/requirements.txt")
    event = function_url_event("POST", "/recommend", body=json.dumps({"song_id": "piano-1"}))
    with RuntimeAPI() as runtime, invoked(folder, module, Subject(world_artifacts).environ | runtime.environ):
        answers = [runtime.invoke(event) for _ in range(2)]
    assert [answer["statusCode"] for answer in answers] == [200, 200]


def test_a_handler_that_is_not_there_is_reported(tmp_path):
    pytest.importorskip("awslambdaric", reason="needs tests/benchmarks/requirements.txt")
    with RuntimeAPI() as runtime, invoked(tmp_path, "nowhere", Subject(tmp_path).environ | runtime.environ):
        kind, report = runtime.answers.get(timeout=ANSWER_TIMEOUT)
    assert (kind, report["errorMessage"]) == ("error", "Unable to import module 'nowhere': No module named 'nowhere'")
