//! Signs requests with an access key, in Amazon's signature version 4.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use sha2::{Digest, Sha256};
use switchyard_domain::clock::Timestamp;
use switchyard_interchange::failure::{Failure, FailureKind};

use crate::credential::bedrock::{AccessKey, Region};

/// The service as signatures name it; both of its surfaces share the name.
const SERVICE: &str = "bedrock";

/// What is signed beside the key: everything that must arrive as it left.
pub(super) struct Signable<'a> {
    /// With the path as it is sent, percent-encoded once.
    pub(super) uri: &'a str,
    pub(super) host: &'a str,
    pub(super) body: &'a [u8],
    pub(super) region: &'a Region,
    pub(super) now: Timestamp,
}

/// The headers that make a POST of `request` one of the key's owner.
pub(super) fn sign_request(key: &AccessKey, request: &Signable<'_>) -> Result<HeaderMap, Failure> {
    let credentials = Credentials::new(
        key.id.expose().as_str(),
        key.secret.expose().as_str(),
        key.session_token
            .as_ref()
            .map(|token| token.expose().clone()),
        None,
        SERVICE,
    );
    let identity = credentials.into();
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let seconds = u64::try_from(request.now.seconds()).unwrap_or(0);
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(request.region.as_str())
        .name(SERVICE)
        .time(UNIX_EPOCH + Duration::from_secs(seconds))
        .settings(settings)
        .build()
        .map_err(|_| unsigned())?
        .into();
    // The signer is handed a digest instead of the body, and so has no prompt to print.
    let digest = SignableBody::Precomputed(hex(&Sha256::digest(request.body)));
    let headers = [("host", request.host)].into_iter();
    let signable = SignableRequest::new(Method::POST.as_str(), request.uri, headers, digest)
        .map_err(|_| unsigned())?;
    let (instructions, _) = sign(signable, &params)
        .map_err(|_| unsigned())?
        .into_parts();
    let mut signed = HeaderMap::new();
    for (name, value) in instructions.headers() {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unsigned())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| unsigned())?;
        value.set_sensitive(true);
        signed.insert(name, value);
    }
    Ok(signed)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing into a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn unsigned() -> Failure {
    Failure::new(
        FailureKind::Auth,
        "the stored credential cannot sign a request",
    )
}
