//! T20: codes and passkeys.

use switchyard_testkit::{
    authenticator::{SoftAuthenticator, app_code},
    browser::Browser,
};

use crate::{people::*, world::*};

const HERE: &str = "/settings/security/authenticator";

/// An authenticator app.
struct Phone {
    seed: String,
    /// The step of the last code that it showed.
    step: u64,
}

impl Phone {
    /// A code later than any it showed.
    fn next_code(&mut self, served_at: u64) -> String {
        self.step = (self.step + 1).max(served_at / 30);
        app_code(&self.seed, self.step)
    }

    fn last_code(&self) -> String {
        app_code(&self.seed, self.step)
    }
}

/// Sets an app up; returns it with the recovery codes.
async fn set_up(console: &Console, browser: &mut Browser) -> (Phone, Vec<String>) {
    browser.get(HERE).await.is(200);
    browser
        .send(HERE, &[("step", "start")])
        .await
        .leads_to(HERE);
    let page = browser.get(HERE).await.is(200);
    assert!(page.html.contains("<svg"), "{}", page.html);
    let seed = page.between("<p><code>", "</code>")[0].to_owned();
    console.world.deployment.guard(&seed);
    console.world.deployment.guard(&seed.replace(' ', ""));
    let mut phone = Phone {
        step: page.served_at() / 30 - 1,
        seed,
    };
    browser
        .send(HERE, &[("step", "confirm"), ("code", "000000")])
        .await
        .is(422);
    let code = phone.next_code(page.served_at());
    let page = browser
        .send(HERE, &[("step", "confirm"), ("code", &code)])
        .await
        .is(200);
    let codes: Vec<String> = page
        .between("<li><code>", "</code>")
        .into_iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(codes.len(), 10, "{}", page.html);
    for code in &codes {
        console.world.deployment.guard(code);
    }
    // Neither is shown again.
    let page = browser.get(HERE).await.is(200);
    assert!(!page.html.contains(&phone.seed) && !page.html.contains(&codes[0]));
    (phone, codes)
}

/// Gets as far as the password does.
async fn with_password(console: &Console, browser: &mut Browser) {
    console
        .sign_in(browser, EMAIL, PASSWORD)
        .await
        .leads_to("/login/code?back=%2F");
    browser.get("/login/code?back=/").await.is(200);
    assert_eq!(browser.cookie(SESSION), None);
}

story!(t20_a_code_works_once_and_the_sixth_wrong_one_has_to_wait, configuration => {
    let console = Console::start(configuration).await;
    let mut browser = console.newcomer().await;
    let (mut phone, recovery) = set_up(&console, &mut browser).await;

    let mut second = console.browser();
    with_password(&console, &mut second).await;
    second.send("/login/code", &[("code", &phone.last_code())]).await.is(422);
    let now = second.get("/login/code").await.served_at();
    let code = phone.next_code(now);
    second.send("/login/code", &[("code", &code), ("back", "/keys")]).await.leads_to("/keys");
    console.guard(&second);
    second.get(INSIDE).await.is(200);

    let mut third = console.browser();
    with_password(&console, &mut third).await;
    third.send("/login/code", &[("code", &code)]).await.is(422);
    for _ in 0..4 {
        third.send("/login/code", &[("code", "000000")]).await.is(422);
    }
    let locked = third.send("/login/code", &[("code", &recovery[0])]).await.is(429);
    assert!(locked.headers.contains_key("retry-after"));
    third.get(INSIDE).await.leads_to(OUTSIDE);
    // The password alone never got in.
    assert_eq!(third.cookie(SESSION), None);
});

