//! People in stories: a console that sends mail, and somebody who uses it.

use switchyard_testkit::{
    browser::{Browser, Page},
    mail_server::MailServer,
};

use crate::world::*;

pub(crate) const SESSION: &str = "__Host-session";
pub(crate) const PASSWORD: &str = "a lamp in the harbour";
/// A page that only those see who signed in, and where it sends others.
pub(crate) const INSIDE: &str = "/settings/security";
pub(crate) const OUTSIDE: &str = "/login?back=%2Fsettings%2Fsecurity";
pub(crate) const EMAIL: &str = "grace@example.com";

/// A world whose console sends mail.
pub(crate) struct Console {
    pub(crate) world: World,
    pub(crate) mails: MailServer,
}

impl Console {
    pub(crate) async fn start(configuration: Configuration) -> Self {
        let mails = MailServer::start().await;
        let setting = |name, value: &str| (name, value.to_owned());
        let setup = Setup {
            variables: vec![
                setting("SWITCHYARD__MAIL__HOST", "127.0.0.1"),
                setting("SWITCHYARD__MAIL__PORT", &mails.port().to_string()),
                setting("SWITCHYARD__MAIL__PROTECTION", "none"),
                setting(
                    "SWITCHYARD__MAIL__FROM",
                    "Switchyard <console@switchyard.example>",
                ),
                setting("SWITCHYARD__ACCOUNTS__SIGNUP_CREDIT_USD", "1"),
            ],
            ..Setup::default()
        };
        let world = start(configuration, setup).await;
        world.deployment.guard(PASSWORD);
        Self { world, mails }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.world.api())
    }

    /// None of what a browser holds may be logged.
    pub(crate) fn guard(&self, browser: &Browser) {
        for secret in browser.cookies().filter(|value| value.len() >= 64) {
            self.world.deployment.guard(secret);
        }
    }

    /// Fills the sign-up form in.
    pub(crate) async fn sign_up(&self, browser: &mut Browser, email: &str) -> Page {
        browser.get("/signup").await.is(200);
        let page = browser
            .send(
                "/signup",
                &[("name", "Grace"), ("email", email), ("password", PASSWORD)],
            )
            .await;
        self.guard(browser);
        page
    }

    /// Somebody who signed up and confirmed their address, in the browser that they did it with.
    pub(crate) async fn newcomer(&self) -> Browser {
        let mut browser = self.browser();
        self.sign_up(&mut browser, EMAIL).await.is(303);
        let link = self.link(EMAIL, "Confirm your address", "/verify/").await;
        browser.get(&link).await.is(200);
        browser.send(&link, &[]).await.leads_to("/start");
        self.guard(&browser);
        browser
    }

    /// A link out of a mail.
    pub(crate) async fn link(&self, email: &str, subject: &str, prefix: &str) -> String {
        let mail = self.mails.mail(email, subject).await;
        let link = mail.path(prefix);
        self.world.deployment.guard(&link[prefix.len()..]);
        link
    }

    /// Fills the sign-in form in.
    pub(crate) async fn sign_in(&self, browser: &mut Browser, email: &str, password: &str) -> Page {
        browser.get("/login").await;
        let fields = [("email", email), ("password", password)];
        let page = browser.send("/login", &fields).await;
        self.guard(browser);
        page
    }
}
