//! Conversation keys.

use bytes::Bytes;
use switchyard_domain::{
    model::{Modalities, ModelId, Parameters},
    secret::Private,
};
use switchyard_interchange::{
    message::{CacheLife, CacheMark, MediaSource, Message, Part, Role},
    preferences::ProviderPreferences,
    request::{ChatRequest, Dialect, Origin, ReasoningControl, Sampling},
    tool::ResponseFormat,
};

use super::fixture::Case;
use crate::stickiness::{Conversation, is_cacheable};

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
