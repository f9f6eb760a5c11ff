//! Signature Version 4, by AWS's own crate.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use http::{HeaderName, HeaderValue};
use sha2::{Digest as _, Sha256};
use switchyard_domain::{clock::Timestamp, secret::Secret};

use crate::{trouble::Trouble, wire::Question};

/// Static access keys.
#[derive(Debug, Clone)]
pub struct AwsCredentials {
    /// Says whose they are; no secret.
    pub access_key_id: String,
    /// Signs.
    pub secret_access_key: Arc<Secret<String>>,
    /// Goes with temporary keys.
    pub session_token: Option<Arc<Secret<String>>>,
}

pub(super) struct Signer {
    region: String,
    credentials: Credentials,
}

impl Signer {
    pub(super) fn new(region: &str, credentials: &AwsCredentials) -> Self {
        let session_token = credentials.session_token.as_ref();
        Self {
            region: region.to_owned(),
            // Wiped when dropped, as they are here.
            credentials: Credentials::new(
                &credentials.access_key_id,
                credentials.secret_access_key.expose(),
                session_token.map(|token| token.expose().clone()),
                None,
                "switchyard",
            ),
        }
    }

    /// Adds the headers that say who asks, and when.
    pub(super) fn sign(
        &self,
        question: &mut Question,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Trouble> {
        let identity = self.credentials.clone().into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("kms")
            .time(system_time(now))
            .settings(SigningSettings::default())
            .build()
            .map_err(unaskable)?
            .into();
        let headers: Vec<(&str, &str)> = question
            .headers()
            .iter()
            .map(|(name, value)| Ok((name.as_str(), value.to_str().map_err(unaskable)?)))
            .collect::<Result<_, Trouble>>()?;
        // The digest instead of the body: the crate can be told to log bodies.
        let body = SignableBody::Precomputed(hex(&Sha256::digest(body)));
        let method = question.method().as_str();
        let uri = question.uri().to_string();
        let signable =
            SignableRequest::new(method, uri, headers.into_iter(), body).map_err(unaskable)?;
        let (instructions, _) = sign(signable, &params).map_err(unaskable)?.into_parts();
        for (name, value) in instructions.headers() {
            let name: HeaderName = name.parse().map_err(unaskable)?;
            let mut value: HeaderValue = value.parse().map_err(unaskable)?;
            value.set_sensitive(true);
            question.headers_mut().insert(name, value);
        }
        Ok(())
    }
}

fn system_time(at: Timestamp) -> SystemTime {
    let micros = u64::try_from(at.micros()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn unaskable(error: impl std::error::Error + Send + Sync + 'static) -> Trouble {
    Trouble::Unaskable(Box::new(error))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;
    use http_body_util::Full;

    use super::*;

    /// Credentials, time and region are those of AWS's published test suite; the expected value
    /// was made by botocore's `SigV4Auth` over the same request.
    #[test]
    fn requests_are_signed_as_the_official_client_signs_them() {
        let body = br#"{"KeyId":"alias/example"}"#;
        let mut question = Request::post("https://kms.us-east-1.amazonaws.com/")
            .header("host", "kms.us-east-1.amazonaws.com")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", "TrentService.DescribeKey")
            .body(Full::new(Bytes::from_static(body)))
            .expect("a request");
        let credentials = AwsCredentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: Arc::new(Secret::new(
                "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            )),
            session_token: Some(Arc::new(Secret::new("AQoDYXdzEPT//example".to_owned()))),
        };
        let now = Timestamp::parse_rfc3339("2015-08-30T12:36:00Z").expect("a time");
        Signer::new("us-east-1", &credentials)
            .sign(&mut question, body, now)
            .expect("signed");
        let header = |name: &str| {
            let value = question.headers().get(name).expect("it is there");
            assert!(value.is_sensitive(), "{name}");
            value.to_str().expect("text").to_owned()
        };
        assert_eq!(header("x-amz-date"), "20150830T123600Z");
        assert_eq!(header("x-amz-security-token"), "AQoDYXdzEPT//example");
        assert_eq!(header("authorization"), EXPECTED);
    }

    const EXPECTED: &str = "AWS4-HMAC-SHA256 \
        Credential=AKIDEXAMPLE/20150830/us-east-1/kms/aws4_request, \
        SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, \
        Signature=538f88eda02fad2c0df1d5949c79e6571e1ee129eafaa067ebc902e7cda4d27e";
}
