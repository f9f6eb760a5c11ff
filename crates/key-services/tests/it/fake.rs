//! A server that answers as its service would, until it is told to misbehave.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, header, request::Parts};
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::{
    body::{Body, Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use switchyard_key_services::ServiceAddress;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::JoinSet,
};

/// What a service makes of a request.
pub(crate) trait Service: Send + Sync + 'static {
    fn answer(&self, head: &Parts, body: &[u8]) -> Response<Vec<u8>>;
}

/// A JSON answer.
pub(crate) fn json(status: u16, body: &Value) -> Response<Vec<u8>> {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.to_string().into_bytes())
        .expect("a response")
}

#[derive(Debug, Clone)]
pub(crate) enum Manner {
    Well,
    /// Takes requests and never answers.
    Silent,
    /// Begins to answer and falls silent.
    HalfWay,
    /// Closes the connection instead of answering.
    HangsUp,
    Says(u16, &'static str),
    RedirectsTo(SocketAddr),
    /// A valid answer of so many bytes.
    OfBytes(usize),
}

/// A running fake. What it runs ends with it.
pub(crate) struct Fake<S> {
    pub(crate) service: Arc<S>,
    pub(crate) socket: SocketAddr,
    scheme: &'static str,
    desk: Arc<Desk>,
    _serving: JoinSet<()>,
}

struct Desk {
    manner: Mutex<Manner>,
    asked: AtomicUsize,
}

impl<S: Service> Fake<S> {
    pub(crate) async fn start(service: S) -> Self {
        Self::start_with(service, None).await
    }

    pub(crate) async fn start_with(service: S, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let socket = listener.local_addr().expect("it is bound");
        let service = Arc::new(service);
        let desk = Arc::new(Desk {
            manner: Mutex::new(Manner::Well),
            asked: AtomicUsize::new(0),
        });
        let scheme = if tls.is_some() { "https" } else { "http" };
        let mut serving = JoinSet::new();
        let (served, kept) = (Arc::clone(&service), Arc::clone(&desk));
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (service, desk) = (Arc::clone(&served), Arc::clone(&kept));
                let tls = tls.clone();
                connections.spawn(async move {
                    match tls {
                        None => talk(stream, service, desk).await,
                        Some(config) => {
                            let acceptor = tokio_rustls::TlsAcceptor::from(config);
                            if let Ok(stream) = acceptor.accept(stream).await {
                                talk(stream, service, desk).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            service,
            socket,
            scheme,
            desk,
            _serving: serving,
        }
    }

    pub(crate) fn address(&self) -> ServiceAddress {
        format!("{}://{}", self.scheme, self.socket)
            .parse()
            .expect("an address")
    }

    pub(crate) fn behave(&self, manner: Manner) {
        *self.desk.manner.lock().expect("no panic holds it") = manner;
    }

    /// How many requests came, and forgets them.
    pub(crate) fn take_asked(&self) -> usize {
        self.desk.asked.swap(0, Ordering::SeqCst)
    }
}

async fn talk<S: Service>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    service: Arc<S>,
    desk: Arc<Desk>,
) {
    let answering = service_fn(move |request: Request<Incoming>| {
        let (service, desk) = (Arc::clone(&service), Arc::clone(&desk));
        async move {
            desk.asked.fetch_add(1, Ordering::SeqCst);
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            let manner = desk.manner.lock().expect("no panic holds it").clone();
            misbehave(manner, || service.answer(&head, &body)).await
        }
    });
    // A client that gives up is not the fake's fault.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), answering)
        .await;
}

type Answered = io::Result<Response<BoxBody<Bytes, Infallible>>>;

async fn misbehave(manner: Manner, answer: impl FnOnce() -> Response<Vec<u8>>) -> Answered {
    let full = |response: Response<Vec<u8>>| response.map(|body| Full::from(body).boxed());
    let says = |status: u16, text: &str| {
        let mut response = Response::new(text.as_bytes().to_vec());
        *response.status_mut() = status.try_into().expect("a status");
        response
    };
    Ok(match manner {
        Manner::Well => full(answer()),
        Manner::Silent => std::future::pending().await,
        Manner::HalfWay => Response::new(HalfWay::default().boxed()),
        Manner::HangsUp => return Err(io::ErrorKind::Other.into()),
        Manner::Says(status, text) => full(says(status, text)),
        Manner::RedirectsTo(socket) => {
            let mut response = says(307, "");
            let location = format!("http://{socket}/").parse().expect("a value");
            response.headers_mut().insert(header::LOCATION, location);
            full(response)
        }
        Manner::OfBytes(length) => {
            let mut response = answer();
            response.body_mut().resize(length, b' ');
            full(response)
        }
    })
}

/// A few bytes, and then nothing for ever.
#[derive(Default)]
struct HalfWay {
    begun: bool,
}

impl Body for HalfWay {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.begun {
            return Poll::Pending;
        }
        self.begun = true;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"{")))))
    }
}
