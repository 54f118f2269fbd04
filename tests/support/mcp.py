"""Messages of the Model Context Protocol, for its tests, and what is read in their answers."""

MESSAGE = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
CALL = {"name": "recommend", "arguments": {"song": "Slow Rain", "limit": 2}}


def posted(client, method, params=None, identity=1, **headers):
    message = {"jsonrpc": "2.0", "id": identity, "method": method} | ({} if params is None else {"params": params})
    return client.post("/mcp", json=message, headers=headers)


def result(answer, identity=1):
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    body = answer.json
    assert {**body, "result": None} == {"jsonrpc": "2.0", "id": identity, "result": None}
    return body["result"]


def refused(answer, status, identity=1):
    """The code and the message of an error, which has nothing else to it but maybe data."""
    assert (answer.status_code, answer.mimetype) == (status, "application/json")
    error = answer.json["error"]
    assert answer.json == {"jsonrpc": "2.0", "id": identity, "error": error}
    return error["code"], error["message"]
