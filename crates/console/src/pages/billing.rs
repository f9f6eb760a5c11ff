//! What an account has: its credit, and what of it was used.

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
#[template(path = "pages/billing.html")]
struct BillingPage {
    shell: Shell,
    balance: UsdNanos,
    granted: UsdNanos,
    used: UsdNanos,
}

/// The account's credit.
pub(crate) async fn show(
    State(console): State<Console>,
    SignedIn { visit, visitor }: SignedIn,
) -> Result<Response, PageError> {
    let credits = console.app.credits(visitor.account_id()).await?;
    page(&BillingPage {
        shell: Shell::new(&visit, "Billing", Nav::Billing),
        balance: credits.total_credits.saturating_sub(credits.total_usage),
        granted: credits.total_credits,
        used: credits.total_usage,
    })
}
