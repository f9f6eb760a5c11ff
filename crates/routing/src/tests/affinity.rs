//! What providers are told of a conversation.

use bytes::Bytes;
use switchyard_domain::{
    model::{Modalities, Parameters},
    secret::Private,
};
use switchyard_interchange::{
    preferences::ProviderPreferences,
    request::{ChatRequest, Dialect, Origin, ReasoningControl, Sampling},
    tool::ResponseFormat,
};

use crate::{
    policy::{Layer, Policy, Rules, ZdrGroups},
    record::Scope,
    stickiness::affinity_hint,
};

fn request(session: Option<&str>, cache_key: Option<&str>) -> ChatRequest {
    ChatRequest {
        model: "lab/m".to_owned(),
        fallback_models: vec![],
        context_window_fallbacks: vec![],
        content_policy_fallbacks: vec![],
        router: None,
        messages: vec![],
        tools: vec![],
        tool_choice: None,
        parallel_tool_calls: None,
        sampling: Sampling::default(),
        max_output_tokens: None,
        stop: vec![],
        response_format: ResponseFormat::Text,
        reasoning: ReasoningControl::default(),
        verbosity: None,
        output_modalities: Modalities::EMPTY,
        stream: false,
        automatic_cache: None,
        session_id: session.map(str::to_owned),
        prompt_cache_key: cache_key.map(str::to_owned),
        user: None,
        service_tier: None,
        provider: ProviderPreferences::default(),
        supplied_credentials: Vec::new(),
        parameters: Parameters::EMPTY,
        input_modalities: Modalities::EMPTY,
        origin: Origin {
            dialect: Dialect::OpenAiChat,
            body: Private::new(Bytes::new()),
        },
    }
}

#[test]
fn a_hint_is_the_tenants_own_and_tells_nothing() {
    let hint =
        |session, cache_key, secret: &[u8]| affinity_hint(&request(session, cache_key), secret);
    let mine = hint(Some("s"), None, b"mine").expect("a named conversation");
    assert_eq!(mine.len(), 64);
    assert!(mine.bytes().all(|byte| byte.is_ascii_hexdigit()), "{mine}");
    assert_eq!(
        hint(Some("s"), None, b"mine").as_ref(),
        Some(&mine),
        "it lasts"
    );
    for other in [
        hint(Some("s"), None, b"yours"),
        hint(Some("t"), None, b"mine"),
        hint(Some("s"), Some("k"), b"mine"),
    ] {
        assert_ne!(other.as_ref(), Some(&mine));
    }
    // A cache key is about the cache, so it goes before the session.
    let keyed = hint(Some("s"), Some("k"), b"mine");
    assert_eq!(keyed, hint(Some("t"), Some("k"), b"mine"));
    assert_eq!(keyed, hint(None, Some("k"), b"mine"));
    assert_eq!(hint(Some("s"), Some(""), b"mine").as_ref(), Some(&mine));
    for (session, cache_key) in [(None, None), (Some(""), None), (Some(""), Some(""))] {
        assert_eq!(hint(session, cache_key, b"mine"), None);
    }
}

#[test]
fn zero_retention_holds_when_any_layer_demands_it() {
    let demanding = |zdr: ZdrGroups| Rules {
        zdr,
        ..Rules::default()
    };
    let openai = ZdrGroups {
        openai: true,
        ..ZdrGroups::default()
    };
    let policy = Policy {
        layers: vec![
            Layer {
                scope: Scope::Account,
                rules: demanding(ZdrGroups::default()),
            },
            Layer {
                scope: Scope::Workspace,
                rules: demanding(openai),
            },
        ],
    };
    assert!(policy.demands_zdr("openai"));
    assert!(!policy.demands_zdr("anthropic"));
    assert!(!Policy::default().demands_zdr("openai"));
}
