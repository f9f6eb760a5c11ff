//! Asks Google's token service.

use async_trait::async_trait;
use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT},
};
use http_body_util::Full;
use switchyard_domain::secret::Secret;
use switchyard_interchange::failure::{Failure, FailureKind};

use super::access_tokens::TokenExchange;
use crate::{
    answer::{boxed, read_all},
    credential::vertex::TOKEN_ADDRESS,
    egress::EgressClass,
    limits::{TOKEN_ANSWER_BYTES_MAX, TOKEN_EXCHANGE_TIMEOUT},
    prepared::OUR_NAME,
    transport::Transport,
};

/// The token service, at its one address.
pub(super) struct TokenService<'t> {
    pub(super) transport: &'t Transport,
}

#[async_trait]
impl TokenExchange for TokenService<'_> {
    async fn exchange(&self, form: Secret<String>) -> Result<(StatusCode, Bytes), Failure> {
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        let request = Request::builder()
            .method(Method::POST)
            .uri(TOKEN_ADDRESS)
            .header(CONTENT_TYPE, form_type)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
            .header(USER_AGENT, OUR_NAME)
            .body(Full::new(Bytes::from_owner(Wiped(form))))
            .expect("an address and headers that are constants");
        // No tenant has a say in where this goes.
        let class = EgressClass::Operator;
        let response = self
            .transport
            .exchange(class, request, TOKEN_EXCHANGE_TIMEOUT)
            .await?;
        let status = response.status();
        let reading = read_all(boxed(response.into_body()), TOKEN_ANSWER_BYTES_MAX);
        let body = tokio::time::timeout(TOKEN_EXCHANGE_TIMEOUT, reading)
            .await
            .map_err(|_| {
                Failure::new(
                    FailureKind::Timeout,
                    "the provider's token service did not end its answer in time",
                )
            })??;
        Ok((status, body))
    }
}

/// A body that is wiped once it has been sent.
struct Wiped(Secret<String>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.expose().as_bytes()
    }
}
