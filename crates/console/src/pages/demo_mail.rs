//! The mails that the demo would have sent. Only the demo has this page.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use switchyard_app::mail::KeptMail;
use switchyard_domain::clock::Timestamp;

use crate::{
    Console,
    error::PageError,
    shell::{Nav, Shell, page},
    ui::{Markup, escaped},
    visit::Visit,
};

#[derive(Template)]
#[template(path = "pages/demo_mail.html")]
struct DemoMailPage {
    shell: Shell,
    mails: Vec<Arc<KeptMail>>,
    now: Timestamp,
}

/// The latest mails.
pub(crate) async fn show(
    State(console): State<Console>,
    visit: Visit,
) -> Result<Response, PageError> {
    let kept = console.demo_mails.as_ref().ok_or(PageError::NotFound)?;
    page(&DemoMailPage {
        shell: Shell::new(&visit, "Demo mail", Nav::None),
        mails: kept.latest(),
        now: console.app.clock().now(),
    })
}

/// A mail's text, where lines that are addresses can be followed.
fn with_links(text: &str) -> Markup {
    let lines = text.lines().map(|line| {
        let safe = escaped(line);
        if line.starts_with("http://") || line.starts_with("https://") {
            format!("<a href=\"{safe}\">{safe}</a>")
        } else {
            safe
        }
    });
    Markup::trusted(lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_become_links_and_nothing_becomes_markup() {
        let text = "Hello <b>Ada</b>,\n\nhttps://a.example/verify/0?x=\"1\"\njavascript:alert(1)";
        let shown = with_links(text).to_string();
        assert_eq!(
            shown,
            "Hello &lt;b&gt;Ada&lt;/b&gt;,\n\n\
             <a href=\"https://a.example/verify/0?x=&quot;1&quot;\">\
             https://a.example/verify/0?x=&quot;1&quot;</a>\njavascript:alert(1)"
        );
    }
}
