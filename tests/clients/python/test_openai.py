"""OpenAI's own client."""

import json

import openai
import pytest
from conftest import (
    CLAUDE, KEPT, KEY, OAK, POOR_KEY, QUESTION, SERVED_BY, TREE, URL, WEATHER, only, pictured, told,
)
from pydantic import BaseModel


def client(key=KEY):
    return openai.OpenAI(
        api_key=key, base_url=URL, max_retries=0, _strict_response_validation=True
    )


def ask(provider, model, messages=QUESTION, key=KEY, **options):
    body = {"provider": only(provider), **options.pop("extra", {})}
    return client(key).chat.completions.create(
        model=model, messages=messages, extra_body=body, **options
    )


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_completion(provider, model):
    completion = ask(provider, model, max_tokens=200)
    [choice] = completion.choices
    assert choice.message.role == "assistant"
    assert choice.message.content.startswith("Hello!")
    assert choice.finish_reason == "stop"
    assert completion.model == model
    assert completion.id.startswith("gen-")
    assert completion._request_id == completion.id
    usage = completion.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0
    assert usage.prompt_tokens_details.cached_tokens == 0
    assert usage.model_extra["cost"] > 0


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_stream(provider, model):
    chunks = list(ask(provider, model, stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text.startswith("Hello!") and text.endswith(".")
    reasons = [chunk.choices[0].finish_reason for chunk in chunks]
    assert [reason for reason in reasons if reason] == ["stop"]
    usages = [chunk.usage for chunk in chunks if chunk.usage]
    assert len(usages) == 1 and usages[0].completion_tokens > 0
    assert {chunk.id for chunk in chunks} == {chunks[0].id}


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_stream_helper_gathers_the_same(provider, model):
    """The helper throws on streams that are not quite right."""
    body = {"provider": only(provider)}
    stream = client().chat.completions.stream(model=model, messages=QUESTION, extra_body=body)
    with stream as events:
        kinds = {event.type for event in events}
        completion = events.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert completion.choices[0].message.content.startswith("Hello!")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_tool_round_trip(provider, model, stream):
    options = {"tools": [WEATHER], "tool_choice": "required"}
    if stream:
        chat = client().chat.completions
        body = {"provider": only(provider)}
        with chat.stream(model=model, messages=QUESTION, extra_body=body, **options) as events:
            for _ in events:
                pass
            choice = events.get_final_completion().choices[0]
    else:
        choice = ask(provider, model, **options).choices[0]
    assert choice.finish_reason == "tool_calls"
    [call] = choice.message.tool_calls
    assert call.type == "function" and call.function.name == "get_weather"
    assert isinstance(json.loads(call.function.arguments)["city"], str)

    messages = [
        *QUESTION,
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.function.name, "arguments": call.function.arguments},
                }
            ],
        },
        {"role": "tool", "tool_call_id": call.id, "content": "17 degrees"},
    ]
    answer = ask(provider, model, messages, tools=[WEATHER]).choices[0]
    assert "17 degrees" in answer.message.content
    assert answer.finish_reason == "stop"


class Tree(BaseModel):
    name: str
    height_metres: float


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_structured_output(provider, model):
    response_format = {"type": "json_schema", "json_schema": TREE}
    answer = ask(provider, model, response_format=response_format).choices[0].message
    assert set(json.loads(answer.content)) == {"name", "height_metres"}

    parsed = client().chat.completions.parse(
        model=model,
        messages=QUESTION,
        response_format=Tree,
        extra_body={"provider": only(provider)},
    )
    assert isinstance(parsed.choices[0].message.parsed, Tree)


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_image(provider, model):
    answer = ask(provider, model, pictured()).choices[0].message
    assert "One image came along" in answer.content


def test_models_list():
    ids = [model.id for model in client().models.list()]
    assert {OAK, KEPT, CLAUDE} <= set(ids)


def error_of(kind, *arguments, **options):
    """The same error, asked for in one piece and as a stream."""
    for stream in [False, True]:
        with pytest.raises(kind) as raised:
            ask(*arguments, stream=stream, **options)
    error = raised.value
    assert error.body["code"] == error.status_code
    assert error.body["message"]
    return error


def test_400():
    assert error_of(openai.BadRequestError, "alder", "acme/elm").status_code == 400
    wrong = {"temperature": 9}
    assert error_of(openai.BadRequestError, "alder", OAK, extra=wrong).status_code == 400


def test_401():
    error = error_of(openai.AuthenticationError, "alder", OAK, key="sk-sy-v1-nobody")
    assert error.status_code == 401


def test_402():
    error = error_of(openai.APIStatusError, "alder", OAK, key=POOR_KEY)
    assert error.status_code == 402


def test_404_no_endpoint():
    private = {"provider": {"zdr": True}}
    error = error_of(openai.NotFoundError, "birch", KEPT, extra=private)
    assert error.body["availability"]["code"] == "privacy_restricted"


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_429(provider, model):
    messages = told("status=429 retry_after=3")
    error = error_of(openai.RateLimitError, provider, model, messages)
    assert error.response.headers["retry-after"] == "3"


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_502(provider, model):
    error = error_of(openai.InternalServerError, provider, model, told("status=500"))
    assert error.status_code == 502


@pytest.mark.parametrize("provider, model", SERVED_BY)
def test_error_inside_a_stream(provider, model):
    with pytest.raises(openai.APIError) as raised:
        for _ in ask(provider, model, told("cut=8 tokens=40"), stream=True):
            pass
    assert raised.value.body["code"] == 502
