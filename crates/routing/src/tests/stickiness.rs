//! Conversation keys, and how long caches and pins last.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use switchyard_domain::{
    model::{Modalities, ModelId, Parameters},
    money::Price,
    secret::Private,
};
use switchyard_interchange::{
    message::{CacheLife, CacheMark, MediaSource, Message, Part, Role, ToolResult},
    preferences::ProviderPreferences,
    request::{ChatRequest, Dialect, Origin, ReasoningControl, Sampling},
    tool::{ResponseFormat, Tool},
};

use super::fixture::Case;
use crate::stickiness::{
    CacheWish, Conversation, cache_ttl, is_cacheable, pin_lifetime, prefix_digest,
};

const SECRET: &[u8] = b"one account's secret";

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message {
        role,
        parts,
        name: None,
    }
}

fn request(messages: Vec<Message>) -> ChatRequest {
    ChatRequest {
        model: "lab/m".to_owned(),
        fallback_models: vec![],
        context_window_fallbacks: vec![],
        content_policy_fallbacks: vec![],
        router: None,
        messages,
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
        session_id: None,
        prompt_cache_key: None,
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

fn talk(system: &str, user: &str) -> ChatRequest {
    request(vec![
        message(Role::System, vec![Part::text(system)]),
        message(Role::User, vec![Part::text(user)]),
    ])
}

fn key(request: &ChatRequest) -> [u8; 32] {
    let conversation = Conversation::of(request).expect("it says something");
    conversation.pin_key(SECRET, &ModelId::new("lab/m"))
}

#[test]
fn a_conversation_keeps_its_key_as_it_grows() {
    let start = talk("be brief", "hello");
    let mut later = start.clone();
    later
        .messages
        .push(message(Role::Assistant, vec![Part::text("hi")]));
    later
        .messages
        .push(message(Role::User, vec![Part::text("more")]));
    assert_eq!(key(&start), key(&later));
    // A cache mark is not part of what was said; nor is who calls the instructions what.
    let mark = Some(CacheMark {
        life: CacheLife::OneHour,
    });
    let mut marked = start.clone();
    marked.messages[0].parts = vec![Part::Text {
        text: "be brief".into(),
        cache: mark,
    }];
    marked.messages[0].role = Role::Developer;
    assert_eq!(key(&start), key(&marked));
}

#[test]
fn different_conversations_accounts_and_models_have_different_keys() {
    let image = |url: &str| {
        let source = MediaSource::Url(url.into());
        request(vec![message(
            Role::User,
            vec![Part::Image {
                source,
                detail: None,
                cache: None,
            }],
        )])
    };
    let named = |session: Option<&str>, cache_key: Option<&str>| {
        let mut request = talk("be brief", "hello");
        request.session_id = session.map(str::to_owned);
        request.prompt_cache_key = cache_key.map(str::to_owned);
        request
    };
    let requests = [
        talk("be brief", "hello"),
        talk("be brief", "hello!"),
        talk("be brie", "fhello"),
        talk("", "be briefhello"),
        request(vec![message(Role::User, vec![Part::text("hello")])]),
        request(vec![message(Role::Assistant, vec![Part::text("hello")])]),
        request(vec![message(
            Role::User,
            vec![Part::text("hel"), Part::text("lo")],
        )]),
        image("https://one.example"),
        image("https://two.example"),
        named(Some("s"), None),
        named(Some("t"), None),
    ];
    let mut keys: Vec<[u8; 32]> = requests.iter().map(key).collect();
    let conversation = Conversation::of(&requests[0]).expect("it says something");
    keys.push(conversation.pin_key(b"another account's", &ModelId::new("lab/m")));
    keys.push(conversation.pin_key(SECRET, &ModelId::new("lab/n")));
    let distinct: std::collections::HashSet<[u8; 32]> = keys.iter().copied().collect();
    assert_eq!(distinct.len(), keys.len());
}

#[test]
fn a_stated_key_goes_before_the_opening() {
    let named = |session: Option<&str>, cache_key: Option<&str>, user: &str| {
        let mut request = talk("be brief", user);
        request.session_id = session.map(str::to_owned);
        request.prompt_cache_key = cache_key.map(str::to_owned);
        key(&request)
    };
    assert_eq!(
        named(Some("s"), None, "a"),
        named(Some("s"), Some("k"), "b")
    );
    assert_eq!(named(None, Some("k"), "a"), named(None, Some("k"), "b"));
    assert_ne!(named(Some(""), None, "a"), named(Some(""), None, "b"));
}

#[test]
fn a_request_that_says_nothing_belongs_to_no_conversation() {
    assert!(Conversation::of(&request(vec![])).is_none());
    let silent = request(vec![message(Role::System, vec![Part::text("be brief")])]);
    assert!(Conversation::of(&silent).is_none());
}

#[test]
fn a_pin_is_earned_where_a_warm_cache_saves_money() {
    let case = Case::new("cheap $2 read$.2 | equal $2 read$2 | none $2");
    let cacheable: Vec<bool> = case.catalog.endpoints.iter().map(is_cacheable).collect();
    assert_eq!(cacheable, [true, false, false]);
    let talk = talk("be brief", "hello");
    let opening = Conversation::of(&talk).expect("it says something");
    let named = Conversation::Named("session");
    let earns = |conversation: Conversation<'_>, endpoint: usize, read: u64| {
        conversation
            .known_by()
            .earns_pin(&case.catalog.endpoints[endpoint], read)
    };
    assert!(earns(named, 0, 0) && earns(named, 0, 9));
    assert!(!earns(opening, 0, 0) && earns(opening, 0, 1));
    assert!(!earns(named, 1, 9) && !earns(opening, 2, 9));
}

#[test]
fn conversations_share_a_prefix_as_far_as_their_prompts_begin_alike() {
    let digest = |request: &ChatRequest| prefix_digest(request, SECRET);
    let one = talk("be brief", "hello");
    assert_eq!(digest(&one), digest(&talk("be brief", "something else")));
    let mut later = one.clone();
    later.session_id = Some("named".to_owned());
    later
        .messages
        .push(message(Role::Assistant, vec![Part::text("hi")]));
    assert_eq!(digest(&one), digest(&later));
    let mut with_tool = one.clone();
    with_tool.tools.push(tool(None));
    let alone = |text: &str| request(vec![message(Role::User, vec![Part::text(text)])]);
    let others = [
        digest(&talk("be brie", "fhello")),
        digest(&with_tool),
        digest(&alone("hello")),
        digest(&alone("hello!")),
        digest(&request(vec![])),
        prefix_digest(&one, b"another account's"),
        digest(&one),
    ];
    let distinct: std::collections::HashSet<u64> = others.into_iter().collect();
    assert_eq!(distinct.len(), others.len());
}

fn tool(cache: Option<CacheMark>) -> Tool {
    Tool {
        name: "search".to_owned(),
        description: None,
        parameters: None,
        strict: None,
        cache,
    }
}

#[test]
fn the_longest_mark_says_how_long_to_keep() {
    let mark = |life| Some(CacheMark { life });
    let (short, long) = (mark(CacheLife::Short), mark(CacheLife::OneHour));
    let text = |cache| {
        let text = "hello".into();
        request(vec![message(Role::User, vec![Part::Text { text, cache }])])
    };
    assert_eq!(CacheWish::of(&text(None)), CacheWish::Unstated);
    assert_eq!(CacheWish::of(&text(short)), CacheWish::FiveMinutes);
    assert_eq!(CacheWish::of(&text(long)), CacheWish::OneHour);
    let mut automatic = text(short);
    automatic.automatic_cache = long;
    assert_eq!(CacheWish::of(&automatic), CacheWish::OneHour);
    let mut in_tools = text(short);
    in_tools.tools = vec![tool(None), tool(long), tool(short)];
    assert_eq!(CacheWish::of(&in_tools), CacheWish::OneHour);
    let result = Part::ToolResult(ToolResult {
        call_id: "1".to_owned(),
        content: vec![text(long).messages.remove(0).parts.remove(0)],
        is_error: false,
        cache: short,
    });
    let in_result = request(vec![message(Role::Tool, vec![result])]);
    assert_eq!(CacheWish::of(&in_result), CacheWish::OneHour);
}

#[test]
fn a_pin_lives_as_long_as_the_cache_that_was_bought() {
    let mut case = Case::new("plain $2 read$.2 | hour $2 read$.2 write$2.5 | marks $2 read$.2");
    let catalog = Arc::get_mut(&mut case.catalog).expect("not shared");
    let hour = catalog.endpoints[1].prices.as_mut().expect("it has prices");
    Arc::make_mut(hour).base.input_cache_write_1h = Price::from_picos(4_000_000);
    catalog.endpoints[2].supports_implicit_caching = Some(false);
    let minutes = |time: Duration| time.as_secs() / 60;
    let ordinary = Duration::from_secs(600);
    for (wish, ttls, lifetimes) in [
        (CacheWish::Unstated, [5, 5, 5], [10, 10, 10]),
        (CacheWish::FiveMinutes, [5, 5, 5], [10, 10, 10]),
        // An hour is had only where it has a price.
        (CacheWish::OneHour, [5, 60, 5], [10, 60, 10]),
        // A day is had where the provider caches by itself.
        (CacheWish::OneDay, [1_440, 1_440, 5], [1_440, 1_440, 10]),
    ] {
        for (index, endpoint) in case.catalog.endpoints.iter().enumerate() {
            let ttl = minutes(cache_ttl(wish, endpoint));
            assert_eq!(ttl, ttls[index], "{wish:?} {}", endpoint.tag);
            let lifetime = minutes(pin_lifetime(ordinary, wish, endpoint));
            assert_eq!(lifetime, lifetimes[index], "{wish:?} {}", endpoint.tag);
        }
    }
    // An operator's longer default stands.
    let day = Duration::from_secs(86_400);
    let endpoint = &case.catalog.endpoints[1];
    assert_eq!(pin_lifetime(day, CacheWish::OneHour, endpoint), day);
}
