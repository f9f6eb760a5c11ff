//! Checks Signature Version 4 from its published description, independently of what signs.

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::request::Parts;
use sha2::{Digest as _, Sha256};

pub(crate) struct Expected<'a> {
    pub(crate) access_key_id: &'a str,
    pub(crate) secret_access_key: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

/// Whether the request's `authorization` is this signer's.
pub(crate) fn verifies(expected: &Expected<'_>, head: &Parts, body: &[u8]) -> bool {
    verified(expected, head, body).is_some()
}

fn verified(expected: &Expected<'_>, head: &Parts, body: &[u8]) -> Option<()> {
    let header = |name: &str| head.headers.get(name)?.to_str().ok();
    let authorization = header("authorization")?.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let mut fields = authorization.split(", ");
    let credential = fields.next()?.strip_prefix("Credential=")?;
    let signed_headers = fields.next()?.strip_prefix("SignedHeaders=")?;
    let signature = fields.next()?.strip_prefix("Signature=")?;

    let at = header("x-amz-date")?;
    let day = at.get(..8)?;
    let scope = format!(
        "{day}/{}/{}/aws4_request",
        expected.region, expected.service
    );
    if credential != format!("{}/{scope}", expected.access_key_id) {
        return None;
    }
    let mut canonical = format!("{}\n{}\n\n", head.method, head.uri.path());
    for name in signed_headers.split(';') {
        canonical += &format!("{name}:{}\n", header(name)?.trim());
    }
    canonical += &format!("\n{signed_headers}\n{}", hex(&Sha256::digest(body)));
    let digest = hex(&Sha256::digest(canonical.as_bytes()));
    let to_sign = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{digest}");

    let mut key = format!("AWS4{}", expected.secret_access_key).into_bytes();
    for part in [day, expected.region, expected.service, "aws4_request"] {
        key = mac(&key, part.as_bytes());
    }
    (hex(&mac(&key, to_sign.as_bytes())) == signature).then_some(())
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length will do");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The cases `get-vanilla` and `post-vanilla` of AWS's published suite, and the first with another
/// path.
#[test]
fn published_signatures_verify_and_others_do_not() {
    let expected = Expected {
        access_key_id: "AKIDEXAMPLE",
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        region: "us-east-1",
        service: "service",
    };
    for (method, path, signature, is_right) in [
        (
            "GET",
            "/",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            true,
        ),
        (
            "POST",
            "/",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            true,
        ),
        (
            "GET",
            "/other",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            false,
        ),
    ] {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("host", "example.amazonaws.com")
            .header("x-amz-date", "20150830T123600Z")
            .header("authorization", authorization)
            .body(())
            .expect("a request");
        let (head, ()) = request.into_parts();
        assert_eq!(verifies(&expected, &head, b""), is_right, "{method} {path}");
    }
}
