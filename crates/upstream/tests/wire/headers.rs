//! What leaves, to the letter: a listener reads the bytes of each family's request.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const ANSWER: &str = concat!(
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nset-cookie: a=b\r\n",
    "access-control-allow-origin: *\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"
);

/// The headers that every request has.
const COMMON: [&str; 6] = [
    "accept",
    "accept-encoding",
    "content-length",
    "content-type",
    "host",
    "user-agent",
];

struct Family<'a> {
    listed: Listed<'a>,
    credential: &'a str,
    affinity: Option<&'a str>,
    /// The headers beside the common ones, and the values of those that hold the credential.
    own: &'a [(&'a str, Option<&'a str>)],
}

/// Reads one request to its end and answers it.
async fn hear(listener: TcpListener) -> (String, String) {
    let (mut socket, _) = listener.accept().await.expect("a connection");
    let mut heard = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&heard).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.split("content-length: ").nth(1).expect("a length");
            let length = length.lines().next().and_then(|digits| digits.parse().ok());
            if body.len() >= length.expect("a number") {
                socket.write_all(ANSWER.as_bytes()).await.expect("heard");
                let (head, body) = text.split_once("\r\n\r\n").expect("as before");
                return (head.to_owned(), body.to_owned());
            }
        }
        let read = socket.read_buf(&mut heard).await.expect("readable");
        assert!(read > 0, "the request broke off");
    }
}

async fn check(family: Family<'_>, listener: TcpListener) {
    let world = World::new().await;
    let name = family.listed.family;
    let endpoint = family.listed.vetted();
    let credential = Secret::new(family.credential.as_bytes().to_vec());
    let request = request(false);
    let call = Call {
        endpoint: &endpoint,
        credential: &credential,
        request: &request,
        affinity: family.affinity,
        zero_retention: false,
    };
    let (_, (head, body)) = tokio::join!(world.upstream.send(call), hear(listener));
    let mut found: Vec<(&str, &str)> = head
        .lines()
        .skip(1)
        .map(|line| line.split_once(": ").expect("a header"))
        .collect();
    found.sort_unstable();
    let mut names: Vec<&str> = family.own.iter().map(|(name, _)| *name).collect();
    names.extend(COMMON);
    names.sort_unstable();
    let found_names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
    assert_eq!(found_names, names, "{name}");
    for (header, expected) in family.own {
        let (_, value) = found
            .iter()
            .find(|(name, _)| name == header)
            .expect("it is there");
        if let Some(expected) = expected {
            assert_eq!(value, expected, "{name} {header}");
        }
    }
    let holds_key = |text: &str| text.contains("0123456789");
    let holding = found.iter().filter(|(_, value)| holds_key(value)).count();
    assert_eq!(holding, 1, "{name}: one header holds the key");
    let line = head.lines().next().expect("a request line");
    assert!(
        !holds_key(line) && !holds_key(&body),
        "{name}: {line} {body}"
    );
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    (listener, format!("http://{address}"))
}

const KEY: &str = "key-0123456789";

const BEARER: &str = "Bearer key-0123456789";
const VERSION: (&str, Option<&str>) = ("anthropic-version", Some("2023-06-01"));

#[tokio::test]
async fn t33_only_its_own_credential_and_listed_headers_leave() {
    // Pasted with a line end.
    let pasted = format!("{KEY}\n");
    for (slug, family, affinity, own) in [
        (
            "acme",
            FAMILIES[0],
            None,
            &[("authorization", Some(BEARER))][..],
        ),
        (
            "xai",
            FAMILIES[0],
            Some("ab12"),
            &[
                ("authorization", Some(BEARER)),
                ("x-grok-conv-id", Some("ab12")),
            ],
        ),
        (
            "anthropic",
            FAMILIES[1],
            Some("ab12"),
            &[("x-api-key", Some(KEY)), VERSION],
        ),
    ] {
        let (listener, address) = listener().await;
        let listed = Listed::new(slug, family, &address);
        let family = Family {
            listed,
            credential: &pasted,
            affinity,
            own,
        };
        check(family, listener).await;
    }
}

#[tokio::test]
async fn t33_only_the_key_of_an_azure_credential_leaves() {
    let credential = json!([
        {"api_key": KEY, "resource_name": "r", "resource_type": "ai_foundry"},
        {"api_key": "other-0123456789", "resource_name": "r", "resource_type": "ai_foundry"},
    ]);
    let credential = credential.to_string();
    for (model, own) in [
        ("openai/m", &[("api-key", Some(KEY))][..]),
        ("anthropic/m", &[("x-api-key", Some(KEY)), VERSION]),
    ] {
        let (listener, address) = listener().await;
        let base_url = format!("{address}/{{resource}}");
        let listed = Listed {
            model,
            ..Listed::new("azure", "azure", &base_url)
        };
        let family = Family {
            listed,
            credential: &credential,
            affinity: None,
            own,
        };
        check(family, listener).await;
    }
}
