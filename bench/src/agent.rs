//! A coding agent's session, replayed: what it costs when a conversation stays where its prompt
//! cache is warm, and what it costs when it does not.
//!
//! Three endpoints serve the session's model. All of them cache, and none forgets within a run;
//! they differ in what they charge for it. Each run starts with empty caches.

mod report;

use std::{io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use switchyard_simulator::{Caching, Session, behaviour::UsageFigures};
use tokio::time::sleep;

use crate::{load::Connection, simulated, target::Target};
pub(crate) use report::Report;

/// The model that the agent asks.
pub(crate) const MODEL: &str = "bench/agent";

/// What an endpoint of the session's model charges, in US dollars per million tokens.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) provider: &'static str,
    prompt: f64,
    completion: f64,
    cache_read: f64,
    /// Charged by an endpoint whose cache reports what it takes in.
    cache_write: Option<f64>,
}

/// The cheapest list price first. The second charges for what its cache takes in; the third's
/// cache saves little.
pub(crate) const OFFERS: [Offer; 3] = [
    Offer {
        provider: "agent-a",
        prompt: 3.0,
        completion: 15.0,
        cache_read: 0.3,
        cache_write: None,
    },
    Offer {
        provider: "agent-b",
        prompt: 3.15,
        completion: 15.75,
        cache_read: 0.315,
        cache_write: Some(3.9375),
    },
    Offer {
        provider: "agent-c",
        prompt: 3.3,
        completion: 16.5,
        cache_read: 1.32,
        cache_write: None,
    },
];

impl Offer {
    /// Prices as the catalogue has them: decimal strings per token.
    pub(crate) fn pricing(&self) -> Value {
        let per_token = |per_million: f64| format!("{:.12}", per_million / 1e6);
        json!({
            "prompt": per_token(self.prompt),
            "completion": per_token(self.completion),
            "input_cache_read": per_token(self.cache_read),
            "input_cache_write": self.cache_write.map(per_token),
        })
    }

    pub(crate) fn caching(&self) -> Caching {
        Caching {
            reports_writes: self.cache_write.is_some(),
            ..Caching::default()
        }
    }

    /// What the whole session costs if this endpoint alone serves it.
    fn alone_usd(&self, session: &Session) -> f64 {
        let forecast = session.forecast(0..session.turns(), &self.caching());
        forecast.iter().map(|usage| self.cost_usd(usage)).sum()
    }

    fn cost_usd(&self, usage: &UsageFigures) -> f64 {
        let count = |figure: Option<u64>| figure.unwrap_or(0) as f64;
        let (read, written) = (count(usage.cache_read), count(usage.cache_write));
        let per_million = self.prompt * (count(usage.input) - read - written)
            + self.cache_read * read
            + self.cache_write.unwrap_or(self.prompt) * written
            + self.completion * count(usage.output);
        per_million / 1e6
    }
}

/// How the gateway is asked to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked {
    name: &'static str,
    /// The conversation has one name throughout; otherwise each turn has another, so that none
    /// continues any.
    sticky: bool,
    sort: Option<&'static str>,
}

const RUNS: [Asked; 4] = [
    Asked {
        name: "by_price_sticky",
        sticky: true,
        sort: Some("price"),
    },
    Asked {
        name: "by_price_off",
        sticky: false,
        sort: Some("price"),
    },
    Asked {
        name: "balanced_sticky",
        sticky: true,
        sort: None,
    },
    Asked {
        name: "balanced_off",
        sticky: false,
        sort: None,
    },
];

/// What the agent does between two turns; meanwhile the gateway notes where the cache is warm.
const TOOL_TIME: Duration = Duration::from_millis(10);

/// One answer, as far as it is compared.
#[derive(Debug, Clone, PartialEq)]
struct Answer {
    provider: String,
    prompt_tokens: u64,
    cached_tokens: u64,
    cost_usd: f64,
}

