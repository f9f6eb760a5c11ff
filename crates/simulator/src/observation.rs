//! What a provider saw: counters, and the last requests without their credentials.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, request::Parts};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;

/// Requests kept per provider.
pub const REQUESTS_KEPT_MAX: usize = 256;
/// Longer bodies are counted, not kept.
pub const BODY_KEPT_BYTES_MAX: usize = 1_024 * 1_024;

const CREDENTIAL_HEADERS: [&str; 6] = [
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "proxy-authorization",
    "cookie",
];

/// How many requests a provider has had, by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counters {
    /// Requests whose head arrived.
    pub started: u64,
    /// Answers played to the end that was planned for them, be it a good one or not.
    pub finished: u64,
    /// Answers that the client did not wait for.
    pub aborted: u64,
    /// Requests in progress.
    pub open: u64,
}

/// A request as it was seen.
#[derive(Debug, Clone)]
pub struct SeenRequest {
    /// Counts from 1 within the provider.
    pub number: u64,
    /// The HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Headers in order of arrival, credentials excepted.
    pub headers: Vec<(String, String)>,
    /// How the request identified itself (`bearer`, `x-api-key`, …); never with what.
    pub credential: Option<String>,
    /// The last characters of what it identified itself with, enough to tell test credentials apart.
    pub credential_end: Option<String>,
    /// The body; empty when it was longer than [`BODY_KEPT_BYTES_MAX`].
    pub body: Bytes,
    /// The length of the body.
    pub body_bytes: usize,
}

impl SeenRequest {
    pub(crate) fn new(number: u64, parts: &Parts, body: &Bytes) -> Self {
        let headers = parts
            .headers
            .iter()
            .filter(|(name, _)| !CREDENTIAL_HEADERS.contains(&name.as_str()))
            .map(|(name, value)| {
                (
                    name.as_str().to_owned(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect();
        let kept = body.len() <= BODY_KEPT_BYTES_MAX;
        Self {
            number,
            method: parts.method.as_str().to_owned(),
            path: parts
                .uri
                .path_and_query()
                .map_or_else(String::new, ToString::to_string),
            headers,
            credential: scheme(&parts.headers),
            credential_end: end_of_credential(&parts.headers),
            body: if kept { body.clone() } else { Bytes::new() },
            body_bytes: body.len(),
        }
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `Null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn to_json(&self) -> Value {
        let body = serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&self.body).into_owned()));
        json!({
            "number": self.number,
            "method": self.method,
            "path": self.path,
            "headers": self.headers,
            "credential": self.credential,
            "body": body,
            "body_bytes": self.body_bytes,
        })
    }
}

/// Characters of a credential that are kept.
const CREDENTIAL_END_CHARS: usize = 6;

fn end_of_credential(headers: &HeaderMap) -> Option<String> {
    let name = CREDENTIAL_HEADERS
        .iter()
        .find(|name| headers.contains_key(**name))?;
    let shown = headers.get(*name)?.to_str().ok()?;
    let skipped = shown.chars().count().saturating_sub(CREDENTIAL_END_CHARS);
    Some(shown.chars().skip(skipped).collect())
}

fn scheme(headers: &HeaderMap) -> Option<String> {
    let name = CREDENTIAL_HEADERS
        .iter()
        .find(|name| headers.contains_key(**name))?;
    if *name != "authorization" {
        return Some((*name).to_owned());
    }
    let value = headers.get(*name)?.to_str().ok()?;
    Some(
        value
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase(),
    )
}

/// One provider's memory of what it saw.
#[derive(Debug)]
pub(crate) struct Observations {
    counters: watch::Sender<Counters>,
    seen: Mutex<VecDeque<SeenRequest>>,
}

impl Observations {
    pub(crate) fn new() -> Self {
        Self {
            counters: watch::Sender::new(Counters::default()),
            seen: Mutex::new(VecDeque::new()),
        }
    }

    pub(crate) fn counters(&self) -> watch::Receiver<Counters> {
        self.counters.subscribe()
    }

    pub(crate) fn record(&self, request: SeenRequest) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() == REQUESTS_KEPT_MAX {
            seen.pop_front();
        }
        seen.push_back(request);
    }

    pub(crate) fn seen(&self) -> Vec<SeenRequest> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }

    /// Forgets requests and counts; what is in progress stays counted as open.
    pub(crate) fn clear(&self) {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.counters.send_modify(|counters| {
            *counters = Counters {
                open: counters.open,
                ..Counters::default()
            }
        });
    }
}

/// A request in progress. Dropped before [`Flight::finish`], it counts as aborted: the connection
/// drops the answer when the client leaves.
#[derive(Debug)]
pub(crate) struct Flight {
    observations: Arc<Observations>,
    finished: bool,
}

impl Flight {
    pub(crate) fn start(observations: Arc<Observations>) -> Self {
        observations.counters.send_modify(|counters| {
            counters.started += 1;
            counters.open += 1;
        });
        Self {
            observations,
            finished: false,
        }
    }

    pub(crate) fn finish(&mut self) {
        if !self.finished {
            self.finished = true;
            self.observations.counters.send_modify(|counters| {
                counters.finished += 1;
                counters.open = counters.open.saturating_sub(1);
            });
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.finished {
            self.observations.counters.send_modify(|counters| {
                counters.aborted += 1;
                counters.open = counters.open.saturating_sub(1);
            });
        }
    }
}
