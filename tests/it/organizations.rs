//! People share an organization: they are invited, have roles, and leave.

use crate::{managed::Manager, visitor::Visitor, world::*};

story!(somebody_is_invited_sees_their_role_and_accepts, |world| {
    let ada = Visitor::new(&world, "ada").await;
    let bob = Visitor::new(&world, "bob").await;
    let eve = Visitor::new(&world, "eve").await;
    let acme = ada.found("Acme").await;
    let members = ada.page("/members").await;
    assert!(members.contains("What each role may do"), "{members}");

    let link = ada.invite(&bob.email, "billing").await;
    // Whoever has the link sees what it is for; nobody else can use it.
    let shown = world.api().get(&link).send().await;
    assert_eq!(shown.status, 200);
    for part in ["Acme", "Billing", "bob@example.org", "/login?back="] {
        assert!(shown.text().contains(part), "{part}: {}", shown.text());
    }
    let refused = eve.post(&link, &[]).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.text().contains("another e-mail address"));
    assert_eq!(eve.get("/audit").await.status, 200, "her own account");

    // Sent again, only the newer link works.
    let id = crate::visitor::value_after(&ada.page("/members").await, "/members/invitations/");
    let id = id.split('/').next().expect("an id").to_owned();
    let again = ada
        .post(&format!("/members/invitations/{id}/resend"), &[])
        .await;
    let newer = crate::visitor::link_in(again.text());
    assert_ne!(newer, link);
    assert!(bob.page(&link).await.contains("works no more"));
    assert_eq!(bob.done(&newer, &[]).await, "/");
    assert!(bob.page(&newer).await.contains("works no more"), "once");
    assert!(bob.page("/settings").await.contains(&acme));
    assert!(ada.page("/members").await.contains("bob@example.org"));

    let again = [("email", "bob@example.org"), ("role", "member")];
    let again = ada.post("/members/invite", &again).await;
    assert_eq!(again.status, 422);
    assert!(
        again.text().contains("a member already"),
        "{}",
        again.text()
    );
});

story!(an_invitation_that_is_withdrawn_works_no_more, |world| {
    let ada = Visitor::new(&world, "ada").await;
    let bob = Visitor::new(&world, "bob").await;
    ada.found("Acme").await;
    let link = ada.invite(&bob.email, "member").await;
    let page = ada.page("/members").await;
    let id = crate::visitor::value_after(&page, "/members/invitations/");
    let id = id.split('/').next().expect("an id").to_owned();
    let withdraw = format!("/members/invitations/{id}/withdraw");
    assert_eq!(ada.done(&withdraw, &[]).await, "/members?done=withdrawn");
    assert!(bob.post(&link, &[]).await.text().contains("works no more"));
    let unknown = ada.post(&withdraw, &[]).await;
    assert_eq!(unknown.status, 404);
});

story!(
    a_role_holds_at_once_and_nobody_gives_more_than_they_have,
    |world| {
        let ada = Visitor::new(&world, "ada").await;
        let bob = Visitor::new(&world, "bob").await;
        let cleo = Visitor::new(&world, "cleo").await;
        ada.found("Acme").await;
        ada.take_in(&bob, "viewer").await;
        ada.take_in(&cleo, "admin").await;
        assert_eq!(bob.get("/members").await.status, 403);
        let of_bob = format!("/members/{}/role", bob.id());
        ada.done(&of_bob, &[("role", "admin")]).await;
        assert_eq!(
            bob.get("/members").await.status,
            200,
            "with the same session"
        );
        cleo.done(&of_bob, &[("role", "member")]).await;
        assert_eq!(bob.get("/members").await.status, 403);

        // An admin makes no owner, and touches none.
        for (path, role) in [
            (of_bob.clone(), "owner"),
            (format!("/members/{}/role", cleo.id()), "owner"),
            (format!("/members/{}/role", ada.id()), "member"),
        ] {
            let refused = cleo.post(&path, &[("role", role)]).await;
            assert_eq!(refused.status, 409, "{path} {role}: {}", refused.text());
            assert!(
                refused.text().contains("above their own"),
                "{}",
                refused.text()
            );
        }
        let invited = cleo
            .post(
                "/members/invite",
                &[("email", "x@example.org"), ("role", "owner")],
            )
            .await;
        assert_eq!(invited.status, 422);
        let gone = cleo
            .post(&format!("/members/{}/remove", ada.id()), &[])
            .await;
        assert_eq!(gone.status, 409);
        // What came of it is told, with before and after.
        let log = ada.page("/audit?action=member.").await;
        for part in [
            "member.change_role",
            "<del>viewer</del>",
            "<ins>admin</ins>",
        ] {
            assert!(log.contains(part), "{part}: {log}");
        }
    }
);

