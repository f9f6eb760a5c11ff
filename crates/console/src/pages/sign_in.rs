//! Before there is a session: signing up, signing in, choosing a new password; and showing again that it
//! is still them. Every form works without a script, save that passkeys are the browser's.

pub(crate) mod code;
pub(crate) mod confirm;
pub(crate) mod login;
pub(crate) mod passkey;
pub(crate) mod reset;
pub(crate) mod sign_up;
pub(crate) mod verify;

mod refusal;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse as _, Redirect, Response},
};

use crate::{
    assets,
    error::PageError,
    visit::{Visit, session_cookie},
};

pub(crate) use refusal::Refusal;

/// Cookies of what a browser is in the middle of. Their tokens say nothing and are used once.
pub(crate) const SIGNED_UP: &str = "__Host-signed-up";
pub(crate) const SECOND_FACTOR: &str = "__Host-second-factor";
pub(crate) const PASSKEY: &str = "__Host-passkey";

/// The script that runs a passkey's ceremony.
pub(crate) fn passkey_script() -> String {
    assets::address("passkey.js")
}

/// The `Set-Cookie` line of something that a browser is in the middle of.
pub(crate) fn unfinished_cookie(name: &str, token: &str, seconds: u32) -> String {
    format!("{name}={token}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}")
}

/// The line that ends it.
pub(crate) fn finished_cookie(name: &str) -> String {
    unfinished_cookie(name, "", 0)
}

/// Sends a browser on, with cookies.
pub(crate) fn on_to(address: &str, cookies: &[String]) -> Result<Response, PageError> {
    let mut response = Redirect::to(address).into_response();
    for line in cookies {
        let line =
            HeaderValue::try_from(line).map_err(|error| PageError::Broken(Box::new(error)))?;
        response.headers_mut().append(header::SET_COOKIE, line);
    }
    Ok(response)
}

/// Into the new session, where the visitor wanted to go. Whatever session the browser had is over.
async fn welcome(
    console: &crate::Console,
    visit: &Visit,
    session: &str,
    back: &str,
    finished: &str,
) -> Result<Response, PageError> {
    if let Some(before) = &visit.visitor {
        let people = console.app.people();
        match people.end_session(before, before.session().id).await {
            // Another request of the same browser ended it.
            Ok(()) | Err(switchyard_app::reads::DirectoryError::Missing(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let cookies = [session_cookie(session), finished_cookie(finished)];
    on_to(super::theme::local(back), &cookies)
}
