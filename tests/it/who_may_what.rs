//! Every route, asked by everybody: nobody, nonsense, a stranger, a key that calls models, a key that
//! manages. The table must name every route that there is.

use std::collections::BTreeSet;

use crate::world::*;

/// What each asker is answered with, in this order: without a key, with nonsense for a key, with the
/// management key of another account, with an inference key, with a management key.
type Statuses = [u16; 5];

const PUBLIC: Statuses = [200; 5];
const READS_OWN: Statuses = [401, 401, 200, 200, 200];
const MANAGES: Statuses = [401, 401, 200, 403, 200];
/// Things of one account, which do not exist for others.
const OF_ACCOUNT: Statuses = [401, 401, 404, 200, 200];
const MANAGES_OF_ACCOUNT: Statuses = [401, 401, 404, 403, 200];
const CREATES: Statuses = [401, 401, 201, 403, 201];
const INFERS: Statuses = [401, 401, 403, 200, 403];
/// There, and nothing to be shown: no receipt was asked for.
const NO_RECEIPT: Statuses = [401, 401, 404, 404, 404];

/// Every route with what it needs to succeed, in an order in which all of them can.
fn table(world: &Scene) -> Vec<(&'static str, &'static str, String, Value, Statuses)> {
    let Scene {
        generation, hash, ..
    } = world;
    let none = Value::Null;
    let key = format!("/api/v1/keys/{hash}");
    vec![
        (
            "post",
            "/api/v1/chat/completions",
            String::new(),
            question(OAK),
            INFERS,
        ),
        (
            "post",
            "/api/v1/route/explain",
            String::new(),
            question(OAK),
            READS_OWN,
        ),
        ("get", "/api/v1/models", String::new(), none.clone(), PUBLIC),
        (
            "get",
            "/api/v1/models/count",
            String::new(),
            none.clone(),
            PUBLIC,
        ),
        (
            "get",
            "/api/v1/model/{author}/{slug}",
            format!("/api/v1/model/{OAK}"),
            none.clone(),
            PUBLIC,
        ),
        (
            "get",
            "/api/v1/models/{author}/{slug}/endpoints",
            format!("/api/v1/models/{OAK}/endpoints"),
            none.clone(),
            PUBLIC,
        ),
        (
            "get",
            "/api/v1/endpoints/zdr",
            String::new(),
            none.clone(),
            PUBLIC,
        ),
        (
            "get",
            "/api/v1/providers",
            String::new(),
            none.clone(),
            PUBLIC,
        ),
        ("get", "/api/v1/key", String::new(), none.clone(), READS_OWN),
        (
            "get",
            "/api/v1/credits",
            String::new(),
            none.clone(),
            MANAGES,
        ),
        (
            "get",
            "/api/v1/generation",
            format!("/api/v1/generation?id={generation}"),
            none.clone(),
            OF_ACCOUNT,
        ),
        (
            "get",
            "/api/v1/generation/{id}/decision",
            format!("/api/v1/generation/{generation}/decision"),
            none.clone(),
            OF_ACCOUNT,
        ),
        (
            "get",
            "/api/v1/generation/{id}/receipt",
            format!("/api/v1/generation/{generation}/receipt"),
            none.clone(),
            NO_RECEIPT,
        ),
        (
            "get",
            "/api/v1/receipts/keys",
            String::new(),
            none.clone(),
            PUBLIC,
        ),
        ("get", "/api/v1/keys", String::new(), none.clone(), MANAGES),
        (
            "post",
            "/api/v1/keys",
            String::new(),
            json!({"name": "made"}),
            CREATES,
        ),
        (
            "get",
            "/api/v1/keys/{hash}",
            key.clone(),
            none.clone(),
            MANAGES_OF_ACCOUNT,
        ),
        (
            "patch",
            "/api/v1/keys/{hash}",
            key.clone(),
            json!({"name": "changed"}),
            MANAGES_OF_ACCOUNT,
        ),
        (
            "delete",
            "/api/v1/keys/{hash}",
            key,
            none.clone(),
            MANAGES_OF_ACCOUNT,
        ),
        ("get", "/healthz", String::new(), none.clone(), PUBLIC),
        ("get", "/readyz", String::new(), none.clone(), PUBLIC),
        ("get", "/docs/errors", String::new(), none.clone(), PUBLIC),
        ("get", "/openapi.yaml", String::new(), none, PUBLIC),
    ]
}

/// What the routes are asked about.
struct Scene {
    /// A generation of the account.
    generation: String,
    /// A key of the account, to be changed and deleted.
    hash: String,
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
        let scene = Scene {
            generation: text(&answered, "id"),
            hash: doomed.hash,
        };
        let table = table(&scene);

        let document = world.api().get("/openapi.yaml").send().await;
        let routed = operations(document.text());
        let tabled: BTreeSet<_> = table
            .iter()
            .map(|(method, route, ..)| ((*method).to_owned(), (*route).to_owned()))
            .collect();
        assert!(tabled.len() > 20, "{tabled:?}");
        assert_eq!(tabled.len(), table.len(), "each route once");
        assert_eq!(routed, tabled, "the table names every route and no other");

        let askers = [
            None,
            Some("sk-sy-v1-nonsense"),
            Some(stranger.as_str()),
            Some(world.key.text.as_str()),
            Some(manager.text.as_str()),
        ];
        for (method, route, path, body, statuses) in &table {
            let path = if path.is_empty() {
                *route
            } else {
                path.as_str()
            };
            for (asker, expected) in askers.iter().zip(statuses) {
                let method = method.to_uppercase().parse().expect("a method");
                let mut call = world.api().call(method, path);
                if let Some(key) = asker {
                    call = call.key(key);
                }
                if !body.is_null() {
                    call = call.json(body);
                }
                let reply = call.send().await;
                let case = format!("{path} asked with {asker:?}: {}", reply.text());
                assert_eq!(reply.status.as_u16(), *expected, "{case}");
                if *expected == 403 && *statuses != INFERS {
                    let words = "Only management keys can perform this operation";
                    assert_eq!(text(&reply.error(403), "message"), words, "{case}");
                }
            }
        }
    }
);
