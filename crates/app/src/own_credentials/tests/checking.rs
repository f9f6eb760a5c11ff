//! Trying a credential out.

use std::{collections::VecDeque, sync::Mutex};

use serde_json::json;
use switchyard_catalog::cell::CatalogCell;
use switchyard_domain::{clock::Timestamp, id::NodeId, money::UsdNanos};
use switchyard_identity::password::Cost;
use switchyard_interchange::{
    event::{Completion, Finish, FinishReason},
    failure::{Failure, FailureKind},
};
use switchyard_routing::policy::{Rules, ZdrGroups};
use switchyard_store::Store;
use switchyard_testkit::{catalog::TestCatalog, folder::Folder};
use switchyard_upstream::{
    answer::Answer,
    call::{Answered, Call, Upstream},
};
use switchyard_vault::{
    OsRandom,
    api_key::{Pepper, Peppers},
};
use uuid::Uuid;

use super::*;
use crate::{
    App, Parts, Settings,
    activity::Activity,
    credentials::Credentials,
    idempotency::Idempotency,
    journal::Journal,
    keys::Keys as ApiKeys,
    mail::NoMail,
    oauth::OAuth,
    organizations::Organizations,
    people::{
        People, PeopleParts,
        proofs::{ProofParts, ProofSettings, Proofs},
    },
    policies::{Policies, PolicySubject},
    receipts::Receipts,
    treasury::Treasury,
    vault_upkeep::VaultUpkeep,
    workspaces::{WorkspaceParts, Workspaces},
};

/// A provider that says what it is told to, and remembers what it was asked with.
#[derive(Default)]
struct Script {
    failures: Mutex<VecDeque<Failure>>,
    asked: Mutex<Vec<(String, String)>>,
}

impl Script {
    fn fail(&self, kind: FailureKind, status: Option<u16>) {
        let failure = Failure {
            status,
            ..Failure::new(kind, "so it says")
        };
        self.failures.lock().expect("whole").push_back(failure);
    }

    fn asked(&self) -> Vec<(String, String)> {
        self.asked.lock().expect("whole").clone()
    }
}

#[async_trait]
impl Upstream for Script {
    async fn send(&self, call: Call<'_>) -> Result<Answered, Failure> {
        let secret = String::from_utf8(call.credential.expose().clone()).expect("text");
        let endpoint = call.endpoint.endpoint().id.to_string();
        self.asked.lock().expect("whole").push((endpoint, secret));
        assert!(call.request.max_output_tokens <= Some(16), "it is tiny");
        match self.failures.lock().expect("whole").pop_front() {
            Some(failure) => Err(failure),
            None => Ok(Answered {
                answer: Answer::Complete(Box::new(Completion {
                    upstream_id: None,
                    model: None,
                    parts: Vec::new(),
                    citations: Vec::new(),
                    finish: Finish {
                        reason: FinishReason::Stop,
                        native: None,
                        stop_sequence: None,
                    },
                    usage: None,
                    verbatim: None,
                })),
                exhausted_for: None,
            }),
        }
    }
}

struct Service {
    app: Arc<App>,
    provider: Arc<Script>,
    installation: Installation,
    node: Node,
    _folder: Folder,
}

impl Service {
    async fn start() -> Self {
        let installation = Installation::new().await;
        let node = Node::start(&installation).await;
        let folder = Folder::fresh();
        let provider = Arc::new(Script::default());
        let app = App::new(parts(&installation, &node, &folder, &provider));
        Self {
            app: Arc::new(app),
            provider,
            installation,
            node,
            _folder: folder,
        }
    }

    async fn check(
        &self,
        id: CredentialId,
        model: Option<&str>,
    ) -> (OwnCredentialRow, CredentialCheck) {
        let account = self.installation.account;
        let checked = self.app.check_own_credential(account, id, model, ada());
        checked.await.expect("checked")
    }
}

fn catalog(folder: &Folder, now: Timestamp) -> CatalogCell {
    let folder = folder.path().join("catalog");
    TestCatalog::new(|provider| format!("http://{provider}.example/v1"))
        .write(&folder)
        .expect("written");
    CatalogCell::load(&folder, now).expect("no faults")
}