story!(an_organization_always_has_an_owner, |world| {
    let ada = Visitor::new(&world, "ada").await;
    let bob = Visitor::new(&world, "bob").await;
    ada.found("Acme").await;
    let alone = ada.post("/settings/leave", &[]).await;
    assert_eq!(alone.status, 409, "{}", alone.text());
    assert!(alone.text().contains("at least one owner"));
    let down = format!("/members/{}/role", ada.id());
    assert_eq!(ada.post(&down, &[("role", "member")]).await.status, 409);

    ada.take_in(&bob, "owner").await;
    // Both at once: one of them stays.
    let (one, other) = tokio::join!(
        ada.post("/settings/leave", &[]),
        bob.post("/settings/leave", &[])
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
});

story!(whoever_leaves_leaves_no_working_key, |world| {
    let ada = Visitor::new(&world, "ada").await;
    let bob = Visitor::new(&world, "bob").await;
    let acme = ada.found("Acme").await;
    ada.take_in(&bob, "member").await;
    let manager = [
        "key",
        "create",
        "--account",
        &acme,
        "--name",
        "m",
        "--management",
    ];
    let manager = text(&world.deployment.run(&manager).await, "key");
    let body = json!({ "name": "bob's", "creator_user_id": bob.id() });
    let made = world
        .api()
        .post("/api/v1/keys", &body)
        .key(&manager)
        .send()
        .await;
    let key = text(&made.json(), "key");
    let mine = async || world.api().get("/api/v1/key").key(&key).send().await.status;
    assert_eq!(mine().await, 200);

    let remove = format!("/members/{}/remove", bob.id());
    assert!(ada.page(&remove).await.contains("1 API key"));
    let blocked = ada.post(&remove, &[]).await;
    assert_eq!(blocked.status, 409, "{}", blocked.text());
    assert_eq!(mine().await, 200, "nothing was changed");
    ada.done(&remove, &[("with_keys", "yes")]).await;
    assert_eq!(mine().await, 401);
    assert!(
        !bob.page("/settings").await.contains(&acme),
        "his own again"
    );
    // No key is made for somebody who left.
    let late = world
        .api()
        .post("/api/v1/keys", &body)
        .key(&manager)
        .send()
        .await;
    assert_eq!(late.status, 400, "{}", late.text());

    let listed = world
        .api()
        .get("/api/v1/organization/members")
        .key(&manager);
    let listed = listed.send().await.ok();
    assert_eq!(listed["total_count"], 1);
    let owner = &listed["data"][0];
    assert_eq!(owner["email"], "ada@example.org");
    assert_eq!(owner["role"], "org:admin");
    for field in ["first_name", "last_name"] {
        assert!(owner.get(field).is_some(), "{field} is missing");
    }
    let personal = Manager::of(&world).await;
    personal.get("/organization/members").await.error(404);
});

story!(accounts_and_workspaces_are_switched_between, |world| {
    let ada = Visitor::new(&world, "ada").await;
    let bob = Visitor::new(&world, "bob").await;
    ada.found("Acme").await;
    let new = [("name", "Team"), ("slug", "team")];
    assert_eq!(
        ada.done("/workspaces/new", &new).await,
        "/workspaces/team?done=made"
    );
    let taken = ada.post("/workspaces/new", &new).await;
    assert_eq!(taken.status, 422);
    assert!(taken.text().contains("has this slug"), "{}", taken.text());
    ada.take_in(&bob, "member").await;
    let places = bob.page("/settings/workspace").await;
    assert!(!places.contains("Team"), "he does not work there: {places}");
    ada.done("/workspaces/team/add-member", &[("person", &bob.id())])
        .await;
    let places = bob.page("/settings/workspace").await;
    assert!(places.contains("Team"), "{places}");
    let place = crate::visitor::value_after(&places, "name=\"place\" value=\"acct_");
    bob.done(
        "/settings/workspace",
        &[("place", &format!("acct_{place}"))],
    )
    .await;

    // Somebody else's place is nobody's.
    let eve = Visitor::new(&world, "eve").await;
    let theirs = [("place", format!("acct_{place}"))];
    let theirs: Vec<_> = theirs
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    assert_eq!(eve.post("/settings/workspace", &theirs).await.status, 404);

    let wrong = ada
        .post("/workspaces/team/delete", &[("typed", "teams")])
        .await;
    assert_eq!(wrong.status, 422);
    let gone = ada
        .done("/workspaces/team/delete", &[("typed", "team")])
        .await;
    assert_eq!(gone, "/workspaces?done=deleted");
    assert_eq!(ada.get("/workspaces/team").await.status, 404);
    assert_eq!(
        bob.get("/settings").await.status,
        200,
        "he looks elsewhere now"
    );
});

story!(the_audit_log_is_narrowed_down_and_taken_along, |world| {
    let ada = Visitor::new(&world, "ada").await;
    ada.found("=Acme").await;
    ada.done("/settings/account", &[("name", "=cmd()")]).await;
    for number in 0..60 {
        let slug = format!("w-{number}");
        ada.done("/workspaces/new", &[("name", "W"), ("slug", &slug)])
            .await;
    }
    let first = ada.page("/audit?action=workspace.").await;
    assert!(first.contains("60 entries"), "{first}");
    let before = crate::visitor::value_after(&first, "before=");
    let second = ada
        .page(&format!("/audit?action=workspace.&before={before}"))
        .await;
    assert_eq!(second.matches("<code>workspace.create</code>").count(), 10);

    let csv = ada.get("/audit/export.csv?action=account.").await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(csv.text().contains("account.change"), "{}", csv.text());
    let cells = csv.text().lines().flat_map(|line| line.split("\",\""));
    for cell in cells {
        assert!(!cell.starts_with("\"="), "{cell}");
    }
    let json = ada.get("/audit/export.json").await.json();
    let entries = json.as_array().expect("a list");
    assert!(entries.len() > 60, "{}", entries.len());
    let rename = entries
        .iter()
        .find(|entry| entry["action"] == "account.change");
    let rename = rename.expect("the rename");
    assert_eq!(rename["detail"]["before"]["name"], "=Acme");
    assert_eq!(rename["via"], "console");
    assert!(rename["ip"].is_string() && rename["request_id"].is_string());

    // An operator who looks leaves an entry that the owner sees.
    let link = ["account", "sign-in-link", "--email", &ada.email];
    world.deployment.run(&link).await;
    let own = Visitor::sign_in(&world, &ada.email, ada.account.clone()).await;
    let log = own.page("/audit?via=command").await;
    assert!(log.contains("person.sign_in_link"), "{log}");
});
