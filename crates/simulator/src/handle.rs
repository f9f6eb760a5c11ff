//! The way of a request: find the provider, decide what to do, play it.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, request::Parts,
};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    answer::{Speaker, compose},
    asked::{Asked, Refusal},
    behaviour::{Answer, Behaviour, Flaw, Replay},
    canned, control,
    dialect::Dialect,
    directive, fault,
    observation::{Flight, SeenRequest},
    performance::{Performance, Pieces},
    profile::{Credentials, Profile},
    script::{Ending, EventKind, Script},
    simulator::{Provider, Setup, Simulator, lock},
};

/// Anthropic's limit; nobody takes more.
const BODY_BYTES_MAX: usize = 32 * 1_024 * 1_024;
/// What the connection itself decides, so that a replay does not contradict it.
const TRANSFER_HEADERS: [&str; 4] = [
    "connection",
    "content-length",
    "keep-alive",
    "transfer-encoding",
];

/// The header that takes the same items as a directive in a prompt.
const DIRECTIVE_HEADER: &str = "x-sim";

/// Answers one request. `reset` tells the connection to end with a reset.
pub(crate) async fn handle(
    request: Request<Incoming>,
    simulator: Simulator,
    reset: Arc<AtomicBool>,
) -> Result<Response<Performance>, Infallible> {
    let path = request.uri().path();
    if let Some(path) = path.strip_prefix("/_sim/") {
        let path = path.to_owned();
        return Ok(control::handle(&simulator, &path, request).await);
    }
    let Some((name, surface)) = route(path) else {
        return Ok(not_found());
    };
    let Some(provider) = simulator.provider(name) else {
        return Ok(not_found());
    };
    let flight = Flight::start(Arc::clone(&provider.observations));
    let stage = Stage {
        simulator: &simulator,
        provider: &provider,
        setup: provider.setup(),
    };
    let response = match surface {
        Surface::Models => stage.models(request.headers()).perform(flight, reset).await,
        Surface::Chat(dialect) => match &stage.setup.canned {
            Some(bytes) => serve_canned(bytes, dialect, request, flight, reset).await,
            None => {
                stage
                    .chat(dialect, request)
                    .await
                    .perform(flight, reset)
                    .await
            }
        },
    };
    Ok(response)
}

enum Surface {
    Chat(Dialect),
    Models,
}

/// `/p/{provider}` may be missing, and so may `/v1`. Where several dialects are served, as at Azure,
/// each has its name before that.
fn route(path: &str) -> Option<(&str, Surface)> {
    let (provider, rest) = match path.strip_prefix("/p/") {
        Some(named) => named.split_at(named.find('/')?),
        None => ("default", path),
    };
    let named = ["/openai", "/anthropic"]
        .into_iter()
        .find_map(|dialect| rest.strip_prefix(dialect));
    let rest = named.unwrap_or(rest);
    let surface = match rest.strip_prefix("/v1").unwrap_or(rest) {
        "/chat/completions" => Surface::Chat(Dialect::OpenAiChat),
        "/messages" => Surface::Chat(Dialect::AnthropicMessages),
        "/models" => Surface::Models,
        _ => return None,
    };
    (!provider.is_empty()).then_some((provider, surface))
}

fn not_found() -> Response<Performance> {
    let refusal = Refusal::new(404, "There is no such path here.");
    let body = crate::openai_chat::write::error(&refusal).to_string();
    control::respond(StatusCode::NOT_FOUND, body)
}

async fn serve_canned(
    canned: &canned::CannedBytes,
    dialect: Dialect,
    request: Request<Incoming>,
    flight: Flight,
    reset: Arc<AtomicBool>,
) -> Response<Performance> {
    let body = read_body(request.into_body()).await.unwrap_or_default();
    let stream = canned::asks_for_stream(&body);
    let (pieces, content_type) = if stream {
        (
            Pieces::List {
                pieces: canned.events(dialect),
                next: 0,
            },
            "text/event-stream; charset=utf-8",
        )
    } else {
        (
            Pieces::Whole(Some(canned.whole(dialect))),
            "application/json",
        )
    };
    let body = Performance::new(pieces, Ending::InOrder, flight, reset)
        .paced(Duration::ZERO, canned.between);
    let mut response = Response::new(body);
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static(content_type),
    );
    response
}

async fn read_body(body: Incoming) -> Option<Bytes> {
    Limited::new(body, BODY_BYTES_MAX)
        .collect()
        .await
        .ok()
        .map(|body| body.to_bytes())
}

