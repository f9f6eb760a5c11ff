//! Every component in every state: what pages are made of, and what screenshots are compared with.

mod samples;

use askama::Template;
use axum::{extract::State, response::Response};
use switchyard_domain::{clock::Timestamp, money::UsdNanos};

use crate::{
    Console,
    error::PageError,
    form::Faults,
    shell::{Nav, Shell, page},
    ui::{ApiCall, FacetOption, Places},
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
    call: ApiCall,
    facet: Vec<FacetOption>,
    drawings: samples::Drawings,
    snippets: Vec<(&'static str, String)>,
}

/// All of them.
pub(crate) async fn show(
    State(console): State<Console>,
    visit: Visit,
) -> Result<Response, PageError> {
    let mut faults = Faults::default();
    for (field, what) in samples::FAULTS {
        faults.add(field, what);
    }
    page(&KitPage {
        shell: Shell::new(&visit, "Components", Nav::None).with_notice("Something was saved."),
        faults,
        amount: UsdNanos::new(1_043_834_567_891),
        now: Timestamp::from_micros(1_790_000_000_000_000),
        call: samples::call(&console.settings.public_url),
        facet: samples::facet(),
        drawings: samples::drawings(),
        snippets: samples::snippets(),
    })
}
