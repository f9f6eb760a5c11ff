//! Somebody who signed in and uses the console without JavaScript: looks at pages, and sends the forms that
//! stand on them.

use crate::world::*;

/// A session.
pub(crate) struct SignedIn {
    api: HttpClient,
    cookie: String,
    csrf: String,
}

impl SignedIn {
    /// The owner of the world's own account.
    pub(crate) async fn owner(world: &World) -> Self {
        Self::with(world, "ada@example.com").await
    }

    /// Somebody whose account has nothing to do with the world's own.
    pub(crate) async fn stranger(world: &World) -> Self {
        let create = ["account", "create", "--email", "eve@example.org"];
        world.deployment.run(&create).await;
        Self::with(world, "eve@example.org").await
    }

    async fn with(world: &World, email: &str) -> Self {
        let arguments = ["account", "sign-in-link", "--email", email];
        let link = text(&world.deployment.run(&arguments).await, "url");
        let (_, token) = link.split_once("/sign-in/").expect("it is a link");
        let api = world.api().clone();
        let call = api.call(Method::POST, &format!("/sign-in/{token}"));
        let call = call.header("content-type", "application/x-www-form-urlencoded");
        let reply = call.send().await;
        assert_eq!(reply.status, 303, "{}", reply.text());
        let cookie = reply.header("set-cookie").expect("a session began");
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        let first = api.get("/kit").header("cookie", &cookie).send().await;
        let csrf = between(first.text(), "name=\"csrf\" value=\"", "\"").to_owned();
        Self { api, cookie, csrf }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        let call = self.api.get(path).header("cookie", &self.cookie);
        call.send().await
    }

    /// A page that is there.
    pub(crate) async fn look(&self, path: &str) -> String {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.text().to_owned()
    }

    /// Sends a form.
    pub(crate) async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let own = [("csrf", self.csrf.as_str())];
        let fields = own.iter().chain(fields);
        let body: Vec<String> = fields
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let call = self.api.call(Method::POST, path);
        let call = call.header("cookie", &self.cookie);
        let call = call.header("content-type", "application/x-www-form-urlencoded");
        call.body(body.join("&")).send().await
    }

    /// Sends a form that leads to another page, which is shown.
    pub(crate) async fn done(&self, path: &str, fields: &[(&str, &str)]) -> (String, String) {
        let reply = self.send(path, fields).await;
        assert_eq!(reply.status, 303, "{path}: {}", reply.text());
        let next = reply.header("location").expect("a place").to_owned();
        let page = self.look(&next).await;
        (next, page)
    }

    /// The value of a hidden field on a page.
    pub(crate) async fn hidden(&self, path: &str, name: &str) -> String {
        let page = self.look(path).await;
        between(&page, &format!("name=\"{name}\" value=\""), "\"").to_owned()
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

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
