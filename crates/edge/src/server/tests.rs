use axum::routing::get;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::oneshot,
};

use super::*;

/// A server on a free port of the loopback, and what stops it.
struct Running {
    address: SocketAddr,
    shutdown: CancellationToken,
    served: tokio::task::JoinHandle<()>,
}

#[expect(clippy::disallowed_methods, reason = "the test awaits the task itself")]
async fn run(router: Router, grace: Duration) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let shutdown = CancellationToken::new();
    let served = tokio::spawn(serve(listener, router, shutdown.clone(), grace));
    Running {
        address,
        shutdown,
        served,
    }
}

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

async fn connected(running: &Running) -> TcpStream {
    TcpStream::connect(running.address)
        .await
        .expect("a connection")
}

async fn until_closed(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // A reset ends a conversation as well as an orderly close.
    let _ = stream.read_to_end(&mut text).await;
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn requests_are_answered_and_the_end_is_orderly() {
    let running = run(hello(), Duration::from_secs(60)).await;
    let mut stream = connected(&running).await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")
        .await
        .expect("sent");
    let answer = until_closed(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.ends_with("hello"), "{answer}");
    running.shutdown.cancel();
    running.served.await.expect("an orderly end");
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn http2_is_spoken_to_those_who_begin_with_it() {
    let running = run(hello(), Duration::from_secs(60)).await;
    let mut stream = connected(&running).await;
    // The preface and an empty SETTINGS frame; the server answers with its own SETTINGS.
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .expect("sent");
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.expect("a frame");
    assert_eq!(frame[3], 4, "SETTINGS first: {frame:?}");
    drop(stream);
    running.shutdown.cancel();
    running.served.await.expect("an orderly end");
}

#[tokio::test]
async fn answers_in_flight_are_finished() {
    let (arrived, mut has_arrived) = tokio::sync::mpsc::channel::<oneshot::Sender<()>>(1);
    let slow = move || {
        let arrived = arrived.clone();
        async move {
            let (go, may_go) = oneshot::channel();
            arrived.send(go).await.expect("the test listens");
            may_go.await.expect("the test lets it go");
            "finished"
        }
    };
    let running = run(Router::new().route("/", get(slow)), Duration::from_secs(60)).await;
    let mut stream = connected(&running).await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n")
        .await
        .expect("sent");
    let go = has_arrived.recv().await.expect("the request arrived");
    running.shutdown.cancel();
    go.send(()).expect("the handler waits");
    let answer = until_closed(&mut stream).await;
    assert!(answer.ends_with("finished"), "{answer}");
    running.served.await.expect("an orderly end");
}

#[tokio::test(start_paused = true)]
async fn answers_that_outlive_the_grace_are_cut() {
    let endless = || async { std::future::pending::<&str>().await };
    let running = run(
        Router::new().route("/", get(endless)),
        Duration::from_secs(5),
    )
    .await;
    let mut stream = connected(&running).await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n")
        .await
        .expect("sent");
    // Paused time moves on only when nothing else can: the request has arrived by then.
    sleep(Duration::from_secs(1)).await;
    running.shutdown.cancel();
    running.served.await.expect("an end in spite of it");
    assert_eq!(until_closed(&mut stream).await, "");
}

#[tokio::test(start_paused = true)]
async fn clients_that_never_finish_their_headers_are_cut() {
    for beginning in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nhost: he"] {
        let running = run(hello(), Duration::from_secs(60)).await;
        let mut stream = connected(&running).await;
        stream.write_all(beginning.as_bytes()).await.expect("sent");
        let answer = until_closed(&mut stream).await;
        assert!(!answer.contains("200 OK"), "{beginning:?}: {answer}");
        running.shutdown.cancel();
        running.served.await.expect("an orderly end");
    }
}

/// What a client reads that sends `pieces` pieces of a body before it reads anything.
async fn refused_while_sending(pieces: usize) -> String {
    let router = Router::new().route("/", get(|| async { "too much" }));
    let running = run(router, Duration::from_secs(60)).await;
    let mut stream = connected(&running).await;
    let piece = vec![b' '; 64 * 1024];
    let head = format!(
        "GET / HTTP/1.1\r\nhost: here\r\ncontent-length: {}\r\n\r\n",
        piece.len() * 1_000
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    for _ in 0..pieces {
        stream.write_all(&piece).await.expect("the rest is taken");
    }
    let answer = until_closed(&mut stream).await;
    drop(stream);
    running.shutdown.cancel();
    running.served.await.expect("an orderly end");
    answer
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_sends_first_and_reads_then() {
    // More than the sockets between the two hold.
    let answer = refused_while_sending(1_000).await;
    assert!(answer.ends_with("too much"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_sending_a_refused_body_is_closed_on() {
    let answer = refused_while_sending(1).await;
    assert!(answer.ends_with("too much"), "{answer}");
}

#[tokio::test]
async fn headers_end_at_what_is_buffered() {
    let running = run(hello(), Duration::from_secs(60)).await;
    let mut stream = connected(&running).await;
    let padding = "x".repeat(4 * HEADER_BYTES_MAX);
    let request = format!("GET / HTTP/1.1\r\nhost: here\r\nx-padding: {padding}\r\n\r\n");
    // The server may hang up before everything is written.
    let _ = stream.write_all(request.as_bytes()).await;
    let answer = until_closed(&mut stream).await;
    assert!(!answer.contains("200 OK"), "{answer}");
    running.shutdown.cancel();
    running.served.await.expect("an orderly end");
}

#[test]
fn an_address_has_so_many_places() {
    let connections = Arc::new(Connections::default());
    let [here, there] = ["10.0.0.1", "10.0.0.2"].map(|text| text.parse().expect("an address"));
    let mut places: Vec<Place> = (0..CONNECTIONS_PER_ADDRESS_MAX)
        .map(|_| Place::take(&connections, here).expect("a free place"))
        .collect();
    assert!(Place::take(&connections, here).is_none());
    assert!(Place::take(&connections, there).is_some());
    places.pop();
    assert!(Place::take(&connections, here).is_some());
    places.clear();
    assert!(connections.0.lock().expect("not poisoned").is_empty());
}