fn people(store: &Store, clock: &Arc<dyn Clock>, random: &Arc<dyn RandomSource>) -> Arc<People> {
    Arc::new(People::new(PeopleParts {
        store: store.people.clone(),
        clock: clock.clone(),
        random: random.clone(),
        secrets: Arc::new(OsRandom),
        mailer: Arc::new(NoMail),
    }))
}

fn proofs(store: &Store, vault: &Arc<Vault>, people: &Arc<People>) -> Arc<Proofs> {
    Arc::new(Proofs::new(ProofParts {
        people: people.clone(),
        store: store.proofs.clone(),
        ledger: store.ledger.clone(),
        vault: vault.clone(),
        settings: ProofSettings {
            public_url: "http://localhost".to_owned(),
            sends_mail: false,
            sign_up_is_open: false,
            sign_up_credit: UsdNanos::ZERO,
            address_failures_max: Some(10),
            password_workers: std::num::NonZeroUsize::MIN,
            password_cost: Cost::LEAST,
        },
    }))
}

fn organizations(
    store: &Store,
    clock: &Arc<dyn Clock>,
    random: &Arc<dyn RandomSource>,
) -> Arc<Organizations> {
    let store = store.organizations.clone();
    Arc::new(Organizations::new(store, clock.clone(), random.clone()))
}

fn workspaces(
    store: &Store,
    node: &Node,
    policies: &Arc<Policies>,
    random: &Arc<dyn RandomSource>,
) -> Arc<Workspaces> {
    Arc::new(Workspaces::new(WorkspaceParts {
        store: store.tenancy.clone(),
        directory: store.directory.clone(),
        policies: policies.clone(),
        own_credentials: node.own.clone(),
        clock: node.clock.clone(),
        random: random.clone(),
    }))
}

fn parts(
    installation: &Installation,
    node: &Node,
    folder: &Folder,
    provider: &Arc<Script>,
) -> Parts {
    let store = &installation.store;
    let clock: Arc<dyn Clock> = node.clock.clone();
    let random: Arc<dyn RandomSource> = Arc::new(Counter::default());
    let coordination: Arc<dyn Coordination> = node.coordination.clone();
    let (journal, _) =
        Journal::open(&folder.path().join("journal"), std::time::Duration::ZERO).expect("opened");
    let peppers = Peppers::new(Pepper::new(1, Secret::new([1; 32])), Vec::new());
    let vault = node.vault.clone();
    let policies = Arc::new(Policies::new(
        store.directory.clone(),
        coordination.clone(),
        clock.clone(),
    ));
    let people = people(store, &clock, &random);
    Parts {
        clock: clock.clone(),
        random: random.clone(),
        catalog: Arc::new(catalog(folder, clock.now())),
        coordination: coordination.clone(),
        key_store: store.api_keys.clone(),
        idempotency: Arc::new(Idempotency::new(
            store.idempotency.clone(),
            vault.clone(),
            clock.clone(),
            random.clone(),
        )),
        vault_upkeep: Arc::new(VaultUpkeep::new(vault.clone(), store.sealed.clone())),
        workspaces: workspaces(store, node, &policies, &random),
        organizations: organizations(store, &clock, &random),
        oauth: Arc::new(OAuth::new(store.oauth.clone(), false)),
        audit_log: store.audit.clone(),
        proofs: proofs(store, &vault, &people),
        people,
        directory: store.directory.clone(),
        upstream: provider.clone(),
        keys: Arc::new(ApiKeys::new(
            store.directory.clone(),
            coordination,
            peppers,
            clock.clone(),
            random.clone(),
        )),
        credentials: Arc::new(Credentials::new(
            store.directory.clone(),
            vault.clone(),
            clock.clone(),
            random,
        )),
        own_credentials: node.own.clone(),
        policies,
        treasury: Arc::new(Treasury::new(
            NodeId::from_uuid(Uuid::from_u128(9)),
            store.ledger.clone(),
            clock.clone(),
        )),
        journal: Arc::new(journal),
        poster: Arc::default(),
        activity: Arc::new(Activity::new(store.activity.clone(), Arc::default())),
        receipts: Arc::new(Receipts::new(store.receipts.clone(), vault, clock)),
        settings: Settings {
            attempt_timeout: std::time::Duration::from_secs(60),
            sticky_ttl: std::time::Duration::from_secs(60),
            sticky_secret: [0; 32],
            signed_receipts: false,
        },
    }
}