/// What is decided about a request.
enum Act {
    Play(Script),
    Replay(Replay),
    HangBeforeHeaders,
}

/// Where a request is decided: a provider with its setup.
struct Stage<'a> {
    simulator: &'a Simulator,
    provider: &'a Provider,
    setup: Arc<Setup>,
}

impl Stage<'_> {
    fn profile(&self) -> &Profile {
        &self.setup.profile
    }

    fn models(&self, headers: &HeaderMap) -> Act {
        let dialect = match headers.contains_key("anthropic-version") {
            true => Dialect::AnthropicMessages,
            false => Dialect::OpenAiChat,
        };
        let script = match self.admit(dialect, headers) {
            Ok(()) => {
                dialect.write_models(&self.profile().models, self.simulator.created_seconds())
            }
            Err(refusal) => dialect.refuse(&refusal),
        };
        Act::Play(script)
    }

    async fn chat(&self, dialect: Dialect, request: Request<Incoming>) -> Act {
        let (parts, body) = request.into_parts();
        let Some(body) = read_body(body).await else {
            let refusal = Refusal::new(413, "Request exceeds the maximum size");
            return Act::Play(dialect.refuse(&refusal));
        };
        let number = self.provider.next_number();
        self.provider
            .observations
            .record(SeenRequest::new(number, &parts, &body));
        self.decide(dialect, &parts, &body, number)
            .unwrap_or_else(|refusal| Act::Play(dialect.refuse(&refusal)))
    }

    /// A refusal for want of a credential takes nothing from the script.
    fn decide(
        &self,
        dialect: Dialect,
        parts: &Parts,
        body: &Bytes,
        number: u64,
    ) -> Result<Act, Refusal> {
        if parts.method != Method::POST {
            return Err(Refusal::new(405, "Only POST is allowed here."));
        }
        self.admit(dialect, &parts.headers)?;
        let behaviour = match self.provider.next_scripted() {
            Some(behaviour) => behaviour,
            None => self.unscripted(dialect, parts, body)?,
        };
        Ok(match behaviour {
            Behaviour::Answer(answer) => {
                let asked = self.read(dialect, &parts.headers, body)?;
                Act::Play(self.answer(dialect, &asked, &answer, number))
            }
            Behaviour::Status(status) => Act::Play(dialect.refuse_as_told(&status)),
            Behaviour::HangBeforeHeaders => Act::HangBeforeHeaders,
            Behaviour::Redirect { status, location } => {
                Act::Play(Script::empty(status).header("location", location))
            }
            Behaviour::EmptyBody { status } => Act::Play(Script::empty(status)),
            Behaviour::ErrorInsideOk => Act::Play(dialect.error_inside_ok()),
            Behaviour::Replay(replay) => Act::Replay(replay),
        })
    }

    fn admit(&self, dialect: Dialect, headers: &HeaderMap) -> Result<(), Refusal> {
        let shown = dialect.credential(headers);
        let admitted = match &self.profile().credentials {
            Credentials::Anyone => true,
            Credentials::Present => shown.is_some(),
            Credentials::Exactly(known) => {
                shown.is_some_and(|shown| known.iter().any(|known| known == shown))
            }
        };
        if admitted {
            Ok(())
        } else {
            Err(dialect.unauthorized(shown))
        }
    }

    /// The header, else a directive in the prompt, else the profile's word.
    fn unscripted(
        &self,
        dialect: Dialect,
        parts: &Parts,
        body: &Bytes,
    ) -> Result<Behaviour, Refusal> {
        let name = self.provider.name.as_str();
        let header = parts
            .headers
            .get(DIRECTIVE_HEADER)
            .and_then(|value| value.to_str().ok());
        let told = match header {
            Some(items) => directive::parse(items, name),
            None => {
                let asked = self.read(dialect, &parts.headers, body)?;
                self.told_by(&asked)
            }
        };
        let told = told.map_err(|error| Refusal::bad_request(error.to_string()))?;
        Ok(told.unwrap_or_else(|| self.profile().behaviour.clone()))
    }

    /// What the newest results of tools say, else what the user said last.
    fn told_by(&self, asked: &Asked) -> Result<Option<Behaviour>, directive::DirectiveError> {
        let results = asked.tool_results.iter().map(|result| result.text.as_str());
        for text in results.chain([asked.last_user_text.as_str()]) {
            if let Some(behaviour) = directive::find(text, &self.provider.name)? {
                return Ok(Some(behaviour));
            }
        }
        Ok(None)
    }

    fn read(&self, dialect: Dialect, headers: &HeaderMap, body: &Bytes) -> Result<Asked, Refusal> {
        dialect.check_headers(headers)?;
        let body: Value = serde_json::from_slice(body).map_err(|_| {
            Refusal::bad_request("We could not parse the JSON body of your request.")
        })?;
        let mut asked = dialect.read(&body)?;
        let shown = dialect.credential(headers);
        asked.credential = shown.unwrap_or_default().to_owned();
        let models = &self.profile().models;
        if !models.is_empty() && !models.contains(&asked.model) {
            return Err(dialect.unknown_model(&asked.model));
        }
        Ok(asked)
    }

    fn answer(&self, dialect: Dialect, asked: &Asked, answer: &Answer, number: u64) -> Script {
        let profile = self.profile();
        let cache = dialect.use_cache(&mut lock(&self.provider.cache), asked, &profile.caching);
        let speaker = Speaker {
            provider: &self.provider.name,
            number,
            created_seconds: self.simulator.created_seconds(),
        };
        let mut reply = compose(&speaker, asked, answer, cache);
        if answer.flaws.contains(&Flaw::NoUsage) {
            reply.usage = None;
        }
        let mut script = if asked.stream && !answer.flaws.contains(&Flaw::NoStream) {
            dialect.write_stream(&reply, asked.include_usage)
        } else {
            dialect.write_whole(&reply)
        };
        for flaw in &answer.flaws {
            fault::spoil(&mut script, flaw, dialect);
        }
        script.headers.extend(answer.headers.iter().cloned());
        script.headers.extend(answer.limits.headers(dialect));
        let first = Duration::from_millis(answer.first_event_delay_ms.unwrap_or(0));
        script.pace.before_head =
            Duration::from_millis(answer.delay_ms.unwrap_or(profile.delay_ms));
        script.pace.between =
            Duration::from_millis(answer.token_delay_ms.unwrap_or(profile.token_delay_ms));
        script.pace.before_first = first;
        script
    }
}

