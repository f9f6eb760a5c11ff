//! Every page, asked for by everybody: nobody, each role, and the owner of another organization.

use switchyard_console::{Door, Key, doors};
use switchyard_domain::{
    authority::{Reach, Standing},
    tenancy::Role,
};

use crate::{visitor::Visitor, world::*};

/// A path of the table, asked about things of an organization.
struct Scene {
    person: String,
    workspace: String,
    invitation: String,
}

impl Scene {
    fn path(&self, path: &str) -> String {
        path.replace("/members/{person}", &format!("/members/{}", self.person))
            .replace(
                "/workspaces/{name}",
                &format!("/workspaces/{}", self.workspace),
            )
            .replace(
                "/invitations/{id}",
                &format!("/invitations/{}", self.invitation),
            )
    }
}

/// Whether a role opens a door, for somebody who administers no workspace.
fn opens(key: Option<Key>, role: Role) -> bool {
    match key {
        None | Some(Key::SignIn) => true,
        Some(Key::May(capability)) => !matches!(
            Standing::Person(role).reach(capability),
            Reach::Nothing | Reach::AdministeredWorkspaces
        ),
    }
}

async fn status(visitor: &Visitor, method: Method, path: &str) -> u16 {
    // The head alone: some pages never end.
    visitor.call(method, path).open().await.status.as_u16()
}

fn pages() -> impl Iterator<Item = Door> {
    doors()
        .into_iter()
        .filter(|door| !door.path.starts_with("/logout"))
}

story!(each_role_sees_and_does_what_the_table_says, |world| {
    let ada = Visitor::new(&world, "ada").await;
    ada.found("Acme").await;
    let scene = Scene {
        person: ada.id(),
        workspace: "default".to_owned(),
        invitation: "inv_00000000000000000000000000000001".to_owned(),
    };
    for role in Role::ALL {
        let other = Visitor::new(&world, role.as_str()).await;
        ada.take_in(&other, role.as_str()).await;
        for door in pages() {
            let path = scene.path(door.path);
            let seen = status(&other, Method::GET, &path).await;
            let is_refused = seen == 403;
            assert_eq!(
                is_refused,
                !opens(door.read, role),
                "{role:?} GET {path}: {seen}"
            );
            assert!(seen < 500, "{role:?} GET {path}: {seen}");
            if !opens(door.write, role) {
                let done = other.post(&path, &[]).await.status.as_u16();
                assert_eq!(done, 403, "{role:?} POST {path}");
            }
        }
    }
});

story!(nobody_gets_in_without_a_session, |world| {
    let api = world.api().clone();
    for door in pages() {
        for (method, key) in [(Method::GET, door.read), (Method::POST, door.write)] {
            if key.is_none() {
                continue;
            }
            let asked = api.call(method.clone(), door.path).open().await;
            assert_eq!(asked.status, 303, "{method} {}", door.path);
            let to = asked.headers.get("location").expect("a place");
            assert!(
                to.as_bytes().starts_with(b"/login"),
                "{method} {}",
                door.path
            );
        }
    }
});

story!(what_is_another_organizations_is_not_there, |world| {
    let ada = Visitor::new(&world, "ada").await;
    ada.found("Acme").await;
    ada.done("/workspaces/new", &[("name", "Team"), ("slug", "team")])
        .await;
    ada.invite("bob@example.org", "member").await;
    let page = ada.page("/members").await;
    let invitation = crate::visitor::value_after(&page, "/members/invitations/");
    let scene = Scene {
        person: ada.id(),
        workspace: "team".to_owned(),
        invitation: invitation.split('/').next().expect("an id").to_owned(),
    };
    let eve = Visitor::new(&world, "eve").await;
    eve.found("Evil").await;
    let mut asked = 0;
    for door in pages() {
        let path = scene.path(door.path);
        if path == door.path || path.contains('{') {
            continue;
        }
        asked += 1;
        let seen = status(&eve, Method::GET, &path).await;
        assert!(matches!(seen, 404 | 405), "GET {path}: {seen}");
        let fields = [("role", "viewer"), ("person", &eve.id()), ("typed", "team")];
        let fields = [&fields[..], &[("name", "x"), ("slug", "x")]].concat();
        let done = eve.post(&path, &fields).await.status.as_u16();
        assert!(matches!(done, 404 | 405), "POST {path}: {done}");
    }
    assert!(asked >= 8, "{asked}");
    assert!(
        ada.page("/workspaces/team").await.contains("Team"),
        "untouched"
    );
});
