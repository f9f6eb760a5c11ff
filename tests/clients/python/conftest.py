"""What both Python suites ask for."""

import os

URL = os.environ["SWITCHYARD_URL"]
KEY = os.environ["SWITCHYARD_KEY"]
MANAGEMENT_KEY = os.environ["SWITCHYARD_MANAGEMENT_KEY"]
POOR_KEY = os.environ["SWITCHYARD_POOR_KEY"]

OAK = "acme/oak"
KEPT = "acme/kept"
CLAUDE = "anthropic/claude-cedar"

# Who serves: OpenAI's dialect behind, and Anthropic's.
SERVED_BY = [("alder", OAK), ("cedar", OAK), ("cedar", CLAUDE)]

QUESTION = [{"role": "user", "content": "How tall do oaks grow?"}]

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}

TREE = {
    "name": "tree",
    "strict": True,
    "schema": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "height_metres": {"type": "number"}},
        "required": ["name", "height_metres"],
        "additionalProperties": False,
    },
}


def only(provider):
    """Provider preferences that leave one provider."""
    return {"order": [provider], "allow_fallbacks": False}


def told(directive):
    """A question that makes the simulated provider behave in some way."""
    return [{"role": "user", "content": f"How tall do oaks grow? [[sim: {directive}]]"}]


def pictured():
    """A question with an image."""
    return [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": PIXEL}},
            ],
        }
    ]
