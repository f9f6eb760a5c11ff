//! API keys in the console: shown once, limited, rotated, switched off, deleted; and never another
//! account's.

use crate::{
    insufficient_credits::{drain, meter_to_the_full, metered_request},
    signed_in::{SignedIn, between, has_fault},
    visitor::Visitor,
    world::*,
};

/// Makes a key by the form; its text and its hash.
async fn made(owner: &SignedIn, name: &str, more: &[(&str, &str)]) -> (String, String) {
    let once = owner.hidden("/keys/new", "once").await;
    let fields = [&[("name", name), ("once", &once)], more].concat();
    let reply = owner.send("/keys/new", &fields).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let page = reply.text();
    let key = format!(
        "sk-{}",
        between(page, "<output aria-label=\"Secret\">sk-", "<")
    );
    (key, between(page, "href=\"/keys/", "\"").to_owned())
}

async fn status_of(world: &World, key: &str) -> u16 {
    let call = world.api().get("/api/v1/key").key(key);
    call.send().await.status.as_u16()
}

story!(a_new_key_is_shown_once_and_nowhere_else, |world| {
    let owner = SignedIn::owner(&world).await;
    let once = owner.hidden("/keys/new", "once").await;
    let fields = [("name", "<b>laptop</b>"), ("once", once.as_str())];
    let first = owner.send("/keys/new", &fields).await;
    let key = format!(
        "sk-{}",
        between(first.text(), "<output aria-label=\"Secret\">sk-", "<")
    );
    assert_eq!(status_of(&world, &key).await, 200, "it works");
    assert!(!first.text().contains("<b>laptop"), "a name is no markup");

    // A second click, or the page loaded again: nothing is made, and nothing is shown.
    let again = owner.send("/keys/new", &fields).await;
    assert_eq!(again.status, 200);
    let hash = between(again.text(), "href=\"/keys/", "\"").to_owned();
    let list = owner.look("/keys").await;
    assert_eq!(list.matches("&#60;b&#62;laptop&#60;/b&#62;</a>").count(), 1);
    let other = [("name", "other"), ("once", once.as_str())];
    assert_eq!(owner.send("/keys/new", &other).await.status, 409);

    for path in [
        "/keys".to_owned(),
        format!("/keys/{hash}"),
        format!("/keys/{hash}/rotate"),
    ] {
        let page = owner.look(&path).await;
        assert!(!page.contains(&key), "{path} holds the key");
        assert!(!page.contains(&key[12..40]), "{path} holds a part of it");
    }
    assert!(!again.text().contains(&key));
    // It was presented once, and the list says who has never been.
    assert!(owner.look("/keys?state=unused").await.contains("State"));
});

story!(
    what_is_wrong_stands_at_its_field_and_stays_filled_in,
    |world| {
        let owner = SignedIn::owner(&world).await;
        let once = owner.hidden("/keys/new", "once").await;
        let reply = owner
            .send(
                "/keys/new",
                &[
                    ("name", ""),
                    ("limit", "ten"),
                    ("reset", "weekly"),
                    ("expires", "30"),
                    ("once", &once),
                ],
            )
            .await;
        assert_eq!(reply.status, 422);
        let page = reply.text();
        assert!(
            has_fault(page, "name") && has_fault(page, "limit"),
            "{page}"
        );
        assert!(page.contains("value=\"ten\""), "what was typed stays");
        assert!(page.contains("value=\"weekly\" selected"));
        let reply = owner
            .send(
                "/keys/new",
                &[("name", "x"), ("reset", "daily"), ("once", &once)],
            )
            .await;
        assert!(has_fault(reply.text(), "limit"), "a window of no limit");
    }
);

