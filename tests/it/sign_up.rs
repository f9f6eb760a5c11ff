//! Signing up, confirming an address, and a new password.

use crate::{people::*, world::*};

story!(an_address_is_confirmed_before_credit_is_spent, configuration => {
    let console = Console::start(configuration).await;
    let mut browser = console.browser();
    let sent = console.sign_up(&mut browser, EMAIL).await.is(303);
    let next = browser.follow(&sent).await.is(200);
    assert!(next.html.contains(EMAIL), "{}", next.html);

    // The password works already, but nobody can spend.
    let mut elsewhere = console.browser();
    console.sign_in(&mut elsewhere, EMAIL, PASSWORD).await.leads_to("/");
    elsewhere.get(INSIDE).await.is(200);
    let account = account_of(&elsewhere.get("/settings/security").await.html);
    assert_eq!(account, EMAIL);

    let link = console.link(EMAIL, "Confirm your address", "/verify/").await;
    // Programs that look at mail follow links: that uses nothing up.
    console.browser().get(&link).await.is(200);
    browser.get(&link).await.is(200);
    browser.send(&link, &[]).await.leads_to("/start");
    console.guard(&browser);
    let overview = browser.get("/").await.is(200);
    assert!(overview.html.contains("$1.00"), "{}", overview.html);
    let again = browser.send(&link, &[]).await.is(422);
    assert!(again.html.contains("used up"), "{}", again.html);
});

fn account_of(html: &str) -> String {
    let shown = html.split("<section aria-labelledby=\"address\">").nth(1);
    let shown = shown.and_then(|rest| rest.split("<p>").nth(1));
    let shown = shown.and_then(|rest| rest.split_whitespace().next());
    shown.unwrap_or_default().to_owned()
}

story!(a_known_address_is_answered_like_a_new_one, configuration => {
    let console = Console::start(configuration).await;
    console.newcomer().await;
    let mut second = console.browser();
    let known = console.sign_up(&mut second, EMAIL).await.is(303);
    let new = console.sign_up(&mut console.browser(), "new@example.com").await.is(303);
    let shape = |location: &Option<String>| {
        let location = location.as_deref().unwrap_or_default();
        location.split('=').next().unwrap_or_default().to_owned()
    };
    assert_eq!(shape(&known.location), shape(&new.location));
    let names = |cookies: &[String]| {
        let names = cookies.iter().filter_map(|line| line.split('=').next());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(&known.cookies), names(&new.cookies));
    // What the browser was given lets nobody in.
    second.get(INSIDE).await.leads_to(OUTSIDE);

    // Whom nobody knows is answered like somebody with another password.
    let wrong = console.sign_in(&mut console.browser(), EMAIL, "another harbour lamp").await;
    let nobody = console
        .sign_in(&mut console.browser(), "nobody@example.com", "another harbour lamp")
        .await;
    let without = |html: &str, email: &str| html.replace(email, "").replace("another", "");
    assert_eq!(
        without(&wrong.is(422).html, EMAIL),
        without(&nobody.is(422).html, "nobody@example.com")
    );
    // And so is whoever asks for a new password.
    for email in ["ada@example.com", "stranger@example.com"] {
        let mut browser = console.browser();
        browser.get("/reset").await;
        browser.send("/reset", &[("email", email)]).await.leads_to("/reset?sent=true");
        browser.send("/reset", &[("email", email)]).await.is(429);
    }
    console.mails.mail("ada@example.com", "Choose a new password").await;
    assert!(console.mails.mails_to("stranger@example.com").is_empty());
});

story!(a_new_password_ends_every_session, configuration => {
    let console = Console::start(configuration).await;
    let mut browser = console.newcomer().await;
    browser.get(INSIDE).await.is(200);

    let mut forgetful = console.browser();
    forgetful.get("/reset").await;
    forgetful.send("/reset", &[("email", EMAIL)]).await.leads_to("/reset?sent=true");
    let sent = forgetful.send("/reset", &[("email", EMAIL)]).await.is(429);
    assert!(sent.html.contains("A mail was sent a moment ago."), "{}", sent.html);

    let link = console.link(EMAIL, "Choose a new password", "/reset/").await;
    let new = "a ladder of amber";
    console.world.deployment.guard(new);
    forgetful.get(&link).await.is(200);
    let weak = forgetful.send(&link, &[("password", "grace@example.com")]).await.is(422);
    assert!(weak.html.contains("your address"), "{}", weak.html);
    forgetful.send(&link, &[("password", new)]).await.leads_to("/login?done=reset");
    browser.get(INSIDE).await.leads_to(OUTSIDE);
    console.sign_in(&mut forgetful, EMAIL, PASSWORD).await.is(422);
    console.sign_in(&mut forgetful, EMAIL, new).await.leads_to("/");
    let used = console.browser().send(&link, &[("password", PASSWORD)]).await.is(422);
    assert!(used.html.contains("used up"), "{}", used.html);
    console.mails.mail(EMAIL, "Your password was changed").await;
});

story!(unconfirmed_accounts_use_free_models_only, configuration => {
    let console = Console::start(configuration).await;
    console.sign_up(&mut console.browser(), EMAIL).await.is(303);
    let mut browser = console.browser();
    console.sign_in(&mut browser, EMAIL, PASSWORD).await.leads_to("/");
    let link = ["account", "sign-in-link", "--email", EMAIL];
    let person = console.world.deployment.run(&link).await;
    console.world.deployment.guard(&text(&person, "url"));
    // Whoever signs up owns an account with their own number.
    let account = text(&person, "person_id").replace("user_", "acct_");
    let key = console
        .world
        .deployment
        .run(&["key", "create", "--account", &account, "--name", "first"])
        .await;
    let key = text(&key, "key");
    let grant = ["credit", "grant", "--account", &account, "--usd", "5", "--reason", "trial"];
    console.world.deployment.run(&grant).await;
    let ask = |model| {
        let call = console.world.api().post("/api/v1/chat/completions", &question(model));
        call.key(&key).send()
    };
    let error = ask(OAK).await.error(403);
    assert_eq!(error["error_type"], "email_unverified", "{error}");
    ask(OAK_FREE).await.ok();

    let link = console.link(EMAIL, "Confirm your address", "/verify/").await;
    browser.get(&link).await.is(200);
    browser.send(&link, &[]).await.leads_to("/");
    ask(OAK).await.ok();
});
