"""Plain curl, as the documentation shows it."""

import json
import subprocess

from conftest import MANAGEMENT_KEY, URL


def curl(method, path, body=None):
    """The status and the JSON of an answer."""
    command = ["curl", "--silent", "--show-error", "--request", method, f"{URL}{path}"]
    command += ["--header", f"Authorization: Bearer {MANAGEMENT_KEY}", "--write-out", "\n%{http_code}"]
    if body is not None:
        command += ["--header", "Content-Type: application/json", "--data", json.dumps(body)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer, status = done.stdout.rsplit("\n", 1)
    return int(status), json.loads(answer)


def test_workspaces_and_byok():
    status, made = curl("POST", "/workspaces", {"name": "Team", "slug": "curl-team"})
    assert status == 201
    workspace = made["data"]["id"]
    secrets = ["sk-curl-1234567890", "sk-curl-0987654321"]
    ids = []
    for secret in secrets:
        draft = {"provider": "alder", "key": secret, "workspace_id": workspace}
        status, stored = curl("POST", "/byok", draft)
        assert status == 201 and stored["data"]["state"] == "unchecked"
        ids.append(stored["data"]["id"])
    order = {"provider": "alder", "ids": ids[::-1]}
    status, ordered = curl("PUT", "/byok/order", order)
    assert status == 200 and [row["id"] for row in ordered["data"]] == ids[::-1]
    status, changed = curl("PATCH", f"/byok/{ids[0]}", {"disabled": True, "name": "Spare"})
    assert status == 200 and changed["data"]["disabled"] is True
    status, listed = curl("GET", f"/byok?workspace_id={workspace}&limit=1")
    assert status == 200 and listed["total_count"] == 2
    status, refused = curl("PATCH", f"/byok/{ids[0]}", {"dissabled": True})
    assert status == 400 and refused["error"]["code"] == 400
    status, deleted = curl("DELETE", "/workspaces/curl-team")
    assert status == 200 and deleted == {"deleted": True}
    assert curl("GET", f"/byok/{ids[0]}")[0] == 404
