//! Provider keys in the console: tried out when they are stored, ordered, told apart, and never shown.

use crate::{
    own::{asked_with, end_of, secret_of},
    signed_in::{SignedIn, between, has_fault},
    world::*,
};

/// Stores a key at the provider by the form; where it is, and what its page says.
async fn stored(
    owner: &SignedIn,
    provider: &str,
    tail: &str,
    more: &[(&str, &str)],
) -> (String, String) {
    let secret = secret_of(provider, tail);
    let fields = [
        &[
            ("secret", secret.as_str()),
            ("name", tail),
            ("section", "prioritized"),
            ("paid", "may"),
        ],
        more,
    ]
    .concat();
    let path = format!("/byok/{provider}/new");
    let (place, page) = owner.done(&path, &fields).await;
    assert!(!page.contains(&secret), "the page holds the secret");
    let place = place.split('?').next().expect("a path").to_owned();
    (place, page)
}

story!(a_key_is_tried_out_when_it_is_stored, |world| {
    let owner = SignedIn::owner(&world).await;
    let (place, page) = stored(&owner, "alder", "good", &[]).await;
    assert!(page.contains("The provider takes the key."), "{page}");
    assert!(page.contains("Working"), "{page}");

    // Refused: the provider's code, and what helps.
    world.simulator().script("alder", [refusal(401, None)]);
    let (_, page) = stored(&owner, "alder", "refused", &[]).await;
    assert!(page.contains("The provider answers 401."), "{page}");
    assert!(page.contains("does not know this key"), "{page}");
    // Down: stored all the same.
    world.simulator().script("alder", [refusal(503, None)]);
    let (_, page) = stored(&owner, "alder", "down", &[]).await;
    assert!(page.contains("stored unchecked"), "{page}");
    let (_, page) = owner.done(&format!("{place}/check"), &[]).await;
    assert!(page.contains("Working"), "{page}");
});

story!(a_stored_secret_is_on_no_page, |world| {
    let owner = SignedIn::owner(&world).await;
    let (place, _) = stored(&owner, "alder", "hidden", &[]).await;
    let secret = secret_of("alder", "hidden");
    for path in [
        "/byok".to_owned(),
        "/byok/alder".to_owned(),
        place.clone(),
        format!("{place}/delete"),
        "/byok/alder/new".to_owned(),
    ] {
        let page = owner.look(&path).await;
        assert!(!page.contains(&secret), "{path}");
        assert!(!page.contains(&secret[8..20]), "{path}");
    }
    // Not even where it is sent with something wrong beside it.
    let fields = [
        ("secret", "sk-own-never-to-be-seen-1234"),
        ("section", "fallback"),
        ("paid", "never"),
    ];
    let reply = owner.send("/byok/alder/new", &fields).await;
    assert_eq!(reply.status, 422);
    assert!(has_fault(reply.text(), "paid"));
    assert!(!reply.text().contains("never-to-be-seen"));
});

story!(a_replaced_secret_keeps_place_and_settings, |world| {
    let owner = SignedIn::owner(&world).await;
    let (place, _) = stored(&owner, "alder", "first", &[("models", OAK)]).await;
    stored(&owner, "alder", "second", &[]).await;
    let new = secret_of("alder", "newer");
    let (_, page) = owner
        .done(&format!("{place}/secret"), &[("secret", &new)])
        .await;
    assert!(!page.contains(&new) && page.contains("Working"), "{page}");
    assert!(page.contains(OAK), "its models stayed");
    let list = owner.look("/byok/alder").await;
    let (before, after) = (list.find(">first<"), list.find(">second<"));
    assert!(before < after && before.is_some(), "its place stayed");
    world.ask(&question_to(OAK, &["alder"])).await.ok();
    let last = asked_with(&world, "alder").pop();
    assert_eq!(last, Some(end_of("newer")));
    let again = owner
        .send(
            "/byok/alder/new",
            &[
                ("secret", &new),
                ("section", "prioritized"),
                ("paid", "may"),
            ],
        )
        .await;
    assert_eq!(again.status, 422, "the same secret twice");
    assert!(has_fault(again.text(), "secret"));
});