story!(t20_a_recovery_code_works_once, configuration => {
    let console = Console::start(configuration).await;
    let mut browser = console.newcomer().await;
    let (_, recovery) = set_up(&console, &mut browser).await;
    let mut second = console.browser();
    with_password(&console, &mut second).await;
    let written = recovery[0].to_uppercase().replace('-', " ");
    second.send("/login/code", &[("code", &written)]).await.leads_to("/");
    console.guard(&second);
    let page = second.get("/settings/security").await.is(200);
    assert!(page.html.contains("Recovery codes left: 9."), "{}", page.html);
    console.mails.mail(EMAIL, "A recovery code was used").await;
    let mut third = console.browser();
    with_password(&console, &mut third).await;
    third.send("/login/code", &[("code", &recovery[0])]).await.is(422);
    third.send("/login/code", &[("code", &recovery[1])]).await.leads_to("/");
    console.guard(&third);

    // New ones replace the old; without the app there are none.
    third.get(HERE).await.is(200);
    let page = third.send(HERE, &[("step", "new_codes")]).await.is(200);
    let fresh = page.between("<li><code>", "</code>")[0].to_owned();
    console.world.deployment.guard(&fresh);
    let mut fourth = console.browser();
    with_password(&console, &mut fourth).await;
    fourth.send("/login/code", &[("code", &recovery[2])]).await.is(422);
    fourth.send("/login/code", &[("code", &fresh)]).await.leads_to("/");
    console.guard(&fourth);
    fourth.get(HERE).await.is(200);
    fourth
        .send(HERE, &[("step", "off")])
        .await
        .leads_to("/settings/security?done=authenticator-off");
    console.sign_in(&mut console.browser(), EMAIL, PASSWORD).await.leads_to("/");
});

story!(t20_a_passkey_signs_in_alone, configuration => {
    let console = Console::start(configuration).await;
    let mut browser = console.newcomer().await;
    let port = console.world.api().base().rsplit(':').next().expect("a port").to_owned();
    let mut device = SoftAuthenticator::at(&format!("http://localhost:{port}"));
    let keys = "/settings/security/passkeys";
    browser.get("/settings/security").await.is(200);
    let question = browser.send(keys, &[]).await.is(200).json();
    let answer = device.register(&question).to_string();
    let fields = [("answer", answer.as_str()), ("name", "Laptop")];
    browser.send(keys, &fields).await.leads_to("/settings/security?done=passkey");
    // A challenge is answered once.
    browser.send(keys, &fields).await.is(409);
    let page = browser.get("/settings/security").await.is(200);
    let id = page.between("href=\"/settings/security/passkeys/", "\"")[0].to_owned();

    let mut fresh = console.browser();
    fresh.get("/login").await.is(200);
    let question = fresh.send("/login/passkey/start", &[]).await.is(200).json();
    let answer = device.sign_in(&question).to_string();
    let fields = [("answer", answer.as_str()), ("back", "/settings/security")];
    let mut thief = fresh.clone();
    fresh.send("/login/passkey", &fields).await.leads_to("/settings/security");
    console.guard(&fresh);
    fresh.get(INSIDE).await.is(200);
    thief.send("/login/passkey", &fields).await.is(422);
    assert_eq!(thief.cookie(SESSION), None);

    // It also shows that it is still them.
    fresh.get("/confirm?back=/").await.is(200);
    let question = fresh.send("/login/passkey/start", &[]).await.is(200).json();
    let answer = device.sign_in(&question).to_string();
    fresh.send("/confirm/passkey", &[("answer", &answer), ("back", "/")]).await.leads_to("/");
    console.guard(&fresh);

    let page = format!("{keys}/{id}");
    fresh.get(&page).await.is(200);
    fresh.send(&page, &[("name", "Old laptop")]).await.leads_to("/settings/security?done=renamed");
    let list = fresh.get("/settings/security").await.is(200);
    assert!(list.html.contains("Old laptop"), "{}", list.html);
    fresh.send(&page, &[]).await.leads_to("/settings/security?done=removed");
    let mut late = console.browser();
    late.get("/login").await;
    let question = late.send("/login/passkey/start", &[]).await.is(200).json();
    let answer = device.sign_in(&question).to_string();
    late.send("/login/passkey", &[("answer", &answer)]).await.is(422);
});
