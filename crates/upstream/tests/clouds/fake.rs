//! A server that plays a cloud: it notes what arrives and answers what it is told to, over TLS under
//! the names that its certificate has, or plainly.

use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use hyper::{
    body::{Body, Frame, Incoming},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use switchyard_domain::clock::{Clock, Timestamp};
use switchyard_upstream::{Resolve, egress::EgressPolicy, http::HttpUpstream, limits::Timeouts};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

const AUTHORITY: &[u8] = include_bytes!("../../fixtures/tls/authority.pem");
const CERTIFICATE: &[u8] = include_bytes!("../../fixtures/tls/server.pem");
const KEY: &[u8] = include_bytes!("../../fixtures/tls/server.key");

/// What arrived.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    /// The name that was called.
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Arrived {
    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("a text"))
    }

    /// The names of all headers, in alphabetical order.
    pub(crate) fn header_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.headers.keys().map(|name| name.as_str()).collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// What to answer: the body in the pieces that it is sent in.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) pieces: Vec<Bytes>,
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            pieces: vec![body.into()],
        }
    }

    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The same body in pieces of so many bytes.
    pub(crate) fn in_pieces_of(mut self, bytes: usize) -> Self {
        let whole = self.pieces.concat();
        self.pieces = whole.chunks(bytes).map(Bytes::copy_from_slice).collect();
        self
    }
}

#[derive(Default)]
struct Script {
    replies: Mutex<VecDeque<Reply>>,
    arrived: Mutex<Vec<Arrived>>,
}

/// A running server. It ends with the test.
pub(crate) struct Cloud {
    address: SocketAddr,
    script: Arc<Script>,
    _serving: JoinSet<()>,
}

impl Cloud {
    /// Starts one, over TLS.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let script = Arc::new(Script::default());
        let mut serving = JoinSet::new();
        serving.spawn(accept(listener, Arc::clone(&script)));
        Self {
            address,
            script,
            _serving: serving,
        }
    }

    /// What is answered next, after what was told before.
    pub(crate) fn reply(&self, reply: Reply) {
        lock(&self.script.replies).push_back(reply);
    }

    /// All that arrived since it was asked last.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        std::mem::take(&mut *lock(&self.script.arrived))
    }

    /// An upstream to which every name leads here.
    pub(crate) fn upstream(&self, clock: Arc<dyn Clock>) -> HttpUpstream {
        let mut authorities = RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(AUTHORITY).expect("a certificate");
        authorities.add(authority).expect("an authority");
        let egress = EgressPolicy {
            private_cidrs: vec!["127.0.0.0/8".parse().expect("a range")],
        };
        let timeouts = Timeouts {
            first_byte: Duration::from_secs(20),
            idle: Duration::from_secs(20),
            ..Timeouts::default()
        };
        let resolver: Arc<dyn Resolve> = Arc::new(AllNames(self.address));
        HttpUpstream::believing(&authorities, egress, timeouts, clock, &resolver)
    }
}

struct AllNames(SocketAddr);

#[async_trait]
impl Resolve for AllNames {
    async fn resolve(&self, _: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(vec![self.0])
    }
}

async fn accept(listener: TcpListener, script: Arc<Script>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports them")
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(CERTIFICATE).expect("a certificate")],
            PrivateKeyDer::from_pem_slice(KEY).expect("a key"),
        )
        .expect("a certificate and its key");
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let mut connections = JoinSet::new();
    while let Ok((tcp, _)) = listener.accept().await {
        connections.spawn(serve(tcp, acceptor.clone(), Arc::clone(&script)));
    }
}

async fn serve(tcp: TcpStream, acceptor: TlsAcceptor, script: Arc<Script>) {
    let Ok(tls) = acceptor.accept(tcp).await else {
        return;
    };
    let service = service_fn(move |request| answer(request, Arc::clone(&script)));
    let connection = Builder::new(TokioExecutor::new());
    // A client that leaves is no fault of the server's.
    let _ = connection
        .serve_connection(TokioIo::new(tls), service)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    script: Arc<Script>,
) -> Result<Response<Pieces>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes());
    let host = parts.uri.authority().map(ToString::to_string);
    let host = host.or_else(|| {
        let host = parts.headers.get("host")?;
        host.to_str().ok().map(str::to_owned)
    });
    lock(&script.arrived).push(Arrived {
        host: host.unwrap_or_default(),
        path: parts
            .uri
            .path_and_query()
            .map_or("", |path| path.as_str())
            .to_owned(),
        headers: parts.headers,
        body: body.unwrap_or_default(),
    });
    let reply = lock(&script.replies).pop_front();
    let reply = reply.unwrap_or_else(|| Reply::new(418, "text/plain", "nothing was planned"));
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    let body = Pieces(reply.pieces.into());
    Ok(response.body(body).expect("a response"))
}

/// A body in pieces, all of them ready.
struct Pieces(VecDeque<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.0.pop_front();
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("no test panics while it notes something")
}

/// The time at which all of this happens, and as much later as it is told.
pub(crate) struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_795_521_600)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(1_000)
    }
}

/// A recorded exchange.
pub(crate) fn recording(path: &str) -> serde_json::Value {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_slice(&text).expect("JSON")
}

/// A recorded answer, to be given again.
pub(crate) fn replay(recording: &serde_json::Value) -> Reply {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let response = &recording["response"];
    let body: Bytes = match (&response["body_text"], &response["body_base64"]) {
        (serde_json::Value::String(text), _) => text.clone().into(),
        (_, serde_json::Value::String(text)) => STANDARD.decode(text).expect("base64").into(),
        _ => Bytes::new(),
    };
    let content_type = response["headers"]["content-type"].as_str().unwrap_or("");
    let status = response["status"]
        .as_u64()
        .and_then(|status| u16::try_from(status).ok());
    let reply = Reply::new(status.expect("a status"), content_type, body);
    match response["headers"]["x-amzn-errortype"].as_str() {
        Some(kind) => reply.with("x-amzn-errortype", kind),
        None => reply,
    }
}
