//! Light or dark.

use axum::{
    http::{HeaderMap, header},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;

use crate::{error::PageError, form::Submitted, visit::cookie};

const COOKIE: &str = "theme";

/// Light, dark, or as the system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match cookie(headers, COOKIE) {
            Some("light") => Self::Light,
            Some("dark") => Self::Dark,
            _ => Self::System,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Choice {
    theme: Theme,
    /// The page to go back to.
    #[serde(default)]
    back: String,
}

/// Keeps the choice in this browser.
pub(crate) async fn choose(Submitted(choice): Submitted<Choice>) -> Result<Response, PageError> {
    let line = format!(
        "{COOKIE}={}; Path=/; SameSite=Lax; Max-Age=31536000",
        choice.theme.as_str()
    );
    let back = Redirect::to(local(&choice.back));
    Ok(([(header::SET_COOKIE, line)], back).into_response())
}

/// An address on this site, or else its first page: nobody is sent elsewhere by a form.
pub(crate) fn local(address: &str) -> &str {
    let is_local = address.starts_with('/')
        && !address.starts_with("//")
        && !address.contains(['\\', '\r', '\n']);
    if is_local { address } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for (given, gone_to) in [
            ("/keys?page=2", "/keys?page=2"),
            ("", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("keys", "/"),
        ] {
            assert_eq!(local(given), gone_to, "{given}");
        }
    }
}
