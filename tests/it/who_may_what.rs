//! Every route, asked by everybody: nobody, nonsense, a stranger, a key that calls models, a key that
//! manages. The table must name every route that there is.

use std::collections::BTreeSet;

use crate::{
    managed::{Manager, made},
    world::*,
};

/// What each asker is answered with, in this order: without a key, with nonsense for a key, with the
/// management key of another account, with an inference key, with a management key.
type Statuses = [u16; 5];

const PUBLIC: Statuses = [200; 5];
const READS_OWN: Statuses = [401, 401, 200, 200, 200];
const MANAGES: Statuses = [401, 401, 200, 403, 200];
/// Things of one account, which do not exist for others.
const OF_ACCOUNT: Statuses = [401, 401, 404, 200, 200];
const MANAGES_OF_ACCOUNT: Statuses = [401, 401, 404, 403, 200];
/// Out of a thing of one account.
const CREATES_OF_ACCOUNT: Statuses = [401, 401, 404, 403, 201];
const CREATES: Statuses = [401, 401, 201, 403, 201];
const INFERS: Statuses = [401, 401, 403, 200, 403];
/// Personal accounts have no members.
const OF_ORGANIZATION: Statuses = [401, 401, 404, 403, 404];
/// Whoever asks: the code is what matters, and there is none.
const NEEDS_CODE: Statuses = [400; 5];
/// There, and nothing to be shown: no receipt was asked for.
const NO_RECEIPT: Statuses = [401, 401, 404, 404, 404];

/// A route, what is sent to it, and how everybody is answered.
struct Row {
    method: &'static str,
    route: &'static str,
    /// A JSON body; empty is none.
    body: &'static str,
    statuses: Statuses,
}

const fn row(
    method: &'static str,
    route: &'static str,
    body: &'static str,
    statuses: Statuses,
) -> Row {
    Row {
        method,
        route,
        body,
        statuses,
    }
}

const ASKS: &str = r#"{"model":"acme/oak","messages":[{"role":"user","content":"How tall?"}]}"#;

const TEAM: &str = r#"{"name":"Team","slug":"made"}"#;
const COUNTS: &str = r#"{"metrics":["request_count"]}"#;
const CODE: &str = r#"{"callback_url":"https://app.example/","code_challenge":"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}"#;
const SECRET: &str = r#"{"provider":"alder","key":"sk-of-the-table-1234567"}"#;