story!(buttons_change_the_order_and_what_is_tried, |world| {
    let owner = SignedIn::owner(&world).await;
    stored(&owner, "alder", "first", &[]).await;
    let (second, _) = stored(&owner, "alder", "second", &[]).await;
    let tries = |page: &str| -> Vec<String> {
        let list = between(page, "<ol class=\"attempts\">", "</ol>");
        let names = list.split("<strong>").skip(1);
        names
            .map(|rest| between(rest, "", "</strong>").to_owned())
            .collect()
    };
    let page = owner.look(&format!("/byok/alder?model={OAK}")).await;
    assert_eq!(tries(&page)[..2], ["first", "second"], "{page}");
    let id = second.rsplit('/').next().expect("an id");
    let up = format!("up:{id}");
    let fields = [("move", up.as_str()), ("model", OAK)];
    let (_, page) = owner.done("/byok/alder/order", &fields).await;
    assert!(page.contains("The order is saved"));
    let page = owner.look(&format!("/byok/alder?model={OAK}")).await;
    assert_eq!(tries(&page)[..2], ["second", "first"], "{page}");
    // A drag sends all of them.
    let first = owner.look("/byok/alder").await;
    let ids: Vec<&str> = first
        .split("data-id=\"")
        .skip(1)
        .map(|rest| between(rest, "", "\""))
        .collect();
    let order = format!("{},{}", ids[1], ids[0]);
    owner.done("/byok/alder/order", &[("order", &order)]).await;
    let page = owner.look(&format!("/byok/alder?model={OAK}")).await;
    assert_eq!(tries(&page)[..2], ["first", "second"], "{page}");
});

story!(a_key_is_deleted_by_its_label, |world| {
    let owner = SignedIn::owner(&world).await;
    let (place, _) = stored(&owner, "alder", "going", &[]).await;
    let ask = format!("{place}/delete");
    let page = owner.look(&ask).await;
    let label = between(&page, "Type <code>", "</code>").to_owned();
    let wrong = owner.send(&ask, &[("label", "going")]).await;
    assert_eq!(wrong.status, 422);
    assert!(has_fault(wrong.text(), "label"));
    let (_, list) = owner.done(&ask, &[("label", &label)]).await;
    assert!(!list.contains(">going<"), "{list}");
    assert_eq!(owner.get(&place).await.status, 404);
});

story!(
    t15_provider_keys_of_others_are_nobodys_in_the_console,
    |world| {
        let owner = SignedIn::owner(&world).await;
        let (place, _) = stored(&owner, "alder", "ours", &[]).await;
        let eve = SignedIn::stranger(&world).await;
        for path in [
            place.clone(),
            format!("{place}/delete"),
            place.replace("alder", "birch"),
        ] {
            assert_eq!(eve.get(&path).await.status, 404, "{path}");
        }
        let id = place.rsplit('/').next().expect("an id");
        let up = format!("up:{id}");
        for (path, fields) in [
            (
                place.clone(),
                vec![("section", "prioritized"), ("paid", "may")],
            ),
            (format!("{place}/switch"), vec![("disabled", "true")]),
            (format!("{place}/check"), vec![]),
            (
                format!("{place}/secret"),
                vec![("secret", "sk-own-alder-another")],
            ),
            (format!("{place}/delete"), vec![("label", "x")]),
            ("/byok/alder/order".to_owned(), vec![("move", up.as_str())]),
        ] {
            assert_eq!(eve.send(&path, &fields).await.status, 404, "{path}");
        }
        // The right key at another provider's address is not there either.
        assert_eq!(
            owner.get(&place.replace("alder", "birch")).await.status,
            404
        );
        assert_eq!(owner.get("/byok/nobody").await.status, 404);
        assert!(owner.look(&place).await.contains("Working"));
    }
);
