"""OpenRouter's client manages API keys; its types are the strictest."""

from datetime import datetime, timezone

import pytest
from conftest import KEY, MANAGEMENT_KEY, OAK, QUESTION, URL
from openrouter import OpenRouter, errors
from openrouter.utils import BackoffStrategy, RetryConfig

# It repeats every 5xx for up to an hour otherwise.
NO_RETRIES = RetryConfig("none", BackoffStrategy(1, 1, 1.0, 1), False)


def client(key=MANAGEMENT_KEY):
    return OpenRouter(api_key=key, server_url=URL, retry_config=NO_RETRIES)


def test_whole_life():
    keys = client().api_keys
    expires_at = datetime(2099, 1, 1, tzinfo=timezone.utc)
    made = keys.create(
        name="python",
        limit=3,
        limit_reset="daily",
        include_byok_in_limit=True,
        expires_at=expires_at,
        external={"user": "their-user"},
    )
    assert made.data.limit == made.data.limit_remaining == 3
    assert made.data.expires_at == expires_at
    assert made.data.external_user == "their-user"
    assert made.data.last_used_at is None
    client(made.key).chat.send(model=OAK, messages=QUESTION)
    found = keys.get(hash=made.data.hash).data
    assert 0 < found.usage == found.usage_daily
    assert found.limit_remaining == pytest.approx(3 - found.usage)

    changed = keys.update(hash=made.data.hash, name="renamed", limit=4, disabled=True).data
    assert (changed.name, changed.limit, changed.disabled) == ("renamed", 4, True)
    assert changed.limit_reset == "daily"
    with pytest.raises(errors.UnauthorizedResponseError):
        client(made.key).chat.send(model=OAK, messages=QUESTION)
    # It would move the key; where a key lives is settled when it is made.
    with pytest.raises(errors.BadRequestResponseError):
        keys.update(hash=made.data.hash, workspace_id=made.data.workspace_id)

    hashes = [one.hash for one in keys.list().data]
    assert made.data.hash not in hashes
    everything = keys.list(include_disabled=True, include_expired=True, offset=0).data
    assert everything[0].hash == made.data.hash
    assert keys.delete(hash=made.data.hash).DELETED is True
    with pytest.raises(errors.NotFoundResponseError):
        keys.get(hash=made.data.hash)


def test_current_key_tells_its_budget():
    data = client(KEY).api_keys.get_current_key_metadata().data
    [budget] = data.budgets
    assert budget == data.effective_budget
    assert (budget.scope, budget.limit_usd, budget.reset_interval) == ("key_limit", 5, "monthly")
    assert budget.remaining_usd == pytest.approx(5 - budget.spend_usd)
    assert budget.resets_at.day == 1 and budget.resets_at.tzinfo is not None
    manager = client().api_keys.get_current_key_metadata().data
    assert manager.budgets == [] and manager.effective_budget is None


def test_inference_keys_manage_nothing():
    with pytest.raises(errors.OpenRouterError) as refused:
        client(KEY).api_keys.list()
    assert refused.value.status_code == 403
    assert "Only management keys can perform this operation" in str(refused.value)
