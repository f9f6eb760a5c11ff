//! T19: sessions in browsers: cookies, fixation, leaving, and forms from elsewhere.

use crate::{people::*, world::*};

story!(t19_cookies_are_out_of_reach_and_change_with_every_proof, configuration => {
    let console = Console::start(configuration).await;
    let mut browser = console.newcomer().await;
    let first = browser.cookie(SESSION).expect("signed in").to_owned();

    // Somebody else's token, planted before the sign-in, is worth nothing after it.
    let mut fresh = console.browser();
    let planted = "0".repeat(64);
    fresh.plant(SESSION, &planted);
    let page = console.sign_in(&mut fresh, EMAIL, PASSWORD).await.leads_to("/");
    let line = page.cookies.iter().find(|line| line.starts_with(SESSION));
    let line = line.expect("a session starts");
    for flag in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
        assert!(line.contains(flag), "{line}");
    }
    assert!(!line.contains("Domain"), "{line}");
    let second = fresh.cookie(SESSION).expect("signed in").to_owned();
    assert!(second != planted && second != first);
    let mut thief = console.browser();
    thief.plant(SESSION, &planted);
    thief.get(INSIDE).await.leads_to(OUTSIDE);

    // Signing in anew in the same browser ends the session it had.
    browser.get("/settings/security").await;
    let fields = [("email", EMAIL), ("password", PASSWORD)];
    browser.send("/login", &fields).await.leads_to("/");
    console.guard(&browser);
    thief.plant(SESSION, &first);
    thief.get(INSIDE).await.leads_to(OUTSIDE);

    // Showing again who one is gives a new token, and the old one is worth nothing.
    let before = browser.cookie(SESSION).expect("signed in").to_owned();
    browser.get("/confirm?back=/settings/security").await.is(200);
    let proof = [("password", PASSWORD), ("back", "/settings/security")];
    browser.send("/confirm", &proof).await.leads_to("/settings/security");
    console.guard(&browser);
    assert_ne!(browser.cookie(SESSION), Some(before.as_str()));
    thief.plant(SESSION, &before);
    thief.get(INSIDE).await.leads_to(OUTSIDE);

    // Whoever left is gone, whatever copy of the cookie there is.
    let last = browser.cookie(SESSION).expect("signed in").to_owned();
    browser.get("/logout").await.is(200);
    let left = browser.send("/logout", &[]).await.leads_to("/login");
    assert!(left.cookies.iter().any(|line| line.contains("Max-Age=0")));
    thief.plant(SESSION, &last);
    thief.get(INSIDE).await.leads_to(OUTSIDE);
});

story!(t19_forms_from_elsewhere_change_nothing, configuration => {
    let console = Console::start(configuration).await;
    let mut browser = console.newcomer().await;
    browser.get("/settings/security").await.is(200);
    let own = browser.origin.clone();
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        browser.origin = Some(origin.to_owned());
        browser.send("/settings/security/sessions", &[]).await.is(403);
        browser.send("/logout", &[]).await.is(403);
        // Nor is anybody signed in by another site.
        let mut fresh = console.browser();
        fresh.origin = Some(origin.to_owned());
        let fields = [("email", EMAIL), ("password", PASSWORD)];
        fresh.send("/login", &fields).await.is(403);
        assert_eq!(fresh.cookie(SESSION), None);
    }
    // From here, but without what only our page has.
    browser.origin = own;
    let mut bare = console.browser();
    bare.plant(SESSION, browser.cookie(SESSION).expect("signed in"));
    bare.send("/logout", &[]).await.is(403);
    browser.get(INSIDE).await.is(200);
});

story!(devices_are_listed_and_signed_out, configuration => {
    let console = Console::start(configuration).await;
    let mut browser = console.newcomer().await;
    let mut others = [console.browser(), console.browser(), console.browser()];
    for other in &mut others {
        console.sign_in(other, EMAIL, PASSWORD).await.leads_to("/");
    }
    let page = browser.get("/settings/security").await.is(200);
    let sessions = page.between("name=\"session\" value=\"", "\"");
    assert_eq!(sessions.len(), 4, "{}", page.html);
    assert_eq!(page.between(">This device<", "/").len(), 1);
    let second = others[0].get("/settings/security").await;
    let theirs = second.html.split(">This device<").nth(1).unwrap_or_default();
    let theirs = theirs.split("name=\"session\" value=\"").nth(1).unwrap_or_default();
    let theirs = theirs.split('"').next().unwrap_or_default().to_owned();
    browser
        .send("/settings/security/sessions", &[("session", &theirs)])
        .await
        .leads_to("/settings/security?done=session");
    others[0].get(INSIDE).await.leads_to(OUTSIDE);
    others[1].get(INSIDE).await.is(200);
    browser
        .send("/settings/security/sessions", &[])
        .await
        .leads_to("/settings/security?done=sessions");
    others[1].get(INSIDE).await.leads_to(OUTSIDE);
    others[2].get(INSIDE).await.leads_to(OUTSIDE);
    browser.get(INSIDE).await.is(200);

    // Another password ends the others as well.
    console.sign_in(&mut others[0], EMAIL, PASSWORD).await.leads_to("/");
    let new = "a ladder of amber";
    console.world.deployment.guard(new);
    browser.get("/settings/security/password").await.is(200);
    let path = "/settings/security/password";
    browser.send(path, &[("present", new), ("password", new)]).await.is(422);
    browser.send(path, &[("present", PASSWORD), ("password", "password1234")]).await.is(422);
    browser
        .send(path, &[("present", PASSWORD), ("password", new)])
        .await
        .leads_to("/settings/security?done=password");
    console.guard(&browser);
    others[0].get(INSIDE).await.leads_to(OUTSIDE);
    browser.get(INSIDE).await.is(200);
    console.sign_in(&mut others[1], EMAIL, PASSWORD).await.is(422);
    console.sign_in(&mut others[1], EMAIL, new).await.leads_to("/");
});

story!(guessing_a_password_has_to_wait, configuration => {
    let console = Console::start(configuration).await;
    console.newcomer().await;
    let mut browser = console.browser();
    for _ in 0..5 {
        console.sign_in(&mut browser, EMAIL, "not this harbour").await.is(422);
    }
    let locked = console.sign_in(&mut browser, EMAIL, PASSWORD).await.is(429);
    assert!(locked.headers.contains_key("retry-after"));
    // Others are not kept out.
    console.sign_in(&mut console.browser(), "ada@example.com", PASSWORD).await.is(422);
});
