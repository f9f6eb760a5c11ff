//! A small HTTP client: no cookies, no redirects, no connection used twice, everything bounded.

use std::{convert::Infallible, error::Error, time::Duration};

pub use bytes::Bytes;
pub use http::Method;

use http::{HeaderMap, Request, StatusCode, header};
use http_body::Frame as BodyFrame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tokio::time::timeout;

use crate::sse::{Frame, FrameReader, Transcript};

/// No exchange in a test takes longer, unless something hangs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What goes wrong on the way.
pub type CallError = Box<dyn Error + Send + Sync>;

/// A client of one server.
#[derive(Debug, Clone)]
pub struct HttpClient {
    base: String,
    client: Client<HttpConnector, BoxBody<Bytes, Infallible>>,
}

impl HttpClient {
    /// A client of the server at `address`, such as `127.0.0.1:8080`.
    pub fn new(address: &str) -> Self {
        Self {
            base: format!("http://{address}"),
            client: Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(0)
                .build_http(),
        }
    }

    /// The server's address with its scheme, such as `http://127.0.0.1:8080`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A call with any method.
    ///
    /// # Panics
    /// When the path is none.
    pub fn call(&self, method: Method, path: &str) -> Call {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .body(Full::default().boxed())
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        Call {
            client: self.client.clone(),
            request,
        }
    }

    /// A call that reads.
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// A call that sends JSON.
    pub fn post(&self, path: &str, body: &Value) -> Call {
        self.call(Method::POST, path).json(body)
    }
}

/// A call about to be made.
#[derive(Debug)]
pub struct Call {
    client: Client<HttpConnector, BoxBody<Bytes, Infallible>>,
    request: Request<BoxBody<Bytes, Infallible>>,
}

impl Call {
    /// Adds a header.
    ///
    /// # Panics
    /// When it is none.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = value
            .parse()
            .unwrap_or_else(|_| panic!("{name}: {value:?} is no header"));
        self.request.headers_mut().append(name, value);
        self
    }

    /// Shows an API key.
    pub fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// Sends JSON.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    /// Sends bytes of known length.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        *self.request.body_mut() = Full::new(body.into()).boxed();
        self
    }

    /// Sends bytes without saying beforehand how many there will be.
    pub fn pieces(mut self, pieces: Vec<Bytes>) -> Self {
        let frames = pieces.into_iter().map(|piece| Ok(BodyFrame::data(piece)));
        *self.request.body_mut() = StreamBody::new(Pieces(frames)).boxed();
        self
    }

    /// Makes the call and reads the whole answer.
    ///
    /// # Panics
    /// When there is none.
    pub async fn send(self) -> Reply {
        self.try_send()
            .await
            .unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// As [`Call::send`], where there may be no answer.
    ///
    /// # Errors
    /// When the connection cannot be made or breaks.
    pub async fn try_send(self) -> Result<Reply, CallError> {
        let whole = async {
            let opened = self.try_open().await?;
            let Opened {
                status,
                headers,
                body,
                ..
            } = opened;
            Ok(Reply {
                status,
                headers,
                body: body.collect().await?.to_bytes(),
            })
        };
        timeout(PATIENCE, whole).await?
    }

    /// Makes the call and returns with the head of the answer.
    ///
    /// # Panics
    /// When there is none.
    pub async fn open(self) -> Opened {
        self.try_open()
            .await
            .unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// As [`Call::open`], where there may be no answer.
    ///
    /// # Errors
    /// When the connection cannot be made or breaks.
    pub async fn try_open(self) -> Result<Opened, CallError> {
        let response = timeout(PATIENCE, self.client.request(self.request)).await??;
        let (parts, body) = response.into_parts();
        Ok(Opened {
            status: parts.status,
            headers: parts.headers,
            body,
            reader: FrameReader::default(),
        })
    }
}

struct Pieces<I>(I);

impl<I: Iterator + Unpin> futures_core::Stream for Pieces<I> {
    type Item = I::Item;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<I::Item>> {
        std::task::Poll::Ready(self.0.next())
    }
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// A header's value, when it is there once.
    pub fn header(&self, name: &str) -> Option<&str> {
        once(&self.headers, name)
    }

    /// The body as text.
    ///
    /// # Panics
    /// When it is none.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {}: {}", self.status, self.text()))
    }

    /// The JSON of an answer that succeeded.
    ///
    /// # Panics
    /// When it did not.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        self.json()
    }

    /// The `error` of an answer that failed with this status.
    ///
    /// # Panics
    /// When it did not, or when the envelope does not repeat the status, as typed clients need it.
    pub fn error(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/json"));
        let error = self.json()["error"].clone();
        assert_eq!(error["code"], status, "{error}");
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{error}"
        );
        error
    }
}

/// The head of an answer whose body is still to be read. Dropping it hangs up.
#[derive(Debug)]
pub struct Opened {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    body: Incoming,
    reader: FrameReader,
}

impl Opened {
    /// A header's value, when it is there once.
    pub fn header(&self, name: &str) -> Option<&str> {
        once(&self.headers, name)
    }

    /// The next server-sent event; `None` at an orderly end.
    ///
    /// # Errors
    /// When the connection breaks.
    ///
    /// # Panics
    /// When the body ends inside an event.
    pub async fn next_frame(&mut self) -> Result<Option<Frame>, CallError> {
        loop {
            if let Some(frame) = self.reader.next_frame() {
                return Ok(Some(frame));
            }
            let Some(frame) = timeout(PATIENCE, self.body.frame()).await? else {
                assert!(
                    self.reader.is_empty(),
                    "the body ends inside an event: {:?}",
                    self.reader
                );
                return Ok(None);
            };
            if let Ok(data) = frame?.into_data() {
                self.reader.push(&data);
            }
        }
    }

    /// Reads the stream up to its first visible text.
    ///
    /// # Panics
    /// When it ends before.
    pub async fn first_text(&mut self) -> String {
        while let Some(frame) = self.next_frame().await.expect("the stream goes on") {
            let Frame::Data(data) = frame else { continue };
            let chunk: Value = serde_json::from_str(&data).expect("chunks are JSON");
            let text = chunk
                .pointer("/choices/0/delta/content")
                .and_then(Value::as_str);
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                return text.to_owned();
            }
        }
        panic!("the stream ended without any text")
    }

    /// Reads the stream to its end.
    ///
    /// # Panics
    /// When the connection breaks.
    pub async fn transcript(mut self) -> Transcript {
        let mut transcript = Transcript::default();
        while let Some(frame) = self
            .next_frame()
            .await
            .expect("the stream ends in good order")
        {
            transcript.push(frame);
        }
        transcript
    }

    /// Reads what is left as it is.
    ///
    /// # Panics
    /// When the connection breaks.
    pub async fn rest(self) -> Reply {
        let body = timeout(PATIENCE, self.body.collect())
            .await
            .expect("the body ends");
        let body = body.expect("the body ends in good order").to_bytes();
        Reply {
            status: self.status,
            headers: self.headers,
            body,
        }
    }
}

fn once<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    value.to_str().ok()
}

/// The media type of an answer, without parameters.
pub fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}
