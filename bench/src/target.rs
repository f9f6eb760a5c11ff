//! What is measured, and what is sent to it.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use serde_json::json;

/// One way to the model.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) way: Way,
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    pub(crate) authorization: String,
    /// The process to watch; the direct way has none.
    pub(crate) pid: Option<u32>,
}

/// The ways to the model that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    Direct,
    PassThrough,
    Gateway,
}

impl Way {
    pub(crate) const ALL: [Self; 3] = [Self::Direct, Self::PassThrough, Self::Gateway];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::PassThrough => "pass_through",
            Self::Gateway => "gateway",
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Whole,
    Stream,
}

impl Target {
    pub(crate) fn request(&self, bodies: &Bodies, kind: Kind) -> Request<Full<Bytes>> {
        let body = match kind {
            Kind::Whole => bodies.whole.clone(),
            Kind::Stream => bodies.stream.clone(),
        };
        Request::post(self.path.as_str())
            .header(header::HOST, "bench")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, self.authorization.as_str())
            .body(Full::new(body))
            .expect("the parts were valid when the benchmark was set up")
    }
}

/// The two bodies, about 1 KB each.
#[derive(Debug, Clone)]
pub(crate) struct Bodies {
    whole: Bytes,
    stream: Bytes,
}

impl Bodies {
    pub(crate) fn new() -> Self {
        let rules = "Answer in short sentences, name your sources, and say so when you do not \
            know. Dates are in UTC, amounts in US dollars. Never make up numbers.";
        let question = "A goods train of forty wagons leaves the yard at six and has to be \
            sorted into five directions by noon. ";
        let body = json!({
            "model": "bench/model",
            "messages": [
                { "role": "system", "content": rules },
                { "role": "user", "content": question.repeat(7) },
            ],
            "max_tokens": 400,
            "temperature": 0.5,
        });
        let mut streamed = body.clone();
        streamed["stream"] = json!(true);
        streamed["stream_options"] = json!({ "include_usage": true });
        Self {
            whole: body.to_string().into(),
            stream: streamed.to_string().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_about_a_kilobyte() {
        let bodies = Bodies::new();
        for body in [&bodies.whole, &bodies.stream] {
            assert!((900..1_300).contains(&body.len()), "{}", body.len());
        }
    }
}