/// Plays the session for each way of asking, once where the order is fixed, `draws` times where
/// it is drawn.
pub(crate) async fn replay(
    gateway: &Target,
    providers: SocketAddr,
    draws: u64,
) -> io::Result<Report> {
    let session = Session::coding_agent();
    let mut runs = Vec::with_capacity(RUNS.len());
    for asked in RUNS {
        let times = if asked.sort.is_some() { 1 } else { draws };
        let mut sessions = Vec::new();
        for number in 0..times {
            for offer in &OFFERS {
                let path = format!("/_sim/cache/{}", offer.provider);
                simulated::tell(providers, Method::DELETE, &path, Bytes::new()).await?;
            }
            let named = format!("{} {number}", asked.name);
            let session = session.clone().numbered(number);
            sessions.push(play(gateway, &session, asked, &named).await?);
        }
        runs.push((asked, sessions));
    }
    let alone = OFFERS.each_ref();
    let alone = alone.map(|offer| (offer.provider, offer.alone_usd(&session)));
    Ok(Report::new(&session, runs, alone))
}

async fn play(
    gateway: &Target,
    session: &Session,
    asked: Asked,
    named: &str,
) -> io::Result<Vec<Answer>> {
    let mut connection = Connection::open(gateway).await?;
    let mut answers = Vec::with_capacity(session.turns());
    for (turn, mut body) in session.requests(MODEL).into_iter().enumerate() {
        body["session_id"] = match asked.sticky {
            true => json!(named),
            false => json!(format!("{named} {turn}")),
        };
        if let Some(sort) = asked.sort {
            body["provider"] = json!({ "sort": sort });
        }
        answers.push(ask(gateway, &mut connection, &body).await?);
        sleep(TOOL_TIME).await;
    }
    Ok(answers)
}

async fn ask(gateway: &Target, connection: &mut Connection, body: &Value) -> io::Result<Answer> {
    let request = Request::post(gateway.path.as_str())
        .header(header::HOST, "bench")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, gateway.authorization.as_str())
        .body(Full::new(Bytes::from(body.to_string())))
        .map_err(io::Error::other)?;
    connection.sender.ready().await.map_err(io::Error::other)?;
    let response = connection.sender.send_request(request).await;
    let (head, body) = response.map_err(io::Error::other)?.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    if !head.status.is_success() {
        let text = String::from_utf8_lossy(&body);
        let refusal = format!("the agent was refused: {}: {text}", head.status);
        return Err(io::Error::other(refusal));
    }
    read(&serde_json::from_slice(&body)?)
        .ok_or_else(|| io::Error::other("an answer to the agent does not tell its cost"))
}

fn read(answer: &Value) -> Option<Answer> {
    let usage = &answer["usage"];
    Some(Answer {
        provider: answer["provider"].as_str()?.to_owned(),
        prompt_tokens: usage["prompt_tokens"].as_u64()?,
        cached_tokens: usage["prompt_tokens_details"]["cached_tokens"].as_u64()?,
        cost_usd: usage["cost"].as_f64()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let answer = json!({
            "provider": "agent-b",
            "usage": {
                "prompt_tokens": 1_000,
                "prompt_tokens_details": { "cached_tokens": 800 },
                "cost": 0.25,
            },
        });
        let expected = Answer {
            provider: "agent-b".to_owned(),
            prompt_tokens: 1_000,
            cached_tokens: 800,
            cost_usd: 0.25,
        };
        assert_eq!(read(&answer), Some(expected));
        assert_eq!(read(&json!({ "provider": "agent-b", "usage": {} })), None);
    }

    #[test]
    fn the_cheapest_list_price_is_the_cheapest_session() {
        let session = Session::coding_agent();
        let [a, b, c] = OFFERS.each_ref().map(|offer| offer.alone_usd(&session));
        assert!(a < b && b < c, "{a} {b} {c}");
        assert_eq!(OFFERS[1].pricing()["input_cache_write"], "0.000003937500");
    }
}
