"""A player that asks by the OpenSubsonic API, and what all of its answers have."""

from segue import VERSION

HEAD = {"version": "1.16.1", "type": "segue", "serverVersion": VERSION, "openSubsonic": True}


def asked(client, method, **given):
    """What an answer that went well has beside what all have."""
    answer = client.get(f"/rest/{method}", query_string={"f": "json", **given})
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    body = answer.json["subsonic-response"]
    assert {name: body.pop(name) for name in ("status", *HEAD)} == {"status": "ok", **HEAD}
    return body


def failed(client, method, status=200, **given):
    """The code and the message of an answer that failed, which has nothing else to it."""
    answer = client.get(f"/rest/{method}", query_string={"f": "json", **given})
    assert (answer.status_code, answer.mimetype) == (status, "application/json")
    error = answer.json["subsonic-response"]["error"]
    assert answer.json == {"subsonic-response": {"status": "failed", **HEAD, "error": error}}
    return error["code"], error["message"]
