//! "Am I fine?", answered on one page.

use askama::Template;
use axum::{extract::State, response::Response};
use switchyard_domain::money::UsdNanos;

use crate::{
    Console,
    error::PageError,
    shell::{Nav, Shell, page},
    visit::SignedIn,
};

#[derive(Template)]
#[template(path = "pages/overview.html")]
struct OverviewPage {
    shell: Shell,
    balance: UsdNanos,
}

/// The first page.
pub(crate) async fn show(
    State(console): State<Console>,
    SignedIn { visit, visitor }: SignedIn,
) -> Result<Response, PageError> {
    let credits = console.app.credits(visitor.account_id()).await?;
    page(&OverviewPage {
        shell: Shell::new(&visit, "Overview", Nav::Overview),
        balance: credits.total_credits.saturating_sub(credits.total_usage),
    })
}
