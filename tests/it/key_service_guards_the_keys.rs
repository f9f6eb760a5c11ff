//! The outermost key may be guarded elsewhere. While its guard is away, known tenants are served, and
//! nothing is sealed.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use tokio::{net::TcpListener, task::JoinSet};

use crate::world::*;

const TOKEN: &str = "hvs.CAESIJ-7c41d2-token";
const VAULT_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The two questions that a running node puts to a transit engine.
#[derive(Clone, Default)]
struct Desk {
    is_away: Arc<AtomicBool>,
    /// Plaintext and associated data by ciphertext.
    made: Arc<Mutex<HashMap<String, (Value, Value)>>>,
}

struct Transit {
    address: String,
    desk: Desk,
    _serving: JoinSet<()>,
}

impl Transit {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let desk = Desk::default();
        let routes = Router::new()
            .route("/v1/transit/{operation}/switchyard", post(answer))
            .with_state(desk.clone());
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            axum::serve(listener, routes).await.expect("it serves");
        });
        Self {
            address: format!("http://{address}"),
            desk,
            _serving: serving,
        }
    }

    fn is_away(&self, is_away: bool) {
        self.desk.is_away.store(is_away, Ordering::SeqCst);
    }
}

async fn answer(
    State(desk): State<Desk>,
    Path(operation): Path<String>,
    headers: HeaderMap,
    Json(asked): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let says = |status, says: &str| (status, Json(json!({ "errors": [says] })));
    if desk.is_away.load(Ordering::SeqCst) {
        return says(StatusCode::SERVICE_UNAVAILABLE, "Vault is sealed");
    }
    let token = headers.get("x-vault-token");
    if token.is_none_or(|token| token != TOKEN) {
        return says(StatusCode::FORBIDDEN, "permission denied");
    }
    let mut made = desk.made.lock().expect("no panic holds it");
    let data = if operation == "encrypt" {
        let ciphertext = format!("vault:v1:made{}", made.len());
        let parts = (asked["plaintext"].clone(), asked["associated_data"].clone());
        made.insert(ciphertext.clone(), parts);
        json!({ "ciphertext": ciphertext, "key_version": 1 })
    } else {
        let found = made.get(asked["ciphertext"].as_str().unwrap_or_default());
        match found {
            Some((plaintext, data)) if *data == asked["associated_data"] => {
                json!({ "plaintext": plaintext })
            }
            _ => {
                return says(
                    StatusCode::BAD_REQUEST,
                    "cipher: message authentication failed",
                );
            }
        }
    };
    (StatusCode::OK, Json(json!({ "data": data })))
}

story!(an_outage_is_bridged_for_known_tenants_only, configuration => {
    let transit = Transit::start().await;
    let setup = Setup {
        settings: vec![
            ("vault.provider", "transit"),
            ("vault.transit.key", "switchyard"),
            ("vault.transit.token", TOKEN),
        ],
        variables: vec![("SWITCHYARD__VAULT__TRANSIT__ADDRESS", transit.address.clone())],
        ..Setup::default()
    };
    let world = start(configuration, setup).await;
    world.ask(&question(OAK)).await.ok();
    assert!(!transit.desk.made.lock().expect("no panic holds it").is_empty());

    transit.is_away(true);
    world.ask(&question(OAK)).await.ok();
    assert_eq!(world.node.admin.get("/readyz").send().await.status, 200);
    let command = ["provider-key", "set", "alder"];
    let refused = world.deployment.output(&command, "sk-new").await;
    assert!(!refused.status.success(), "nothing is sealed without the guard");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("Vault is sealed"), "{said}");

    transit.is_away(false);
    world.deployment.run_with_input(&command, &provider_secret("alder")).await;
    let shown = world.deployment.run(&["config", "show"]).await;
    for text in [said, world.node.logs(), shown.to_string()] {
        assert!(!text.contains(TOKEN), "{text}");
    }
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_in_the_environment_is_warned_of() {
    let setup = Setup {
        settings: vec![
            ("vault.provider", "environment"),
            ("vault.environment.key", VAULT_KEY),
        ],
        ..Setup::default()
    };
    let world = start(Configuration::Embedded, setup).await;
    world.ask(&question(OAK)).await.ok();
    let logs = world.node.logs();
    assert!(logs.contains("for development only"), "{logs}");
    assert!(!logs.contains(VAULT_KEY), "{logs}");
}
