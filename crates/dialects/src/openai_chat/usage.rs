//! Token counts: what hosts report, untangled into buckets that do not overlap.

use serde_json::value::RawValue;
use switchyard_domain::tokens::TokenUsage;

use super::wire_response::Count;
use crate::json::wire_object;

wire_object! {
    /// `usage` in all the spellings of the family.
    lenient struct WireUsage<'a> {
        "prompt_tokens" => prompt_tokens: Count,
        "completion_tokens" => completion_tokens: Count,
        "total_tokens" => total_tokens: Count,
        "prompt_tokens_details" => prompt_tokens_details: WirePromptDetails<'a>,
        "completion_tokens_details" => completion_tokens_details: WireCompletionDetails<'a>,
        "prompt_cache_hit_tokens" => prompt_cache_hit_tokens: Count,
        "cached_tokens" => cached_tokens: Count,
        "reasoning_tokens" => reasoning_tokens: Count,
    }
}

wire_object! {
    /// What the prompt's tokens were.
    lenient struct WirePromptDetails<'a> {
        "cached_tokens" => cached_tokens: Count,
        "cache_write_tokens" => cache_write_tokens: Count,
        "cache_creation_tokens" => cache_creation_tokens: Count,
        "audio_tokens" => audio_tokens: Count,
    }
}

wire_object! {
    /// What the answer's tokens were.
    lenient struct WireCompletionDetails<'a> {
        "reasoning_tokens" => reasoning_tokens: Count,
        "audio_tokens" => audio_tokens: Count,
        "image_tokens" => image_tokens: Count,
    }
}

wire_object! {
    /// `x_groq`, which may hold the usage instead.
    lenient struct WireGroq<'a> {
        "usage" => usage: &'a RawValue,
    }
}

/// Reads `usage`. `None` where it says nothing, which all zeros do too.
pub(super) fn read(usage: &RawValue) -> Option<TokenUsage> {
    let wire: WireUsage<'_> = serde_json::from_str(usage.get()).ok()?;
    let tokens = untangle(&wire);
    Some(tokens).filter(|tokens| *tokens != TokenUsage::default())
}

/// Reads the usage that one host puts beside its own fields.
pub(super) fn read_groq(x_groq: &RawValue) -> Option<TokenUsage> {
    let wire: WireGroq<'_> = serde_json::from_str(x_groq.get()).ok()?;
    read(wire.usage?)
}

fn untangle(wire: &WireUsage<'_>) -> TokenUsage {
    let prompt = count(wire.prompt_tokens);
    let completion = count(wire.completion_tokens);
    let input = wire.prompt_tokens_details.as_ref();
    let output = wire.completion_tokens_details.as_ref();
    let cached = first_stated([
        input.and_then(|input| input.cached_tokens),
        wire.prompt_cache_hit_tokens,
        wire.cached_tokens,
    ]);
    let written = input.map_or(0, |input| {
        first_stated([input.cache_write_tokens, input.cache_creation_tokens, None])
    });
    let audio_in = input.map_or(0, |input| count(input.audio_tokens));
    let reasoning = first_stated([
        output.and_then(|output| output.reasoning_tokens),
        wire.reasoning_tokens,
        None,
    ]);
    let audio_out = output.map_or(0, |output| count(output.audio_tokens));
    let image_out = output.map_or(0, |output| count(output.image_tokens));

    // More cached than prompted: this host counts the two apart.
    let cached_is_beside = cached > prompt;
    let mut rest = prompt;
    let cache_read = if cached_is_beside {
        cached
    } else {
        take(&mut rest, cached)
    };
    let cache_write_5m = take(&mut rest, written);
    let audio_in = take(&mut rest, audio_in);
    let input_uncached = rest;

    // Reasoning is part of the completion, unless the total only adds up with it on top.
    let total = count(wire.total_tokens);
    let reasoning_is_beside =
        reasoning > 0 && total == prompt.saturating_add(completion).saturating_add(reasoning);
    let mut rest = completion;
    let reasoning = if reasoning_is_beside {
        reasoning
    } else {
        take(&mut rest, reasoning)
    };
    let audio_out = take(&mut rest, audio_out);
    let image_out = take(&mut rest, image_out);
    TokenUsage {
        input_uncached,
        cache_read,
        cache_write_5m,
        audio_in,
        output_text: rest,
        reasoning,
        audio_out,
        image_out,
        ..TokenUsage::default()
    }
}

/// Takes up to `wanted` out of `rest`, so that the parts never exceed the whole.
fn take(rest: &mut u64, wanted: u64) -> u64 {
    let taken = wanted.min(*rest);
    *rest -= taken;
    taken
}

/// The largest count that fits in a settled generation without overflow anywhere.
const COUNT_MAX: u64 = 1 << 40;

fn count(count: Option<Count>) -> u64 {
    count.and_then(|count| count.0).unwrap_or(0).min(COUNT_MAX)
}

/// The first count above zero.
fn first_stated(counts: [Option<Count>; 3]) -> u64 {
    counts
        .into_iter()
        .map(count)
        .find(|count| *count > 0)
        .unwrap_or(0)
}
