//! What codes mean, in words for people.

/// What went wrong in an attempt.
pub fn failure_in_words(kind: &str) -> &'static str {
    match kind {
        "bad_request" => "the provider found the request invalid",
        "auth" => "the provider refused the credential",
        "permission" => "the credential may not do this",
        "quota_billing" => "the credential's account has no money or quota left",
        "rate_limit" => "the provider asked to slow down",
        "overloaded" => "the provider was overloaded",
        "server_error" => "the provider failed",
        "timeout" => "it took too long",
        "connect" => "no connection to the provider",
        "egress_blocked" => "its address may not be dialled",
        "context_length" => "the prompt is too long for it",
        "content_policy" => "the provider refused the content",
        "not_found" => "the provider does not know the model",
        "too_large" => "the request is too large for it",
        "unsupported" => "it cannot do what the request needs",
        "upstream_protocol" => "its answer broke off or broke its format",
        "cancelled" => "the caller left",
        _ => "it failed",
    }
}

/// What a rule holds against an endpoint.
pub(super) fn rule(name: &str) -> &'static str {
    match name {
        "not_callable" => "it cannot be called",
        "service_tier" => "its service tier was not asked for",
        "geo" => "not offered in the request's country",
        "data_region" => "outside the allowed data regions",
        "model_not_allowed" => "its model is not allowed",
        "allowed_providers" => "not among the allowed providers",
        "ignored" => "its provider is ignored",
        "training" => "it may train on prompts",
        "publication" => "it may publish prompts",
        "zdr" => "it may keep prompts",
        "distillable" => "its author does not allow distillation",
        "wrong_api" => "its model answers another API",
        "modality" => "it does not take or give this kind of content",
        "context_length" => "the prompt does not fit",
        "require_parameters" => "it lacks a required parameter",
        "capability" => "it lacks a wanted capability",
        "quantization" => "its weights are in another format",
        "max_price" => "it costs more than the ceiling",
        "features" => "it lacks a feature that the request uses",
        _ => "a rule that this version does not know",
    }
}

/// Who set a rule.
pub(super) fn scope(name: &str) -> &'static str {
    match name {
        "catalog" => "the catalogue",
        "account" => "the account's settings",
        "workspace" => "the workspace's settings",
        "member" => "the member's settings",
        "key" => "the API key's settings",
        "preset" => "the preset",
        "request" => "the request",
        _ => "somebody",
    }
}

/// How models were named.
pub(super) fn route(name: &str) -> &'static str {
    match name {
        "direct" => "by its id",
        "latest" => "by a name that follows a family's newest model",
        "alias" => "by another name",
        "fallback" => "as a list",
        "auto" => "chosen for the request",
        "free" => "drawn among free models",
        _ => "in a way that this version does not know",
    }
}

/// Why a conversation moved.
pub(super) fn moved(reason: &str) -> &'static str {
    match reason {
        "expired" => "it was silent for too long, so the cache was gone",
        "filtered" => "the old endpoint may not serve this request",
        "down" => "the old endpoint was down",
        "degraded" => "the old endpoint failed too often",
        "cheaper" => "another was over a tenth cheaper, twice in a row",
        "outranked" => "what goes before a warm cache could serve",
        "failed" => "the old endpoint was tried and failed",
        _ => "for a reason that this version does not know",
    }
}
