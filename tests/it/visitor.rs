//! People in the console, for stories about its pages: a cookie, forms, and what a page says.

use switchyard_testkit::http_client::Call;

use crate::world::*;

/// Somebody who signed in.
pub(crate) struct Visitor {
    pub(crate) api: HttpClient,
    pub(crate) email: String,
    /// Their own account, and their id with another prefix.
    pub(crate) account: String,
    cookie: String,
}

impl Visitor {
    /// Somebody new, with an account that an operator made.
    pub(crate) async fn new(world: &World, name: &str) -> Self {
        let email = format!("{name}@example.org");
        let create = ["account", "create", "--email", &email, "--name", name];
        let account = text(&world.deployment.run(&create).await, "account_id");
        Self::sign_in(world, &email, account).await
    }

    /// The owner of the world's account.
    pub(crate) async fn owner(world: &World) -> Self {
        Self::sign_in(world, "ada@example.com", world.account.clone()).await
    }

    /// Signs somebody in by a link.
    pub(crate) async fn sign_in(world: &World, email: &str, account: String) -> Self {
        let made = world
            .deployment
            .run(&["account", "sign-in-link", "--email", email])
            .await;
        let url = text(&made, "url");
        let path = &url[url.find("/sign-in/").expect("a link")..];
        let api = world.api().clone();
        let call = api.call(Method::POST, path);
        let reply = form(call, &[]).send().await;
        assert_eq!(reply.status, 303, "{}", reply.text());
        let cookie = reply.header("set-cookie").expect("a session");
        let cookie = cookie.split(';').next().expect("its value").to_owned();
        Self {
            api,
            email: email.to_owned(),
            account,
            cookie,
        }
    }

    pub(crate) fn id(&self) -> String {
        self.account.replacen("acct_", "user_", 1)
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        let call = self.api.call(method, path);
        call.header("cookie", &self.cookie)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path).send().await
    }

    /// A page that must be there.
    pub(crate) async fn page(&self, path: &str) -> String {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.text().to_owned()
    }

    /// Sends a form as one of the site's pages does.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let csrf = self.csrf().await;
        let fields = [&[("csrf", csrf.as_str())], fields].concat();
        form(self.call(Method::POST, path), &fields).send().await
    }

    /// The same, where it must lead on; tells where to.
    pub(crate) async fn done(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let reply = self.post(path, fields).await;
        assert_eq!(reply.status, 303, "{path}: {}", reply.text());
        reply.header("location").expect("a place").to_owned()
    }

    async fn csrf(&self) -> String {
        let page = self.page("/settings").await;
        value_after(&page, "name=\"csrf\" value=\"")
    }

    /// Makes an organization and looks at it.
    pub(crate) async fn found(&self, name: &str) -> String {
        let place = self.done("/organizations/new", &[("name", name)]).await;
        assert_eq!(place, "/members?done=created");
        let page = self.page("/settings").await;
        format!("acct_{}", value_after(&page, "data-copy=\"acct_"))
    }

    /// Invites somebody to the organization that is looked at; tells the path of the link.
    pub(crate) async fn invite(&self, email: &str, role: &str) -> String {
        let fields = [("email", email), ("role", role)];
        let reply = self.post("/members/invite", &fields).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        link_in(reply.text())
    }

    /// Invites somebody who accepts.
    pub(crate) async fn take_in(&self, other: &Self, role: &str) {
        let link = self.invite(&other.email, role).await;
        assert_eq!(other.done(&link, &[]).await, "/");
    }
}

/// The path of the link that a page shows for handing over, where no mail can be sent.
pub(crate) fn link_in(page: &str) -> String {
    let link = value_after(page, "data-copy=\"http");
    let path = link.find("/invitations/").expect("an invitation");
    link[path..].to_owned()
}

/// A call with a form, as browsers write it.
pub(crate) fn form(call: Call, fields: &[(&str, &str)]) -> Call {
    let text = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    call.header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(text)
}

/// What stands behind `mark`, up to what ends an attribute or an address.
pub(crate) fn value_after(page: &str, mark: &str) -> String {
    let start = page
        .find(mark)
        .unwrap_or_else(|| panic!("no {mark} in {page}"))
        + mark.len();
    let rest = &page[start..];
    let end = rest.find(['"', '<', '&', ' ', '\n']).unwrap_or(rest.len());
    rest[..end].to_owned()
}
