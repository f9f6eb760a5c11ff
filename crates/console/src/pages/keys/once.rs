//! Forms whose answer holds a secret. It is shown in the first answer and in no other: whoever sends the
//! form again, by a second click or by loading the page again, is told what became of the first sending.

use switchyard_app::{
    App,
    idempotency::{Asking, Begun, Claim, IdempotencyKey},
};
use switchyard_domain::id::AccountId;

use crate::error::PageError;

/// Whose turn it is.
pub(super) enum Turn {
    /// The form was not sent before.
    First(Box<Claim>),
    /// It was; this was made.
    Again(String),
}

/// Finds out whether a form was sent before, with the same fields.
pub(super) async fn turn(
    app: &App,
    account_id: AccountId,
    route: &str,
    key: &str,
    fields: &str,
) -> Result<Turn, PageError> {
    let key: IdempotencyKey = key
        .parse()
        .map_err(|_| PageError::BadForm("It has lost a part. Load the page again.".to_owned()))?;
    let asking = Asking {
        account_id,
        key: &key,
        route,
        target: route,
        body: fields.as_bytes(),
    };
    match app.idempotency().begin(asking).await? {
        Begun::Claimed(claim) => Ok(Turn::First(claim)),
        Begun::Done(kept) => match String::from_utf8(kept.body.expose().clone()) {
            Ok(made) => Ok(Turn::Again(made)),
            Err(_) => Err(sent_before()),
        },
        Begun::InFlight => Err(PageError::Conflict(
            "This form was just sent, and is being worked on. Look at the list of keys in a moment."
                .to_owned(),
        )),
        Begun::Mismatch | Begun::Unreadable => Err(sent_before()),
    }
}

fn sent_before() -> PageError {
    PageError::Conflict(
        "This form was sent before with other values. Open it anew to send it again.".to_owned(),
    )
}
