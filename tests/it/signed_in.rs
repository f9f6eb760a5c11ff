//! Somebody who signed in and sends the forms that stand on the pages of what an account owns.

use crate::{
    visitor::{Visitor, value_after},
    world::*,
};

/// A session.
pub(crate) struct SignedIn(pub(crate) Visitor);

impl SignedIn {
    /// The owner of the world's own account.
    pub(crate) async fn owner(world: &World) -> Self {
        Self(Visitor::owner(world).await)
    }

    /// Somebody whose account has nothing to do with the world's own.
    pub(crate) async fn stranger(world: &World) -> Self {
        Self(Visitor::new(world, "eve").await)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.0.get(path).await
    }

    /// A page that is there.
    pub(crate) async fn look(&self, path: &str) -> String {
        self.0.page(path).await
    }

    /// Sends a form.
    pub(crate) async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.0.post(path, fields).await
    }

    /// Sends a form that leads to another page, which is shown.
    pub(crate) async fn done(&self, path: &str, fields: &[(&str, &str)]) -> (String, String) {
        let next = self.0.done(path, fields).await;
        let page = self.look(&next).await;
        (next, page)
    }

    /// The value of a hidden field on a page.
    pub(crate) async fn hidden(&self, path: &str, name: &str) -> String {
        value_after(&self.look(path).await, &format!("name=\"{name}\" value=\""))
    }
}

/// What stands between two texts.
pub(crate) fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).map_or(rest, |(found, _)| found)
}

/// Whether a page says that something is wrong at a field.
pub(crate) fn has_fault(page: &str, field: &str) -> bool {
    page.contains(&format!("href=\"#f-{field}\""))
}
