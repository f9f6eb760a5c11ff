//! Whatever is presented for a key: it is a key or it is not, and no database hears of what is not.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::world::*;

/// Text that has opened doors elsewhere.
const CORPUS: [&str; 24] = [
    "' OR '1'='1",
    "' OR 1=1 --",
    "\" OR \"\"=\"",
    "'; DROP TABLE api_keys; --",
    "1; SELECT pg_sleep(10)",
    "' UNION SELECT verifier FROM api_keys --",
    "sk-sy-v1-' OR lookup_id LIKE '%",
    "sk-sy-v1-%",
    "sk-sy-v1-____________",
    "\\'; SELECT 1; --",
    "$1",
    "${jndi:ldap://127.0.0.1/a}",
    "{{7*7}}",
    "../../../etc/passwd",
    "%00%0a%0d",
    "null",
    "undefined",
    "true",
    "0",
    "-1",
    "[object Object]",
    "Bearer Bearer",
    "sk-or-v1-0000000000000000000000000000000000000000000000000000000000000000",
    "ﬀ\u{202e}\u{feff}",
];

story!(
    t12_hostile_bearers_are_refused_and_no_statement_fails,
    |world| {
        let genuine = &world.key.text;
        let mut presented: Vec<String> = CORPUS.iter().map(|text| (*text).to_owned()).collect();
        presented.extend(CORPUS.iter().map(|text| format!("{genuine}{text}")));
        presented.push("a".repeat(8_000));
        presented.push(genuine.replace("sk-sy", "SK-SY"));
        let mut messages = Vec::new();
        for key in &presented {
            for path in ["/api/v1/key", "/api/v1/keys", "/api/v1/credits"] {
                let reply = world.api().get(path).key(key).send().await;
                let message = text(&reply.error(401), "message");
                // A header that is no ASCII text counts as none.
                if key.is_ascii() {
                    messages.push(message);
                }
            }
        }
        messages.dedup();
        assert_eq!(messages.len(), 1, "{messages:?}");
        no_statement_failed(&world);
        world.ask(&question(OAK)).await.ok();
    }
);

story!(
    t12_control_bytes_in_a_bearer_never_reach_a_handler,
    |world| {
        let address = world.api().base().trim_start_matches("http://").to_owned();
        for byte in (0..=0x1f_u8).chain([0x7f, 0x80, 0xff]) {
            let mut stream = TcpStream::connect(&address).await.expect("connected");
            let head = b"GET /api/v1/key HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ";
            let request = [&head[..], b"sk-sy", &[byte], b"-v1-00\r\n\r\n"].concat();
            stream.write_all(&request).await.expect("written");
            let mut answer = Vec::new();
            // A connection that is closed on such a request is an answer, too.
            let _ = stream.read_to_end(&mut answer).await;
            let answer = String::from_utf8_lossy(&answer);
            let refused = ["HTTP/1.1 400", "HTTP/1.1 401"];
            assert!(
                refused.iter().any(|status| answer.starts_with(status)),
                "{byte:#04x}: {answer}"
            );
        }
        no_statement_failed(&world);
    }
);

fn no_statement_failed(world: &World) {
    let logs = world.node.logs();
    for trace in [
        "could not be read",
        "a statement failed",
        "syntax error",
        "panicked",
    ] {
        assert!(!logs.contains(trace), "{logs}");
    }
}
