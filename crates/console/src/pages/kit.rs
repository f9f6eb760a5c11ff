//! Every component in every state: what pages are made of, and what screenshots are compared with.

use askama::Template;
use axum::{extract::State, response::Response};
use switchyard_domain::{clock::Timestamp, money::UsdNanos};

use crate::{
    Console,
    error::PageError,
    form::Faults,
    shell::{Nav, Shell, page},
    ui::Places,
    visit::Visit,
};

#[derive(Template)]
#[template(path = "pages/kit.html")]
struct KitPage {
    shell: Shell,
    faults: Faults,
    amount: UsdNanos,
    /// Never another one, so that two screenshots can be compared.
    now: Timestamp,
}

/// All of them.
pub(crate) async fn show(State(_): State<Console>, visit: Visit) -> Result<Response, PageError> {
    let mut faults = Faults::default();
    faults.add(
        "wrong",
        "This is not an address. Write one like ada@example.com.",
    );
    page(&KitPage {
        shell: Shell::new(&visit, "Components", Nav::None).with_notice("Something was saved."),
        faults,
        amount: UsdNanos::new(1_043_834_567_891),
        now: Timestamp::from_micros(1_790_000_000_000_000),
    })
}