impl Act {
    async fn perform(self, flight: Flight, reset: Arc<AtomicBool>) -> Response<Performance> {
        match self {
            Self::Play(script) => play(script, flight, reset).await,
            Self::Replay(replay) => play_recorded(replay, flight, reset),
            Self::HangBeforeHeaders => {
                // Holding the flight, so that the client's leaving counts as an abort.
                let _flight = flight;
                std::future::pending().await
            }
        }
    }
}

async fn play(script: Script, flight: Flight, reset: Arc<AtomicBool>) -> Response<Performance> {
    if !script.pace.before_head.is_zero() {
        sleep(script.pace.before_head).await;
    }
    let pieces = match script.events.as_slice() {
        [] => Pieces::Whole(None),
        [only] if only.kind == EventKind::Whole => Pieces::Whole(Some(only.bytes.clone())),
        events => {
            let pieces = events.iter().map(|event| event.bytes.clone()).collect();
            Pieces::List { pieces, next: 0 }
        }
    };
    let body = Performance::new(pieces, script.ending, flight, reset)
        .paced(script.pace.before_first, script.pace.between);
    let mut response = Response::new(body);
    let content_type = script
        .content_type
        .map(|value| ("content-type".to_owned(), value));
    set_head(
        &mut response,
        script.status,
        content_type.into_iter().chain(script.headers),
    );
    response
}

fn play_recorded(replay: Replay, flight: Flight, reset: Arc<AtomicBool>) -> Response<Performance> {
    let mut rest = replay.body;
    let mut pieces = Vec::with_capacity(replay.chunk_lengths.len() + 1);
    for length in replay.chunk_lengths {
        pieces.push(rest.split_to(length.min(rest.len())));
    }
    pieces.push(rest);
    pieces.retain(|piece| !piece.is_empty());
    let delay = Duration::from_millis(replay.chunk_delay_ms);
    let pieces = Pieces::List {
        pieces: pieces.into(),
        next: 0,
    };
    let body =
        Performance::new(pieces, Ending::InOrder, flight, reset).paced(Duration::ZERO, delay);
    let mut response = Response::new(body);
    set_head(&mut response, replay.status, replay.headers.into_iter());
    response
}

/// Headers that HTTP does not allow are left out, as is a status that it does not know.
fn set_head(
    response: &mut Response<Performance>,
    status: u16,
    headers: impl Iterator<Item = (String, String)>,
) {
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    for (name, value) in headers {
        if TRANSFER_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            continue;
        }
        let parsed = (HeaderName::try_from(name), HeaderValue::try_from(value));
        if let (Ok(name), Ok(value)) = parsed {
            response.headers_mut().append(name, value);
        }
    }
}
