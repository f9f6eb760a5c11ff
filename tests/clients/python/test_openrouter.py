"""OpenRouter's client, whose types are the strictest."""

import json

import openrouter
import pytest
from conftest import (
    CLAUDE, KEPT, KEY, MANAGEMENT_KEY, OAK, POOR_KEY, QUESTION, SERVED_BY, TREE, URL, WEATHER,
    only, pictured, told,
)
from openrouter import OpenRouter, errors
from openrouter.utils import BackoffStrategy, RetryConfig

# It repeats every 5xx for up to an hour otherwise.
NO_RETRIES = RetryConfig("none", BackoffStrategy(1, 1, 1.0, 1), False)


def client(key=KEY):
    return OpenRouter(api_key=key, server_url=URL, retry_config=NO_RETRIES)


def ask(provider, model, messages=QUESTION, key=KEY, **options):
    preferences = options.pop("preferences", only(provider))
    return client(key).chat.send(model=model, messages=messages, provider=preferences, **options)


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_completion(provider, model):
    result = ask(provider, model)
    [choice] = result.choices
    assert choice.message.role == "assistant"
    assert choice.message.content.startswith("Hello!")
    assert choice.finish_reason == "stop"
    assert result.model == model
    assert result.id.startswith("gen-")
    assert result.usage.cost > 0
    assert result.usage.total_tokens == result.usage.prompt_tokens + result.usage.completion_tokens


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_stream(provider, model):
    with ask(provider, model, stream=True) as events:
        chunks = list(events)
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text.startswith("Hello!") and text.endswith(".")
    reasons = [choice.finish_reason for chunk in chunks for choice in chunk.choices]
    assert [reason for reason in reasons if reason] == ["stop"]
    [usage] = [chunk.usage for chunk in chunks if chunk.usage]
    assert usage.completion_tokens > 0 and usage.cost > 0


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_tool_round_trip(provider, model):
    choice = ask(provider, model, tools=[WEATHER], tool_choice="required").choices[0]
    assert choice.finish_reason == "tool_calls"
    [call] = choice.message.tool_calls
    assert call.function.name == "get_weather"
    assert isinstance(json.loads(call.function.arguments)["city"], str)

    # The message goes back as it came, through the client's own types.
    result = {"role": "tool", "tool_call_id": call.id, "content": "17 degrees"}
    answer = ask(provider, model, [*QUESTION, choice.message, result], tools=[WEATHER])
    assert "17 degrees" in answer.choices[0].message.content


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_tool_call_in_a_stream(provider, model):
    with ask(provider, model, tools=[WEATHER], tool_choice="required", stream=True) as events:
        deltas = [
            call
            for chunk in events
            for choice in chunk.choices
            for call in choice.delta.tool_calls or []
        ]
    assert deltas[0].id and deltas[0].function.name == "get_weather"
    arguments = "".join(call.function.arguments or "" for call in deltas if call.function)
    assert isinstance(json.loads(arguments)["city"], str)


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_structured_output(provider, model):
    response_format = {"type": "json_schema", "json_schema": TREE}
    answer = ask(provider, model, response_format=response_format).choices[0].message
    assert set(json.loads(answer.content)) == {"name", "height_metres"}


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_image(provider, model):
    answer = ask(provider, model, pictured()).choices[0].message
    assert "One image came along" in answer.content


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_reasoning_comes_and_goes_back(provider, model):
    options = {"reasoning": {"effort": "low"}, "max_tokens": 4000}
    message = ask(provider, model, **options).choices[0].message
    assert message.reasoning
    follow_up = {"role": "user", "content": "And in Poland?"}
    answer = ask(provider, model, [*QUESTION, message, follow_up], **options)
    assert answer.choices[0].message.content


def test_models():
    with client() as api:
        listed = api.models.list().result
        assert {OAK, KEPT, CLAUDE} <= {model.id for model in listed.data}
        assert api.models.count().data.count == len(listed.data)
        assert api.models.get(author="acme", slug="oak").data.id == OAK
        endpoints = api.endpoints.list(author="acme", slug="oak").data.endpoints
        assert {endpoint.tag for endpoint in endpoints} == {"alder", "birch", "cedar"}
        private = api.endpoints.list_zdr_endpoints().data
        assert {endpoint.provider_name for endpoint in private} == {"Alder", "Cedar"}
        assert len(api.providers.list().data) == 3


def test_key():
    key = client().api_keys.get_current_key_metadata().data
    assert key.limit == 5
    assert 0 <= key.limit_remaining <= 5
    assert key.is_management_key is False
    manager = client(MANAGEMENT_KEY).api_keys.get_current_key_metadata().data
    assert manager.is_management_key is True and manager.limit is None


def test_credits():
    before = client(MANAGEMENT_KEY).credits.get_credits().data
    assert before.total_credits == 10
    cost = ask("alder", OAK).usage.cost
    after = client(MANAGEMENT_KEY).credits.get_credits().data
    assert after.total_usage - before.total_usage == pytest.approx(cost, abs=1e-9)
    with pytest.raises(errors.ForbiddenResponseError):
        client().credits.get_credits()


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_generation(provider, model):
    with ask(provider, model, stream=True) as events:
        chunks = list(events)
    record = client().generations.get_generation(id=chunks[0].id).data
    assert record.id == chunks[0].id
    assert record.model == model
    assert record.total_cost == pytest.approx(chunks[-1].usage.cost, abs=1e-12)
    assert record.streamed is True and record.cancelled is False
    with pytest.raises(errors.NotFoundResponseError):
        client().generations.get_generation(id="gen-1764000000-AAAAAAAAAAAAAAAAAAAA")


def error_of(kind, *arguments, **options):
    """The same typed error, asked for in one piece and as a stream."""
    for stream in [False, True]:
        with pytest.raises(kind) as raised:
            ask(*arguments, stream=stream, **options)
        assert raised.value.data.error.code == raised.value.status_code
        assert raised.value.data.error.message
    return raised.value


def test_400():
    error_of(errors.BadRequestResponseError, "alder", "acme/elm")
    error_of(errors.BadRequestResponseError, "alder", OAK, temperature=9)


def test_401():
    error_of(errors.UnauthorizedResponseError, "alder", OAK, key="sk-sy-v1-nobody")


def test_402():
    error_of(errors.PaymentRequiredResponseError, "alder", OAK, key=POOR_KEY)


def test_403():
    error_of(errors.ForbiddenResponseError, "alder", OAK, key=MANAGEMENT_KEY)


def test_404_no_endpoint():
    error_of(errors.NotFoundResponseError, "birch", KEPT, preferences={"zdr": True})


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_429(provider, model):
    messages = told("status=429 retry_after=3")
    error = error_of(errors.TooManyRequestsResponseError, provider, model, messages)
    assert error.headers["retry-after"] == "3"


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_502(provider, model):
    error_of(errors.BadGatewayResponseError, provider, model, told("status=500"))


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_error_inside_a_stream(provider, model):
    with ask(provider, model, told("cut=8 tokens=40"), stream=True) as events:
        chunks = list(events)
    assert chunks[-1].error.code == 502
    assert chunks[-1].choices[0].finish_reason == "error"


def test_router_metadata_on_request():
    result = ask("alder", OAK, x_open_router_metadata="enabled")
    metadata = result.openrouter_metadata
    assert metadata.requested == OAK
    assert [one.provider for one in metadata.endpoints.available if one.selected] == ["Alder"]
    assert ask("alder", OAK).openrouter_metadata is None


def test_the_version_under_test():
    assert openrouter.__version__ == "1.3.84"
