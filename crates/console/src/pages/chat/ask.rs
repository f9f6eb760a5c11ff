//! A question: the API's own body, answered by the API's own handler, for the key that stands for whoever is
//! signed in.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    response::Response,
};

use crate::{Console, error::PageError, form::FromHere, pages::models::onlooker, visit::SignedIn};

/// What a browser sends of its own accord, and would tell the API something else than it means.
const NOT_PASSED_ON: [HeaderName; 4] = [
    header::COOKIE,
    header::AUTHORIZATION,
    header::REFERER,
    header::ORIGIN,
];

static TITLE: HeaderName = HeaderName::from_static("x-title");
static APP: HeaderValue = HeaderValue::from_static("Console chat");

/// `POST /chat/completions`.
pub(crate) async fn ask(
    State(console): State<Console>,
    signed_in: SignedIn,
    FromHere: FromHere,
    mut request: Request,
) -> Result<Response, PageError> {
    let onlooker = onlooker(&signed_in.visit).ok_or(PageError::NeedsSignIn)?;
    let acting = signed_in.acting();
    let caller = console.app.console_caller(&onlooker, &acting).await?;
    let headers = request.headers_mut();
    for name in &NOT_PASSED_ON {
        headers.remove(name);
    }
    headers.insert(TITLE.clone(), APP.clone());
    Ok(console.chat.answer(caller, request).await)
}
