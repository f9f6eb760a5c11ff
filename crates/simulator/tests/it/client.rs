//! A plain client: one connection per request, and an exact account of how the body ended.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use switchyard_simulator::{Config, Profile, Server, Simulator, serve};
use tokio::{net::TcpListener, net::TcpStream, task::JoinSet};

pub(crate) const CHAT: &str = "/p/alpha/v1/chat/completions";
pub(crate) const MESSAGES: &str = "/p/alpha/v1/messages";

/// An answer read to its end.
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The lengths of the pieces in which the body arrived.
    pub(crate) pieces: Vec<usize>,
    /// Why the body ended early.
    pub(crate) broken: Option<String>,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Payloads of the events, the end mark as a string.
    pub(crate) fn events(&self) -> Vec<Value> {
        let lines = self
            .text()
            .lines()
            .filter_map(|line| line.strip_prefix("data: "));
        lines
            .map(|data| serde_json::from_str(data).unwrap_or_else(|_| json!(data)))
            .collect()
    }
}

pub(crate) async fn start() -> Server {
    start_with(Profile::default()).await
}

pub(crate) async fn start_with(profile: Profile) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    serve(
        listener,
        Simulator::new(Config {
            profile,
            ..Config::default()
        }),
    )
    .unwrap()
}

/// A chat request with one question.
pub(crate) fn chat(question: &str) -> Value {
    json!({ "model": "acme/one", "messages": [{ "role": "user", "content": question }] })
}

/// A messages request with one question.
pub(crate) fn messages(question: &str) -> Value {
    let mut body = chat(question);
    body["max_tokens"] = json!(1_000);
    body
}

pub(crate) fn streamed(mut body: Value) -> Value {
    body["stream"] = json!(true);
    body
}

pub(crate) async fn post(server: &Server, path: &str, body: &Value) -> Answered {
    let headers: &[(&str, &str)] = if path.ends_with("/messages") {
        &[("x-api-key", "k"), ("anthropic-version", "2023-06-01")]
    } else {
        &[("authorization", "Bearer k")]
    };
    send(server, "POST", path, headers, body.to_string()).await
}

pub(crate) async fn send(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Answered {
    let mut call = Call::open(server.address(), method, path, headers, body).await;
    let mut answered = Answered {
        status: call.status,
        headers: std::mem::take(&mut call.headers),
        body: Vec::new(),
        pieces: Vec::new(),
        broken: None,
    };
    while let Some(frame) = call.body.frame().await {
        match frame {
            Ok(frame) => {
                let piece = frame.into_data().unwrap();
                answered.pieces.push(piece.len());
                answered.body.extend_from_slice(&piece);
            }
            Err(error) => answered.broken = Some(format!("{error:?}")),
        }
    }
    answered
}

/// A request whose answer has begun. Dropping it closes the connection.
pub(crate) struct Call {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Incoming,
    _connection: JoinSet<()>,
}

impl Call {
    pub(crate) async fn open(
        address: SocketAddr,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let _ = connection.await;
        });
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "simulator");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
        Self {
            status: parts.status,
            headers: parts.headers,
            body,
            _connection: tasks,
        }
    }
}
