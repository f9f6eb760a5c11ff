//! What surrounds every answer: CORS, a request id, one log line, one count, and a fence against
//! panics. One layer by hand rather than five from a shelf, because every request pays for it.

mod cors;
mod measure;

use std::{
    any::Any,
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    extract::Request,
    http::{HeaderValue, Method},
    response::{IntoResponse, Response},
    routing::{Route, future::RouteFuture},
};
use switchyard_domain::clock::Clock;
use tower::{Layer, Service};

use crate::{
    error,
    limits::HEADER_BYTES_MAX,
    reply::{Refusal, X_REQUEST_ID, put_request_id},
};

/// What all routes share of the frame.
#[derive(Clone)]
pub(crate) struct Frame(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    /// Node and start, so that ids of different processes differ.
    id_prefix: String,
    requests: AtomicU64,
}

impl Frame {
    pub(crate) fn new(clock: Arc<dyn Clock>, node: &str) -> Self {
        let id_prefix = format!("req-{}-{node}-", clock.now().seconds());
        Self(Arc::new(Shared {
            clock,
            id_prefix,
            requests: AtomicU64::new(0),
        }))
    }

    /// Unix seconds.
    pub(crate) fn now_seconds(&self) -> i64 {
        self.0.clock.now().seconds()
    }

    fn elapsed(&self, since: Duration) -> Duration {
        self.0.clock.monotonic().saturating_sub(since)
    }

    fn next_id(&self) -> Option<HeaderValue> {
        let number = self.0.requests.fetch_add(1, Ordering::Relaxed);
        HeaderValue::try_from(format!("{}{number}", self.0.id_prefix)).ok()
    }
}

/// The name of a request whose handler has a use for it, among the request's extensions.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) HeaderValue);

/// When a request gets its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// With its answer, unless that has a better one, such as a generation's id.
    Late,
    /// At once: its handler writes it down.
    Early,
}

/// Puts the frame around a route.
#[derive(Clone)]
pub(crate) struct Observe {
    /// The route as it is written in the table: the only text that labels metrics.
    route: &'static str,
    naming: Naming,
    frame: Frame,
}

impl Observe {
    pub(crate) fn new(route: &'static str, frame: &Frame) -> Self {
        Self {
            route,
            naming: Naming::Late,
            frame: frame.clone(),
        }
    }

    /// The same, for handlers that write down who asked.
    pub(crate) fn named_early(mut self) -> Self {
        self.naming = Naming::Early;
        self
    }
}

impl Layer<Route> for Observe {
    type Service = Observed;

    fn layer(&self, inner: Route) -> Observed {
        Observed {
            inner,
            observe: self.clone(),
        }
    }
}

/// A route with its frame.
#[derive(Clone)]
pub(crate) struct Observed {
    inner: Route,
    observe: Observe,
}

impl Service<Request> for Observed {
    type Response = Response;
    type Error = Infallible;
    type Future = ObservedFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request>::poll_ready(&mut self.inner, cx)
    }

    fn call(&mut self, mut request: Request) -> ObservedFuture {
        let method = request.method().clone();
        let name = match self.observe.naming {
            Naming::Early => self.observe.frame.next_id(),
            Naming::Late => None,
        };
        if let Some(name) = &name {
            request.extensions_mut().insert(RequestId(name.clone()));
        }
        let started_at = self.observe.frame.0.clock.monotonic();
        let answer = if head_bytes(&request) > HEADER_BYTES_MAX {
            Answer::Ready(Some(Refusal::from(error::head_too_large()).into_response()))
        } else if method == Method::OPTIONS {
            Answer::Ready(Some(cors::preflight(request.headers())))
        } else {
            Answer::Pending(self.inner.call(request))
        };
        ObservedFuture {
            answer,
            method,
            name,
            started_at,
            observe: self.observe.clone(),
        }
    }
}

/// About how long the request line and headers were on the wire. hyper bounds what it buffers, but
/// lets a head pass that its last read completes.
fn head_bytes(request: &Request) -> usize {
    const SEPARATORS: usize = 4;
    let target = request
        .uri()
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    let headers = request.headers().iter();
    headers.fold(target, |sum, (name, value)| {
        sum + name.as_str().len() + value.len() + SEPARATORS
    })
}

/// An answer on its way.
pub(crate) struct ObservedFuture {
    answer: Answer,
    method: Method,
    name: Option<HeaderValue>,
    started_at: Duration,
    observe: Observe,
}

enum Answer {
    Ready(Option<Response>),
    Pending(RouteFuture<Infallible>),
}

impl Future for ObservedFuture {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = match &mut self.answer {
            Answer::Ready(response) => response.take().unwrap_or_default(),
            Answer::Pending(inner) => {
                let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(inner).poll(cx)));
                match polled {
                    Ok(poll) => match ready!(poll) {
                        Ok(response) => response,
                        Err(never) => match never {},
                    },
                    Err(panic) => self.after_panic(&*panic),
                }
            }
        };
        self.finish(&mut response);
        Poll::Ready(Ok(response))
    }
}

impl ObservedFuture {
    fn after_panic(&mut self, panic: &(dyn Any + Send)) -> Response {
        // The inner future must not be polled again.
        self.answer = Answer::Ready(None);
        tracing::error!(
            http.route = self.observe.route,
            panic = panic_text(panic),
            "a handler panicked"
        );
        Refusal::from(error::internal()).into_response()
    }

    fn finish(&mut self, response: &mut Response) {
        let frame = &self.observe.frame;
        let status = response.status().as_u16();
        let headers = response.headers_mut();
        cors::allow(headers);
        if !headers.contains_key(&X_REQUEST_ID)
            && let Some(id) = self.name.take().or_else(|| frame.next_id())
        {
            put_request_id(headers, id);
        }
        let elapsed = frame.elapsed(self.started_at);
        measure::answered(self.observe.route, status, elapsed);
        let request_id = headers.get(&X_REQUEST_ID).and_then(|id| id.to_str().ok());
        let duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        // What went well is counted above and recorded with its generation; a line for each would
        // cost as much as reading the request.
        if status >= 500 {
            tracing::warn!(
                http.method = self.method.as_str(),
                http.route = self.observe.route,
                http.status = status,
                request.id = request_id,
                duration_ms,
                "could not answer a request"
            );
        } else {
            tracing::debug!(
                http.method = self.method.as_str(),
                http.route = self.observe.route,
                http.status = status,
                request.id = request_id,
                duration_ms,
                "answered a request"
            );
        }
    }
}

/// A panic's message, where it is a constant of the code. A formatted one might hold a value.
fn panic_text(panic: &(dyn Any + Send)) -> &'static str {
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .unwrap_or("a formatted message")
}

#[cfg(test)]
mod tests;
