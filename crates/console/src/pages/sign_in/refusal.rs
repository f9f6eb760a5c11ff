//! What a form says when a proof was not taken.

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use switchyard_app::people::proofs::ProofError;
use switchyard_domain::clock::Timestamp;

use crate::{error::PageError, shell::page_with};

/// The form comes back with these words.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    /// What is wrong and what to do.
    pub(crate) text: String,
    wait_seconds: Option<u64>,
}

impl Refusal {
    /// What to say of `error`; `wrong` is how this form puts it that a proof is not right. What no
    /// other input could change is a page of its own.
    pub(crate) fn of(error: ProofError, wrong: &str, now: Timestamp) -> Result<Self, PageError> {
        let (status, text) = match error {
            ProofError::Wrong => (StatusCode::UNPROCESSABLE_ENTITY, wrong.to_owned()),
            ProofError::Weak(weakness) => (StatusCode::UNPROCESSABLE_ENTITY, sentence(&weakness)),
            ProofError::Passkey(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "The passkey was not accepted. Try again, or another way.".to_owned(),
            ),
            ProofError::Locked { until } => {
                let seconds = until.since(now).as_secs() + 1;
                return Ok(Self {
                    status: StatusCode::TOO_MANY_REQUESTS,
                    text: format!("Locked after too many tries. Wait {}.", spoken(seconds)),
                    wait_seconds: Some(seconds),
                });
            }
            ProofError::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Many people sign in right now. Try again in a moment.".to_owned(),
            ),
            ProofError::Expired => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "This took too long, or was done already. Start again.".to_owned(),
            ),
            ProofError::Closed => {
                return Err(PageError::Conflict(
                    "Nobody can sign up here. Ask whoever runs this service for an account."
                        .to_owned(),
                ));
            }
            ProofError::NoMail => {
                return Err(PageError::Conflict(
                    "This service sends no mail. Ask whoever runs it for a link to sign in."
                        .to_owned(),
                ));
            }
            ProofError::NoPasskeys => {
                return Err(PageError::Conflict(
                    "Passkeys need a console that is reached by a host name.".to_owned(),
                ));
            }
            ProofError::Session(error) => return Err(error.into()),
            ProofError::Directory(error) => return Err(error.into()),
            error @ (ProofError::Random(_) | ProofError::Seal(_) | ProofError::Open(_)) => {
                return Err(PageError::Unavailable(Box::new(error)));
            }
            error @ ProofError::Unreadable => return Err(PageError::Broken(Box::new(error))),
        };
        Ok(Self {
            status,
            text,
            wait_seconds: None,
        })
    }

    /// The form again.
    pub(crate) fn show(&self, template: &impl Template) -> Result<Response, PageError> {
        let mut response = page_with(self.status, template)?;
        if let Some(seconds) = self.wait_seconds {
            let value = HeaderValue::from(seconds);
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        Ok(response)
    }
}

/// What is wrong, as a sentence.
fn sentence(what: &impl ToString) -> String {
    let text = what.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

fn spoken(seconds: u64) -> String {
    match seconds {
        0..=1 => "a second".to_owned(),
        2..=120 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_said_in_words() {
        for (seconds, words) in [(1, "a second"), (30, "30 seconds"), (241, "5 minutes")] {
            assert_eq!(spoken(seconds), words);
        }
        let now = Timestamp::from_seconds(100);
        let until = Timestamp::from_seconds(129);
        let refusal = Refusal::of(ProofError::Locked { until }, "", now);
        let refusal = refusal.expect("a form can say it");
        assert_eq!(
            refusal.text,
            "Locked after too many tries. Wait 30 seconds."
        );
        assert_eq!(refusal.status, StatusCode::TOO_MANY_REQUESTS);
    }
}