story!(a_small_limit_is_named_as_what_blocks, |world| {
    let owner = SignedIn::owner(&world).await;
    let (key, hash) = made(&owner, "small", &[("limit", "0.0001"), ("reset", "daily")]).await;
    let page = owner.look(&format!("/keys/{hash}")).await;
    assert!(
        page.contains("Blocks first: <strong>This key&#39;s limit</strong>"),
        "{page}"
    );
    meter_to_the_full(&world, 0);
    assert_eq!(drain(world.api(), &key).await, 1);
    let page = owner.look(&format!("/keys/{hash}")).await;
    assert!(page.contains("Blocked by: This key&#39;s limit."), "{page}");
    assert!(page.contains("It starts afresh"), "{page}");
    let list = owner.look("/keys").await;
    assert!(list.contains("Limit reached"), "{list}");
    // More of it lets it on.
    let fields = [("name", "small"), ("limit", "0.001"), ("reset", "daily")];
    owner.done(&format!("/keys/{hash}"), &fields).await;
    let call = world
        .api()
        .post("/api/v1/chat/completions", &metered_request());
    call.key(&key).send().await.ok();
});

story!(a_rotated_key_and_its_successor_share_one_limit, |world| {
    let owner = SignedIn::owner(&world).await;
    // Ten requests' worth.
    let (old, hash) = made(&owner, "rotated", &[("limit", "0.001")]).await;
    meter_to_the_full(&world, 0);
    for _ in 0..3 {
        let call = world
            .api()
            .post("/api/v1/chat/completions", &metered_request());
        call.key(&old).send().await.ok();
    }
    let path = format!("/keys/{hash}/rotate");
    let once = owner.hidden(&path, "once").await;
    let fields = [("life", "24h"), ("once", once.as_str())];
    let reply = owner.send(&path, &fields).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let new = format!(
        "sk-{}",
        between(reply.text(), "<output aria-label=\"Secret\">sk-", "<")
    );
    assert!(!owner.send(&path, &fields).await.text().contains(&new));
    for key in [&old, &new] {
        assert_eq!(status_of(&world, key).await, 200, "both work");
    }
    let call = world
        .api()
        .post("/api/v1/chat/completions", &metered_request());
    call.key(&old).send().await.ok();
    let rest = drain(world.api(), &new).await;
    assert_eq!(rest, 6, "four of ten were spent with the old key");
    assert_eq!(
        drain(world.api(), &old).await,
        0,
        "and nothing is left of it"
    );
    let page = owner.look(&format!("/keys/{hash}")).await;
    assert!(
        page.contains("takes its place")
            && page.contains("Its last request came") | page.contains("No request was seen"),
        "{page}"
    );
    let again = owner.hidden("/keys/new", "once").await;
    let refused = owner.send(&path, &[("life", "1h"), ("once", &again)]).await;
    assert_eq!(refused.status, 409, "it has a successor");
    // The new key is the old one's end where that is wanted at once.
    let new_hash = between(&page, "It was rotated: <a href=\"/keys/", "\"").to_owned();
    let path = format!("/keys/{new_hash}/rotate");
    let once = owner.hidden(&path, "once").await;
    let reply = owner.send(&path, &[("life", "0s"), ("once", &once)]).await;
    assert_eq!(reply.status, 200);
    assert_eq!(status_of(&world, &new).await, 401);
});

story!(
    keys_are_switched_and_deleted_one_by_one_and_together,
    |world| {
        let owner = SignedIn::owner(&world).await;
        let (first, one) = made(&owner, "first", &[]).await;
        let (second, two) = made(&owner, "second", &[]).await;
        owner
            .done(&format!("/keys/{one}/switch"), &[("disabled", "true")])
            .await;
        assert_eq!(status_of(&world, &first).await, 401);
        owner
            .done(&format!("/keys/{one}/switch"), &[("disabled", "false")])
            .await;
        assert_eq!(status_of(&world, &first).await, 200);
        let both = [("id", one.as_str()), ("id", two.as_str())];
        owner
            .done("/keys/bulk", &[&both[..], &[("act", "disable")]].concat())
            .await;
        for key in [&first, &second] {
            assert_eq!(status_of(&world, key).await, 401);
        }
        assert_eq!(
            owner.send("/keys/bulk", &[("act", "disable")]).await.status,
            409
        );
        // What deleting does is said before it is done.
        let asked = owner
            .send("/keys/bulk", &[&both[..], &[("act", "delete")]].concat())
            .await;
        assert_eq!(asked.status, 200);
        assert!(asked.text().contains("Delete 2 keys"), "{}", asked.text());
        let ask = owner.look(&format!("/keys/{one}/delete")).await;
        assert!(ask.contains("Cancel"));
        owner.done(&format!("/keys/{one}/delete"), &[]).await;
        assert_eq!(owner.get(&format!("/keys/{one}")).await.status, 404);
        let confirmed = [
            ("id", two.as_str()),
            ("act", "delete"),
            ("confirmed", "yes"),
        ];
        let (_, list) = owner.done("/keys/bulk", &confirmed).await;
        assert!(
            list.contains("1 key was deleted") && !list.contains(&two),
            "{list}"
        );
    }
);

