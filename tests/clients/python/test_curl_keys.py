"""Plain curl manages API keys, as the documentation shows it."""

import json
import subprocess

from conftest import KEY, MANAGEMENT_KEY, URL


def curl(method, path, body=None, headers=(), key=MANAGEMENT_KEY):
    """The status and the JSON of an answer."""
    command = ["curl", "--silent", "--show-error", "--request", method, f"{URL}{path}"]
    command += ["--header", f"Authorization: Bearer {key}", "--write-out", "\n%{http_code}"]
    for header in headers:
        command += ["--header", header]
    if body is not None:
        command += ["--header", "Content-Type: application/json", "--data", json.dumps(body)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer, status = done.stdout.rsplit("\n", 1)
    return int(status), json.loads(answer)


def test_whole_life():
    named = ["Idempotency-Key: curl-1"]
    status, made = curl("POST", "/keys", {"name": "curl", "limit": 0.000000001}, named)
    assert status == 201 and made["data"]["limit"] == 1e-9
    assert curl("POST", "/keys", {"name": "curl", "limit": 0.000000001}, named) == (201, made)
    assert curl("POST", "/keys", {"name": "other"}, named)[0] == 409
    path = f"/keys/{made['data']['hash']}"
    assert curl("GET", "/key", key=made["key"])[0] == 200
    assert curl("PATCH", path, {"disabled": True})[1]["data"]["disabled"] is True
    assert curl("GET", "/key", key=made["key"])[0] == 401
    assert curl("DELETE", path) == (200, {"deleted": True})
    assert curl("DELETE", path)[0] == 404
    assert curl("GET", path, key=KEY)[0] == 403


def test_what_is_not_the_callers_is_refused_by_name():
    for field in ["usage", "is_management_key", "hash", "nmae"]:
        status, refused = curl("POST", "/keys", {"name": "x", field: 1})
        assert status == 400 and f"`{field}`" in refused["error"]["message"]
