//! What surrounds every page: where one is, where one can go, who one is.

use std::sync::Arc;

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse as _, Response},
};
use switchyard_app::people::sessions::Visitor;
use switchyard_domain::authority::Capability;

use crate::{assets, error::PageError, pages::theme::Theme, visit::Visit};

/// Which entry of the navigation a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nav {
    None,
    Overview,
    Keys,
    Models,
    Chat,
    Activity,
    Logs,
    Sessions,
    Notifications,
    Credentials,
    Privacy,
    Members,
    Audit,
    Billing,
    Settings,
}

/// An entry of the navigation.
pub(crate) struct Entry {
    pub(crate) nav: Nav,
    pub(crate) href: &'static str,
    pub(crate) name: &'static str,
    pub(crate) icon: &'static str,
    /// The letter that goes there after a `g`.
    pub(crate) letter: char,
    /// What it takes to see it; `None` is for everybody.
    needs: Option<Capability>,
}

const fn entry(
    nav: Nav,
    href: &'static str,
    name: &'static str,
    icon: &'static str,
    letter: char,
    needs: Option<Capability>,
) -> Entry {
    Entry {
        nav,
        href,
        name,
        icon,
        letter,
        needs,
    }
}

/// Groups of the navigation: use, look, own.
static NAVIGATION: [&[Entry]; 3] = [
    &[
        entry(Nav::Overview, "/", "Overview", "home", 'o', None),
        entry(
            Nav::Keys,
            "/keys",
            "API keys",
            "key",
            'k',
            Some(Capability::ManageApiKeys),
        ),
        entry(Nav::Models, "/models", "Models", "box", 'm', None),
        entry(
            Nav::Chat,
            "/chat",
            "Chat",
            "chat",
            'c',
            Some(Capability::Infer),
        ),
    ],
    &[
        entry(
            Nav::Activity,
            "/activity",
            "Activity",
            "chart",
            'a',
            Some(Capability::ReadActivity),
        ),
        entry(
            Nav::Logs,
            "/logs",
            "Logs",
            "list",
            'l',
            Some(Capability::ReadGenerations),
        ),
        entry(
            Nav::Sessions,
            "/sessions",
            "Sessions",
            "thread",
            's',
            Some(Capability::ReadGenerations),
        ),
        entry(
            Nav::Notifications,
            "/notifications",
            "Notifications",
            "bell",
            'n',
            None,
        ),
    ],
    &[
        entry(
            Nav::Credentials,
            "/byok",
            "Provider keys",
            "plug",
            'p',
            Some(Capability::ManageCredentials),
        ),
        entry(
            Nav::Privacy,
            "/privacy",
            "Privacy and routing",
            "shield",
            'r',
            Some(Capability::ManagePrivacy),
        ),
        entry(
            Nav::Members,
            "/members",
            "Members",
            "people",
            'e',
            Some(Capability::ManageMembers),
        ),
        entry(
            Nav::Billing,
            "/billing",
            "Billing",
            "card",
            'b',
            Some(Capability::Buy),
        ),
        entry(
            Nav::Audit,
            "/audit",
            "Audit log",
            "scroll",
            'u',
            Some(Capability::ReadAudit),
        ),
        entry(Nav::Settings, "/settings", "Settings", "gear", 't', None),
    ],
];

/// What every page's template extends.
pub(crate) struct Shell {
    pub(crate) title: String,
    pub(crate) nav: Nav,
    pub(crate) theme: Theme,
    pub(crate) visitor: Option<Arc<Visitor>>,
    /// Path and query of this page.
    pub(crate) address: String,
    /// Something that just happened, told once.
    pub(crate) notice: Option<String>,
    /// Whether anybody may see it, so that without a session it has the whole width.
    pub(crate) is_public: bool,
    pub(crate) css: String,
    pub(crate) js: String,
    pub(crate) htmx: String,
    pub(crate) icons: String,
}

impl Shell {
    pub(crate) fn new(visit: &Visit, title: impl Into<String>, nav: Nav) -> Self {
        Self {
            title: title.into(),
            nav,
            theme: visit.theme,
            visitor: visit.visitor.clone(),
            address: visit.address.clone(),
            notice: None,
            is_public: false,
            css: assets::address("app.css"),
            js: assets::address("app.js"),
            htmx: assets::address("htmx.js"),
            icons: assets::address("icons.svg"),
        }
    }

    /// The same, telling something that just happened.
    pub(crate) fn with_notice(mut self, notice: impl Into<String>) -> Self {
        self.notice = Some(notice.into());
        self
    }

    /// The same, for a page that anybody may see.
    pub(crate) fn public(mut self) -> Self {
        self.is_public = true;
        self
    }

    /// The groups of the navigation, with what the visitor may see in each.
    pub(crate) fn navigation(&self) -> Vec<Vec<&'static Entry>> {
        let may = |entry: &&'static Entry| match (&self.visitor, entry.needs) {
            (Some(visitor), Some(needs)) => visitor.may(needs),
            (Some(_), None) => true,
            (None, _) => false,
        };
        let groups = NAVIGATION.iter();
        groups
            .map(|group| group.iter().filter(may).collect::<Vec<_>>())
            .filter(|group| !group.is_empty())
            .collect()
    }

    /// What forms carry. Empty for somebody who did not sign in.
    pub(crate) fn csrf(&self) -> &str {
        let visitor = self.visitor.as_ref();
        visitor.map_or("", |visitor| visitor.csrf().expose().as_str())
    }
}

/// A page that is as it should be.
pub(crate) fn page(template: &impl Template) -> Result<Response, PageError> {
    page_with(StatusCode::OK, template)
}

/// A page with another status, such as a form with faults.
pub(crate) fn page_with(
    status: StatusCode,
    template: &impl Template,
) -> Result<Response, PageError> {
    Ok((status, Html(template.render()?)).into_response())
}
