//! Standing rules in the console: shown before they are saved, and kept from killing models in use.

use crate::{
    signed_in::{SignedIn, between, has_fault},
    world::*,
};

/// Fields of a form of rules, with the number of what is there.
async fn rules<'a>(
    owner: &SignedIn,
    scope: &'a str,
    revision: &'a mut String,
    more: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    *revision = owner
        .hidden(&format!("/privacy?scope={scope}"), "revision")
        .await;
    [&[("scope", scope), ("revision", revision.as_str())], more].concat()
}

story!(a_rule_that_kills_a_used_model_warns_first, |world| {
    let owner = SignedIn::owner(&world).await;
    world.ask(&question(OAK)).await.ok();
    world.nothing_held().await;
    let mut revision = String::new();
    let wanted = rules(&owner, "account", &mut revision, &[("ignored_models", OAK)]).await;
    let preview = owner
        .send("/privacy", &[&wanted[..], &[("step", "preview")]].concat())
        .await;
    assert_eq!(preview.status, 200, "{}", preview.text());
    let page = preview.text();
    assert!(
        page.contains("Models in use would have nothing to serve them"),
        "{page}"
    );
    assert!(page.contains(OAK) && page.contains("None left"), "{page}");
    world.ask(&question(OAK)).await.ok();

    let save = [&wanted[..], &[("step", "save")]].concat();
    let refused = owner.send("/privacy", &save).await;
    assert_eq!(refused.status, 422, "it takes a confirmation");
    assert!(has_fault(refused.text(), "confirmed"));
    world.ask(&question(OAK)).await.ok();
    let confirmed = [&save[..], &[("confirmed", "yes")]].concat();
    let (_, page) = owner.done("/privacy", &confirmed).await;
    assert!(
        page.contains("Never these models") && page.contains("The account"),
        "{page}"
    );
    world.ask(&question(OAK)).await.error(403);
    // Whoever still has the old page does not overwrite it.
    let late = owner.send("/privacy", &confirmed).await;
    assert_eq!(late.status, 422);
    assert!(has_fault(late.text(), "revision"));
    // Nothing ruled is no rules.
    let none = rules(&owner, "account", &mut revision, &[("step", "save")]).await;
    let (_, page) = owner.done("/privacy", &none).await;
    assert!(page.contains("No rule is set"), "{page}");
    world.ask(&question(OAK)).await.ok();
});

story!(a_workspace_only_tightens_and_is_told_who_ruled, |world| {
    let owner = SignedIn::owner(&world).await;
    let mut revision = String::new();
    let account = [
        ("zdr_other", "true"),
        ("step", "save"),
        ("confirmed", "yes"),
    ];
    let account = rules(&owner, "account", &mut revision, &account).await;
    owner.done("/privacy", &account).await;
    let workspace = [
        ("sort", "price"),
        ("signed_receipts", "allow"),
        ("step", "save"),
        ("confirmed", "yes"),
    ];
    let workspace = rules(&owner, "workspace", &mut revision, &workspace).await;
    let (_, page) = owner.done("/privacy", &workspace).await;
    let table = between(&page, "In force in this workspace", "</table>");
    for part in [
        "Zero data retention",
        "The account",
        "Signed receipts",
        "This workspace",
    ] {
        assert!(table.contains(part), "{part} in {table}");
    }
    assert!(page.contains("value=\"price\" selected"), "{page}");
    // A name that is not there is likely misspelt.
    let odd = rules(
        &owner,
        "workspace",
        &mut revision,
        &[("ignored_providers", "aldr"), ("step", "preview")],
    )
    .await;
    let preview = owner.send("/privacy", &odd).await;
    assert!(
        preview.text().contains("has no provider `aldr`"),
        "{}",
        preview.text()
    );
});
