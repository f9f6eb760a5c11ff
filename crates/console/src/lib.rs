//! The web console: pages for those who own, use and pay for an account.
//!
//! A handler decodes, calls `switchyard-app` and renders. Nothing here sees a database, and who may see
//! or do what stands in the one table of `switchyard_domain::authority`. Pages are written on the server
//! (`templates/`), and work without JavaScript; htmx makes them quicker.
//!
//! Start at `routes.rs`, where every page stands with what it takes to see it. `visit.rs` is who looks,
//! `form.rs` what they send, `shell.rs` what surrounds every page, `ui.rs` how money, time and counts
//! are written.

#![expect(
    dead_code,
    reason = "pages that use the rest of the foundation come next"
)]

mod routes;

mod frame;
mod visit;

mod form;
mod shell;
mod snippets;
mod ui;

mod assets;
mod door;
mod error;
mod pages;

use std::sync::Arc;

use switchyard_app::{App, mail::MailBox};
use switchyard_catalog::snapshot::Catalog;

pub use door::ChatDoor;
pub use routes::{Door, Key, doors, router};

use pages::models::{Shelf, ShelfCell};

/// What the pages share. Cheap to clone.
#[derive(Clone)]
pub struct Console {
    pub(crate) app: Arc<App>,
    pub(crate) settings: Arc<Settings>,
    /// The mails that the demo keeps.
    pub(crate) demo_mails: Option<Arc<dyn MailBox>>,
    pub(crate) chat: Arc<dyn ChatDoor>,
    shelf: Arc<ShelfCell>,
}

/// What an installation says of itself.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where people reach it, such as `https://switchyard.example`, without a slash at the end. Links in
    /// mails begin with it, and passkeys are bound to its host.
    pub public_url: String,
    /// Whether it is the demo, which shows the mails it sends.
    pub is_demo: bool,
}

impl Console {
    /// A console in front of `app`.
    pub fn new(app: Arc<App>, settings: Settings, chat: Arc<dyn ChatDoor>) -> Self {
        Self {
            app,
            settings: Arc::new(settings),
            demo_mails: None,
            chat,
            shelf: Arc::default(),
        }
    }

    /// The same, with a page that shows mails instead of sending them.
    pub fn with_demo_mails(mut self, mails: Option<Arc<dyn MailBox>>) -> Self {
        self.demo_mails = mails;
        self
    }

    /// The catalogue, ready to be sifted.
    pub(crate) fn shelf(&self, catalog: &Catalog) -> Arc<Shelf> {
        self.shelf.of(catalog, self.app.clock().now())
    }
}
