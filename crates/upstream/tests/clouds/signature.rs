//! Signature version 4 as a service checks it, written from its description and held against the
//! figures that Amazon publishes with it.

use ring::{digest, hmac};

use crate::fake::Arrived;

/// What a signature covers, read from a request.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    /// As it was sent.
    pub(crate) path: &'a str,
    /// By name, in order.
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    pub(crate) body: &'a [u8],
}

/// Day, region and service.
pub(crate) struct Scope<'a> {
    pub(crate) time: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

/// The signature, in hexadecimal.
pub(crate) fn signature(secret: &str, scope: &Scope<'_>, signed: &Signed<'_>) -> String {
    let names: Vec<&str> = signed.headers.iter().map(|(name, _)| *name).collect();
    let headers: String = signed
        .headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let canonical = format!(
        "{}\n{}\n\n{headers}\n{}\n{}",
        signed.method,
        encoded_again(signed.path),
        names.join(";"),
        hex(digest::digest(&digest::SHA256, signed.body).as_ref())
    );
    let day = &scope.time[..8];
    let credential_scope = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{}\n{credential_scope}\n{}",
        scope.time,
        hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref())
    );
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [day, scope.region, scope.service, "aws4_request", &to_sign] {
        let signing = hmac::Key::new(hmac::HMAC_SHA256, &key);
        key = hmac::sign(&signing, part.as_bytes()).as_ref().to_vec();
    }
    hex(&key)
}

/// Whether a request that arrived was signed with this key, for this region, over at least what must
/// not be changed on the way.
pub(crate) fn is_signed(arrived: &Arrived, id: &str, secret: &str, region: &str) -> bool {
    let authorization = arrived.header("authorization");
    let field = |name: &str| {
        let after = authorization.split_once(&format!("{name}="));
        after.map_or("", |(_, rest)| rest.split(',').next().unwrap_or(""))
    };
    let time = arrived.header("x-amz-date");
    let names: Vec<&str> = field("SignedHeaders").split(';').collect();
    for name in ["host", "x-amz-date", "x-amz-content-sha256"] {
        assert!(names.contains(&name), "{name} is not signed: {names:?}");
    }
    assert_eq!(
        names.contains(&"x-amz-security-token"),
        arrived.headers.contains_key("x-amz-security-token")
    );
    let value = |name: &&'_ str| match *name {
        "host" => arrived.host.as_str(),
        name => arrived.header(name),
    };
    let signed = Signed {
        method: "POST",
        path: &arrived.path,
        headers: names.iter().map(|name| (*name, value(name))).collect(),
        body: &arrived.body,
    };
    let scope = Scope {
        time,
        region,
        service: "bedrock",
    };
    let day = &time[..8];
    assert_eq!(
        field("Credential"),
        format!("{id}/{day}/{region}/bedrock/aws4_request")
    );
    let body = digest::digest(&digest::SHA256, &arrived.body);
    arrived.header("x-amz-content-sha256") == hex(body.as_ref())
        && field("Signature") == signature(secret, &scope, &signed)
}

/// A path's segments are encoded once more in what is signed.
fn encoded_again(path: &str) -> String {
    let mut encoded = String::new();
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_checker_agrees_with_amazons_published_figures() {
    let scope = Scope {
        time: "20150830T123600Z",
        region: "us-east-1",
        service: "service",
    };
    let headers = vec![
        ("host", "example.amazonaws.com"),
        ("x-amz-date", "20150830T123600Z"),
    ];
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    for (method, expected) in [
        // The cases `get-vanilla` and `post-vanilla` of the signature's test suite.
        (
            "GET",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "POST",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
    ] {
        let signed = Signed {
            method,
            path: "/",
            headers: headers.clone(),
            body: b"",
        };
        assert_eq!(signature(secret, &scope, &signed), expected, "{method}");
    }
}
