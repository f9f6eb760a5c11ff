use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use switchyard_interchange::failure::{Failure, FailureKind};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
};

use super::*;
use crate::{
    egress::{EgressClass, EgressPolicy},
    transport::Transport,
};

/// A listener that answers everybody, counts connections, and goes when it is dropped.
struct Counter {
    address: SocketAddr,
    connects: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl Counter {
    async fn listen(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let connects = Arc::new(AtomicUsize::new(0));
        let mut serving = JoinSet::new();
        let count = Arc::clone(&connects);
        serving.spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let mut head = [0; 1_024];
                let _ = socket.read(&mut head).await;
                let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
                let _ = socket.write_all(answer).await;
            }
        });
        Self {
            address,
            connects,
            _serving: serving,
        }
    }

    fn connects(&self) -> usize {
        self.connects.load(Ordering::SeqCst)
    }
}

/// A resolver whose answers are a script; the last one stays. It says which names it was asked for.
struct Script {
    answers: Mutex<Vec<Vec<SocketAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Script {
    fn new(mut answers: Vec<Vec<SocketAddr>>) -> Arc<Self> {
        answers.reverse();
        Arc::new(Self {
            answers: Mutex::new(answers),
            asked: Mutex::default(),
        })
    }

    fn asked(&self) -> usize {
        self.asked.lock().expect("no panic").len()
    }
}

#[async_trait]
impl Resolve for Script {
    async fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        self.asked.lock().expect("no panic").push(name.to_owned());
        let mut answers = self.answers.lock().expect("no panic");
        let answer = match &mut answers[..] {
            [last] => last.clone(),
            _ => answers.pop().expect("a script is not empty"),
        };
        Ok(answer)
    }
}

fn transport(private: &[&str], resolver: &Arc<Script>) -> Transport {
    let cidrs = private.iter().map(|range| range.parse().expect("a range"));
    let policy = EgressPolicy {
        private_cidrs: cidrs.collect(),
    };
    let resolver: Arc<dyn Resolve> = Arc::clone(resolver) as _;
    Transport::new(policy, &resolver, None, Duration::from_secs(2))
}

/// `None`: it was answered.
async fn ask(transport: &Transport, class: EgressClass, uri: Uri) -> Option<Failure> {
    let request = Request::get(uri).body(Full::new(Bytes::new()));
    let request = request.expect("a request");
    let asked = transport.exchange(class, request, Duration::from_secs(5));
    asked.await.err()
}

/// Ways to write an address of this machine, of its network, or of the cloud that it runs in.
const SPELLINGS: [&str; 88] = [
    // Dotted, short and in one number; decimal, octal and hexadecimal.
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "127.1",
    "127.0.1",
    "127.00.00.01",
    "2130706433",
    "02130706433",
    "017700000001",
    "0177.0.0.1",
    "0177.0.0.01",
    "0177.1",
    "00000177.0.0.1",
    "0x7f.0.0.1",
    "0x7f.1",
    "0x7F000001",
    "0x7f000001",
    "0X7F.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "0x0000007f.0.0.1",
    "127.0x0.0.01",
    "127.0.0.0x1",
    "0x7f.0.1",
    "0",
    "0.0.0.0",
    "00.0.0.0",
    "0x0",
    "0.0",
    "4294967295",
    "255.255.255.255",
    "3232235521",
    "192.168.0.1",
    "192.168.1",
    "0xc0a80001",
    "10.0.0.1",
    "10.1",
    "012.0.0.1",
    "0xa.0.0.1",
    "167772161",
    "172.16.0.1",
    "172.31.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "169.16689662",
    "198.18.0.1",
    "224.0.0.1",
    "192.0.0.192",
    // With a dot at the end, which resolvers take for the root.
    "127.0.0.1.",
    "2130706433.",
    "0x7f.1.",
    "localhost.",
    "metadata.google.internal.",
    // In brackets: loopback, mapped, translated, local, documentation, with a zone.
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:0001]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:10.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001::7f00:1]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fe80::1%lo]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[2001:db8::1]",
    // Names, and what stands before them.
    "localhost",
    "LOCALHOST",
    "api.localhost",
    "metadata.google.internal",
    "instance-data",
    "user@127.0.0.1",
    "api.example.com@127.0.0.1",
    "api.example.com:pw@localhost",
];

