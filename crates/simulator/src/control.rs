//! `/_sim/…`: how a test in another process scripts and questions the simulator.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    behaviour::Behaviour,
    directive,
    performance::Performance,
    profile::Profile,
    simulator::{Provider, Simulator},
};

const BODY_BYTES_MAX: usize = 64 * 1_024 * 1_024;

/// A behaviour in full, or in the words of a directive.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Words(String),
    Full(Box<Behaviour>),
}

pub(crate) async fn handle(
    simulator: &Simulator,
    path: &str,
    request: Request<Incoming>,
) -> Response<Performance> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
        return refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is too long or was cut off",
        );
    };
    let body = body.to_bytes();
    if path == "counters" && parts.method == Method::GET {
        let counters: Map<String, Value> = simulator
            .all_counters()
            .into_iter()
            .map(|(name, counters)| (name, json!(counters)))
            .collect();
        return respond(StatusCode::OK, Value::Object(counters).to_string());
    }
    if path == "clock" && parts.method == Method::POST {
        return match serde_json::from_slice::<Advance>(&body) {
            Ok(advance) => {
                simulator.pass_time(Duration::from_millis(advance.advance_ms));
                done(json!({}))
            }
            Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
        };
    }
    let Some((topic, name)) = path.split_once('/').filter(|(_, name)| !name.is_empty()) else {
        return refuse(StatusCode::NOT_FOUND, "there is no such path under /_sim/");
    };
    let Some(provider) = simulator.provider(name) else {
        return refuse(StatusCode::TOO_MANY_REQUESTS, "too many providers");
    };
    match (&parts.method, topic) {
        (&Method::POST, "script") => script(&provider, &body),
        (&Method::DELETE, "script") => {
            simulator.clear_script(name);
            done(json!({ "queued": 0 }))
        }
        (&Method::PUT, "profile") => match serde_json::from_slice::<Profile>(&body) {
            Ok(profile) => {
                provider.set_profile(profile);
                done(json!({}))
            }
            Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
        },
        (&Method::GET, "requests") => {
            let requests: Vec<Value> = provider
                .observations
                .seen()
                .iter()
                .map(|request| request.to_json())
                .collect();
            let counters = *provider.observations.counters().borrow();
            done(json!({
                "counters": counters,
                "queued": simulator.script_length(name),
                "requests": requests,
            }))
        }
        (&Method::DELETE, "requests") => {
            simulator.forget(name);
            done(json!({}))
        }
        (&Method::DELETE, "cache") => {
            simulator.evict(name);
            done(json!({}))
        }
        _ => refuse(StatusCode::NOT_FOUND, "there is no such path under /_sim/"),
    }
}

/// How far the prompt caches' clock is to go on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: u64,
}

/// Queues a list of behaviours, or one.
fn script(provider: &Provider, body: &Bytes) -> Response<Performance> {
    let lines = serde_json::from_slice::<Vec<Line>>(body)
        .or_else(|_| serde_json::from_slice::<Line>(body).map(|line| vec![line]));
    let lines = match lines {
        Ok(lines) => lines,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let mut behaviours = Vec::with_capacity(lines.len());
    for line in lines {
        match line {
            Line::Full(behaviour) => behaviours.push(*behaviour),
            Line::Words(words) => match directive::parse(&words, &provider.name) {
                Ok(behaviour) => behaviours.push(behaviour.unwrap_or_default()),
                Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
            },
        }
    }
    let queued = behaviours.len();
    provider.enqueue(behaviours);
    done(json!({ "queued": queued }))
}

fn done(body: Value) -> Response<Performance> {
    respond(StatusCode::OK, body.to_string())
}

fn refuse(status: StatusCode, why: &str) -> Response<Performance> {
    respond(status, json!({ "error": why }).to_string())
}

/// A JSON answer that no provider gave.
pub(crate) fn respond(status: StatusCode, body: String) -> Response<Performance> {
    let mut response = Response::new(Performance::unobserved(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