#[tokio::test]
async fn a_check_asks_the_cheapest_model_with_this_credential_alone() {
    let service = Service::start().await;
    let (installation, node) = (&service.installation, &service.node);
    node.stored(installation, "alder", "sk-alder-other12345")
        .await;
    let row = node
        .stored(installation, "alder", "sk-alder-a123456789")
        .await;
    let (row, check) = service.check(row.id, None).await;
    assert_eq!(check.condition, CredentialCondition::Ok);
    assert_eq!(
        check.model.as_deref(),
        Some("acme/oak"),
        "the cheapest there"
    );
    let expected = (
        "acme/oak|alder".to_owned(),
        "sk-alder-a123456789".to_owned(),
    );
    assert_eq!(service.provider.asked(), [expected]);
    let state = row.state.expect("it is written when the check returns");
    assert_eq!(state.condition, CredentialCondition::Ok);
    let entries = installation
        .store
        .audit
        .audit_of(&row.id.to_string(), 10)
        .await;
    let last = entries.expect("read").pop().expect("an entry").event;
    assert_eq!(last.action, "credential.check");
    assert_eq!(last.detail["condition"], "ok");
    assert_eq!(service.app.in_flight(), 0, "it is no generation");
}

#[tokio::test]
async fn what_the_provider_says_becomes_the_state() {
    let service = Service::start().await;
    let row = service
        .node
        .stored(&service.installation, "alder", "sk-alder-a123456789")
        .await;
    for (kind, status, condition) in [
        (
            FailureKind::Server,
            Some(500),
            CredentialCondition::Unchecked,
        ),
        (FailureKind::Connect, None, CredentialCondition::Unchecked),
        (
            FailureKind::RateLimit,
            Some(429),
            CredentialCondition::Unchecked,
        ),
        (FailureKind::Auth, Some(401), CredentialCondition::Failing),
        (
            FailureKind::QuotaBilling,
            Some(402),
            CredentialCondition::Failing,
        ),
    ] {
        service.provider.fail(kind, status);
        let (_, check) = service.check(row.id, None).await;
        assert_eq!(
            (check.condition, check.status),
            (condition, status),
            "{kind:?}"
        );
        assert_eq!(check.message.as_deref(), Some("so it says"));
    }
    // A provider that is down takes nothing back.
    service.provider.fail(FailureKind::Server, Some(500));
    let (stored, _) = service.check(row.id, None).await;
    let condition = stored.state.map(|state| state.condition);
    assert_eq!(condition, Some(CredentialCondition::Failing));
}

#[tokio::test]
async fn a_check_keeps_to_the_models_and_the_rules() {
    let service = Service::start().await;
    let (installation, node) = (&service.installation, &service.node);
    let mut settings = CredentialSettings::default();
    settings.filters.models = Some(vec!["acme/meter".to_owned()]);
    let meter = node
        .store(installation, "alder", "sk-alder-a123456789", settings)
        .await
        .expect("stored");
    let (_, check) = service.check(meter.id, None).await;
    assert_eq!(check.model.as_deref(), Some("acme/meter"));
    let (_, check) = service.check(meter.id, Some("acme/oak")).await;
    assert_eq!(check.condition, CredentialCondition::Unchecked);
    assert_eq!(service.provider.asked().len(), 1, "it is not for that one");

    let keeping = node
        .stored(installation, "birch", "sk-birch-a123456789")
        .await;
    let rules = Rules {
        zdr: ZdrGroups::ALL,
        ..Rules::default()
    };
    let account = installation.account;
    let put = service
        .app
        .policies
        .put(account, PolicySubject::Account(account), &rules, "ada");
    put.await.expect("set");
    let (_, check) = service.check(keeping.id, None).await;
    assert_eq!(check.condition, CredentialCondition::Unchecked);
    let message = check.message.expect("why not");
    assert!(message.contains("zdr"), "{message}");
    assert_eq!(service.provider.asked().len(), 1, "a rule is a rule");
    assert_eq!(json!(check.model), json!(null));
}
