"""The catalogue behind the client suites: three providers, three models."""

import json

# slug: name, wire format, whether it keeps prompts
PROVIDERS = {
    "alder": ("Alder", "openai-compatible", False),
    "birch": ("Birch", "openai-compatible", True),
    "cedar": ("Cedar", "anthropic", False),
}

# model: the providers that serve it, with prices per token
MODELS = {
    "acme/oak": {
        "alder": ("0.0000001235", "0.0000005"),
        "birch": ("0.000000215", "0.0000007005"),
        "cedar": ("0.000003", "0.000015"),
    },
    "acme/kept": {"birch": ("0.000001", "0.000002")},
    "anthropic/claude-cedar": {"cedar": ("0.000003", "0.000015")},
}

PARAMETERS = [
    "max_tokens", "temperature", "top_p", "stop", "seed", "tools", "tool_choice",
    "parallel_tool_calls", "response_format", "structured_outputs", "reasoning",
    "include_reasoning", "reasoning_effort",
]


def provider(simulator, slug):
    name, family, keeps = PROVIDERS[slug]
    return {
        "slug": slug,
        "name": name,
        "api_family": family,
        "base_url": f"{simulator}/p/{slug}/v1",
        "headquarters": "US",
        "datacenters": ["US"],
        "data_policy": {
            "trains_on_data": False,
            "retains_prompts": keeps,
            "retention_days": 30 if keeps else 0,
        },
    }


def model(model_id):
    author, slug = model_id.split("/")
    return {
        "id": model_id,
        "canonical_slug": f"{model_id}-20260901",
        "name": f"Test: {slug}",
        "author": author,
        "created": 1788220800,
        "description": "A model for tests.",
        "context_length": 32768,
        "max_completion_tokens": 4096,
        "architecture": {
            "modality": "text+image->text",
            "input_modalities": ["text", "image"],
            "output_modalities": ["text"],
            "tokenizer": "Other",
        },
        "type": "chat",
        "supported_parameters": PARAMETERS,
        "reasoning": {"supported": True, "mandatory": False},
        "variant": "standard",
    }


def endpoint(model_id, slug, prices):
    prompt, completion = prices
    return {
        "id": f"{model_id}|{slug}",
        "model_id": model_id,
        "provider": slug,
        "provider_model_id": f"{slug}-{model_id.split('/')[1]}",
        "tag": slug,
        "variant": "standard",
        "service_tier": "default",
        "quantization": "unknown",
        "context_length": 32768,
        "max_completion_tokens": 4096,
        "pricing": {"prompt": prompt, "completion": completion},
        "supported_parameters": PARAMETERS,
        "supports_implicit_caching": False,
    }


def write_catalog(folder, simulator):
    """Writes the four files; `simulator` is the address of the simulated providers."""
    folder.mkdir()
    files = {
        "providers": [provider(simulator, slug) for slug in PROVIDERS],
        "models": [model(model_id) for model_id in MODELS],
        "endpoints": [
            endpoint(model_id, slug, prices)
            for model_id, served_by in MODELS.items()
            for slug, prices in served_by.items()
        ],
        "aliases": [],
    }
    for name, rows in files.items():
        content = {"generated": "2026-11-22", "count": len(rows), name: rows}
        (folder / f"{name}.json").write_text(json.dumps(content))