/// Every route, in an order in which all of them can succeed.
const TABLE: &[Row] = &[
    row("post", "/api/v1/chat/completions", ASKS, INFERS),
    row("post", "/api/v1/route/explain", ASKS, READS_OWN),
    row("get", "/api/v1/models", "", PUBLIC),
    row("get", "/api/v1/models/count", "", PUBLIC),
    row("get", "/api/v1/model/{author}/{slug}", "", PUBLIC),
    row(
        "get",
        "/api/v1/models/{author}/{slug}/endpoints",
        "",
        PUBLIC,
    ),
    row("get", "/api/v1/endpoints/zdr", "", PUBLIC),
    row("get", "/api/v1/providers", "", PUBLIC),
    row("get", "/api/v1/key", "", READS_OWN),
    row("post", "/api/v1/auth/keys", "{}", NEEDS_CODE),
    row("post", "/api/v1/auth/keys/code", CODE, MANAGES),
    row("get", "/api/v1/credits", "", MANAGES),
    row("get", "/api/v1/generation", "", OF_ACCOUNT),
    row("get", "/api/v1/generation/{id}/decision", "", OF_ACCOUNT),
    row("get", "/api/v1/generation/{id}/receipt", "", NO_RECEIPT),
    row("get", "/api/v1/receipts/keys", "", PUBLIC),
    row("get", "/api/v1/activity", "", MANAGES),
    row("get", "/api/v1/analytics/meta", "", MANAGES),
    row("post", "/api/v1/analytics/query", COUNTS, MANAGES),
    row("get", "/api/v1/keys", "", MANAGES),
    row("post", "/api/v1/keys", r#"{"name":"made"}"#, CREATES),
    row("get", "/api/v1/keys/{hash}", "", MANAGES_OF_ACCOUNT),
    row(
        "patch",
        "/api/v1/keys/{hash}",
        r#"{"name":"x"}"#,
        MANAGES_OF_ACCOUNT,
    ),
    row(
        "post",
        "/api/v1/keys/{hash}/rotate",
        "{}",
        CREATES_OF_ACCOUNT,
    ),
    row("delete", "/api/v1/keys/{hash}", "", MANAGES_OF_ACCOUNT),
    row("get", "/api/v1/workspaces", "", MANAGES),
    row("post", "/api/v1/workspaces", TEAM, CREATES),
    row("get", "/api/v1/workspaces/{id}", "", MANAGES_OF_ACCOUNT),
    row(
        "patch",
        "/api/v1/workspaces/{id}",
        r#"{"name":"x"}"#,
        MANAGES_OF_ACCOUNT,
    ),
    row("get", "/api/v1/organization/members", "", OF_ORGANIZATION),
    row(
        "post",
        "/api/v1/workspaces/{id}/members/add",
        r#"{"user_ids":["$owner"]}"#,
        MANAGES_OF_ACCOUNT,
    ),
    row(
        "get",
        "/api/v1/workspaces/{id}/members",
        "",
        MANAGES_OF_ACCOUNT,
    ),
    row(
        "post",
        "/api/v1/workspaces/{id}/members/remove",
        r#"{"user_ids":["$owner"]}"#,
        MANAGES_OF_ACCOUNT,
    ),
    row("delete", "/api/v1/workspaces/{id}", "", MANAGES_OF_ACCOUNT),
    row("get", "/api/v1/byok", "", MANAGES),
    row("post", "/api/v1/byok", SECRET, CREATES),
    row(
        "put",
        "/api/v1/byok/order",
        r#"{"provider":"alder","ids":["$credential"]}"#,
        MANAGES_OF_ACCOUNT,
    ),
    row("get", "/api/v1/byok/{id}", "", MANAGES_OF_ACCOUNT),
    row(
        "patch",
        "/api/v1/byok/{id}",
        r#"{"name":"x"}"#,
        MANAGES_OF_ACCOUNT,
    ),
    row("post", "/api/v1/byok/{id}/check", "", MANAGES_OF_ACCOUNT),
    row("delete", "/api/v1/byok/{id}", "", MANAGES_OF_ACCOUNT),
    row("get", "/healthz", "", PUBLIC),
    row("get", "/readyz", "", PUBLIC),
    row("get", "/docs/errors", "", PUBLIC),
    row("get", "/openapi.yaml", "", PUBLIC),
];

/// What the routes are asked about.
struct Scene {
    /// A generation of the account.
    generation: String,
    /// A key of the account, to be changed and deleted.
    hash: String,
    /// A workspace of the account, to be changed and deleted.
    workspace: String,
    /// Whose account it is.
    owner: String,
    /// A credential of the account, to be changed and deleted.
    credential: String,
}

impl Scene {
    fn path(&self, route: &str) -> String {
        let path = route
            .replace("{author}/{slug}", OAK)
            .replace(
                "/generation/{id}",
                &format!("/generation/{}", self.generation),
            )
            .replace("{hash}", &self.hash)
            .replace(
                "/workspaces/{id}",
                &format!("/workspaces/{}", self.workspace),
            )
            .replace("/byok/{id}", &format!("/byok/{}", self.credential));
        assert!(!path.contains('{'), "{path}: what is it asked about?");
        if path.ends_with("/generation") {
            format!("{path}?id={}", self.generation)
        } else {
            path
        }
    }

    fn body(&self, body: &str) -> String {
        body.replace("$owner", &self.owner)
            .replace("$credential", &self.credential)
    }
}

/// The operations of an OpenAPI document as it is written here: paths indented by two, methods by
/// four.
fn operations(document: &str) -> BTreeSet<(String, String)> {
    let lines = document
        .lines()
        .skip_while(|line| *line != "paths:")
        .skip(1);
    let lines = lines.take_while(|line| line.starts_with(' '));
    let (mut path, mut found) = (String::new(), BTreeSet::new());
    for line in lines {
        let depth = line.len() - line.trim_start().len();
        let Some(name) = line.trim().strip_suffix(':') else {
            continue;
        };
        match depth {
            2 => name.clone_into(&mut path),
            4 => {
                found.insert((name.to_owned(), path.clone()));
            }
            _ => {}
        }
    }
    found
}

story!(
    t15_every_route_answers_everybody_as_the_table_says,
    |world| {
        let manager = world.create_key(&["--management"]).await;
        let doomed = world.create_key(&[]).await;
        let create = ["account", "create", "--email", "eve@example.com"];
        let eve = text(&world.deployment.run(&create).await, "account_id");
        let create = [
            "key",
            "create",
            "--account",
            &eve,
            "--name",
            "eve",
            "--management",
        ];
        let stranger = text(&world.deployment.run(&create).await, "key");
        let answered = world.ask(&question(OAK)).await.ok();
        let owner = Manager::of(&world).await;
        let people = owner.get("/workspaces/default/members").await.ok();
        let team = json!({ "name": "Team", "slug": "team" });
        let secret = json!({ "provider": "alder", "key": "sk-of-the-scene-1234567" });
        let scene = Scene {
            generation: text(&answered, "id"),
            hash: doomed.hash,
            workspace: text(&made(&owner.post("/workspaces", &team).await), "id"),
            owner: text(&people["data"][0], "user_id"),
            credential: text(&made(&owner.post("/byok", &secret).await), "id"),
        };
        let document = world.api().get("/openapi.yaml").send().await;
        let routed = operations(document.text());
        let tabled = TABLE.iter();
        let tabled: BTreeSet<_> = tabled
            .map(|row| (row.method.to_owned(), row.route.to_owned()))
            .collect();
        assert!(tabled.len() > 20, "{tabled:?}");
        assert_eq!(tabled.len(), TABLE.len(), "each route once");
        assert_eq!(routed, tabled, "the table names every route and no other");

        let askers = [
            None,
            Some("sk-sy-v1-nonsense"),
            Some(stranger.as_str()),
            Some(world.key.text.as_str()),
            Some(manager.text.as_str()),
        ];
        for row in TABLE {
            let path = scene.path(row.route);
            for (asker, expected) in askers.iter().zip(row.statuses) {
                let method = row.method.to_uppercase().parse().expect("a method");
                let mut call = world.api().call(method, &path);
                if let Some(key) = asker {
                    call = call.key(key);
                }
                if !row.body.is_empty() {
                    call = call
                        .header("content-type", "application/json")
                        .body(scene.body(row.body));
                }
                let reply = call.send().await;
                let case = format!(
                    "{} {path} asked with {asker:?}: {}",
                    row.method,
                    reply.text()
                );
                assert_eq!(reply.status.as_u16(), expected, "{case}");
                if expected == 403 && row.statuses != INFERS {
                    let words = "Only management keys can perform this operation";
                    assert_eq!(text(&reply.error(403), "message"), words, "{case}");
                }
            }
        }
    }
);