story!(t15_keys_of_others_are_nobodys_in_the_console, |world| {
    let owner = SignedIn::owner(&world).await;
    let (key, hash) = made(&owner, "ours", &[]).await;
    let eve = SignedIn::stranger(&world).await;
    for path in ["", "/delete", "/rotate"] {
        let path = format!("/keys/{hash}{path}");
        assert_eq!(eve.get(&path).await.status, 404, "{path}");
    }
    let once = eve.hidden("/keys/new", "once").await;
    for (path, fields) in [
        (format!("/keys/{hash}"), vec![("name", "mine now")]),
        (format!("/keys/{hash}/switch"), vec![("disabled", "true")]),
        (format!("/keys/{hash}/delete"), vec![]),
        (
            format!("/keys/{hash}/rotate"),
            vec![("life", "0s"), ("once", once.as_str())],
        ),
        (
            "/keys/bulk".to_owned(),
            vec![("id", hash.as_str()), ("act", "disable")],
        ),
    ] {
        assert_eq!(eve.send(&path, &fields).await.status, 404, "{path}");
    }
    assert!(!eve.look("/keys").await.contains(&hash));
    assert_eq!(
        status_of(&world, &key).await,
        200,
        "nothing has happened to it"
    );
    let management = world.create_key(&["--management"]).await;
    let rotating = owner
        .get(&format!("/keys/{}/rotate", management.hash))
        .await;
    assert_eq!(rotating.status, 404, "management keys are made anew");
    assert_eq!(
        owner
            .get(&format!("/keys/{}", management.hash))
            .await
            .status,
        200
    );
});

story!(members_see_their_own_keys_and_admins_all, |world| {
    let ada = SignedIn(Visitor::new(&world, "ada").await);
    ada.0.found("Acme").await;
    let bob = SignedIn(Visitor::new(&world, "bob").await);
    ada.0.take_in(&bob.0, "member").await;
    let (_, adas) = made(&ada, "of ada", &[]).await;
    let (_, bobs) = made(&bob, "of bob", &[]).await;
    let list = bob.look("/keys").await;
    assert!(list.contains(&bobs) && !list.contains(&adas), "{list}");
    for path in ["", "/delete", "/rotate"] {
        let path = format!("/keys/{adas}{path}");
        assert_eq!(bob.get(&path).await.status, 404, "{path}");
    }
    let off = [("disabled", "true")];
    assert_eq!(
        bob.send(&format!("/keys/{adas}/switch"), &off).await.status,
        404
    );
    let list = ada.look("/keys").await;
    assert!(list.contains(&bobs) && list.contains(&adas), "{list}");
    ada.done(&format!("/keys/{bobs}/switch"), &off).await;
    // What manages the account is for those who manage all of it.
    assert_eq!(bob.get("/keys/new/management").await.status, 403);
    let once = ada.hidden("/keys/new/management", "once").await;
    let fields = [("name", "deploys"), ("once", once.as_str())];
    let reply = ada.send("/keys/new/management", &fields).await;
    let key = between(reply.text(), "<output aria-label=\"Secret\">", "<").to_owned();
    let listed = world.api().get("/api/v1/keys").key(&key).send().await;
    listed.ok();
    let list = bob.look("/keys").await;
    assert!(!list.contains("deploys"), "{list}");
});