#[tokio::test]
async fn t29_spellings_of_private_addresses_are_not_dialled() {
    let counter = Counter::listen("127.0.0.1:0").await;
    // The worst of all resolvers: every name leads here, whatever port is called.
    let resolver = Script::new(vec![vec![counter.address]]);
    let transport = transport(&[], &resolver);
    let port = counter.address.port();
    let mut blocked = 0;
    for spelling in SPELLINGS {
        for (class, address) in [
            (EgressClass::Operator, format!("http://{spelling}:{port}/")),
            (EgressClass::Operator, format!("https://{spelling}:{port}/")),
            (EgressClass::Operator, format!("http://{spelling}/")),
            (EgressClass::Tenant, format!("http://{spelling}:{port}/")),
            (EgressClass::Tenant, format!("https://{spelling}:{port}/")),
            (EgressClass::Tenant, format!("https://{spelling}/")),
        ] {
            // What is no address at all cannot be dialled either.
            let Ok(uri) = address.parse::<Uri>() else {
                continue;
            };
            let failure = ask(&transport, class, uri.clone()).await;
            let failure = failure.expect("nobody answers");
            blocked += usize::from(failure.kind == FailureKind::EgressBlocked);
            if class == EgressClass::Tenant {
                let policy = Arc::default();
                let verdict = Rules { class, policy }.check_uri(&uri);
                verdict.expect_err("a tenant's address is refused before it is resolved");
            }
        }
    }
    assert_eq!(counter.connects(), 0);
    // TLS cannot be spoken with some of them, which comes first; all others are refused by the rules.
    assert!(blocked > 4 * SPELLINGS.len(), "{blocked} were blocked");
}

#[tokio::test]
async fn t29_the_listener_would_have_counted() {
    let counter = Counter::listen("127.0.0.1:0").await;
    let resolver = Script::new(vec![vec![counter.address]]);
    let transport = transport(&["127.0.0.0/8"], &resolver);
    for host in ["127.0.0.1", "somewhere.example.com"] {
        let uri = format!("http://{host}:{}/", counter.address.port());
        let uri = uri.parse().expect("an address");
        assert_eq!(ask(&transport, EgressClass::Operator, uri).await, None);
    }
    assert_eq!(counter.connects(), 2);
    // What the operator may, tenants may not.
    for address in ["https://127.0.0.1/", "https://somewhere.example.com/"] {
        let uri = address.parse().expect("an address");
        let failure = ask(&transport, EgressClass::Tenant, uri).await;
        assert_eq!(
            failure.map(|failure| failure.kind),
            Some(FailureKind::EgressBlocked)
        );
    }
    assert_eq!(counter.connects(), 2);
}

#[tokio::test]
async fn t30_a_name_that_changes_its_mind_is_not_followed() {
    let good = Counter::listen("127.0.0.2:0").await;
    let port = good.address.port();
    let bad = Counter::listen(&format!("127.0.0.1:{port}")).await;
    let resolver = Script::new(vec![
        vec![good.address],
        vec![bad.address],
        vec![bad.address, good.address],
    ]);
    let transport = transport(&["127.0.0.2/32"], &resolver);
    let uri: Uri = "http://rebinding.example.com/".parse().expect("an address");
    let mut kinds = Vec::new();
    for _ in 0..3 {
        let failure = ask(&transport, EgressClass::Operator, uri.clone()).await;
        kinds.push(failure.map(|failure| failure.kind));
    }
    // Asked once for each connection: what was checked is what is dialled.
    assert_eq!(kinds, [None, Some(FailureKind::EgressBlocked), None]);
    assert_eq!(resolver.asked(), 3);
    assert_eq!((good.connects(), bad.connects()), (2, 0));
}

#[tokio::test]
async fn t30_a_tenants_name_that_is_private_in_part_is_refused_whole() {
    let counter = Counter::listen("127.0.0.1:0").await;
    let public = "203.0.114.7:443".parse().expect("an address");
    let resolver = Script::new(vec![vec![public, counter.address]]);
    let transport = transport(&["127.0.0.0/8"], &resolver);
    let uri: Uri = "https://rebinding.example.com/"
        .parse()
        .expect("an address");
    let failure = ask(&transport, EgressClass::Tenant, uri).await;
    assert_eq!(
        failure.map(|failure| failure.kind),
        Some(FailureKind::EgressBlocked)
    );
    assert_eq!(counter.connects(), 0);
}
