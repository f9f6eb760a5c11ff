use std::{sync::Arc, time::Duration};

use serde_json::{json, value::to_raw_value};
use switchyard_billing::test_suite::{Tenant, scene::sample_settlement};
use switchyard_catalog::snapshot::Catalog;
use switchyard_domain::{
    id::{CredentialId, GenerationId},
    money::UsdNanos,
    provider::ProviderSlug,
    tenancy::Caller,
};
use switchyard_routing::{
    credentials::Credentials,
    health::HealthSnapshot,
    policy::{Policy, Rules, ZdrGroups},
    record::Scope,
    select::{Situation, select},
};
use switchyard_store::{credential::NewProviderCredential, policy::PolicyChange};
use switchyard_testkit::catalog::{KEPT, OAK};
use uuid::Uuid;

use super::{Failing, ReplayReport, ReplayRequest, replay};
use crate::{
    fixture::{Installation, NOW, catalog, needs},
    limits::REPLAY_PAGE_MAX,
    policies::PolicySubject,
};

struct Scene {
    installation: Installation,
    catalog: Arc<Catalog>,
    caller: Caller,
    next: u128,
}

impl Scene {
    async fn new() -> Self {
        let installation = Installation::new().await;
        for (number, provider) in (1..).zip(["alder", "birch", "cedar"]) {
            let credential = NewProviderCredential {
                credential_id: CredentialId::from_uuid(Uuid::from_u128(number)),
                provider: ProviderSlug::new(provider),
                label: "default".to_owned(),
                // Nobody can open this, and nobody has to.
                sealed: b"sealed".to_vec(),
                record_version: 1,
                at: NOW,
            };
            let put = installation
                .store
                .directory
                .put_provider_credential(&credential);
            put.await.expect("stored");
        }
        Self {
            caller: installation.caller(1).await,
            installation,
            catalog: catalog(),
            next: 1,
        }
    }

    /// Settles generations for a model as the app would, one per second, each charged a thousand
    /// nano-dollars per step of its endpoint in the catalogue.
    async fn settle(&mut self, model: &str, count: u64, preferences: &serde_json::Value) {
        let needs = needs(model, preferences);
        let mut settlements = Vec::new();
        for _ in 0..count {
            let number = self.next;
            self.next += 1;
            let at = NOW.plus(Duration::from_secs(u64::try_from(number).expect("few")));
            let situation = Situation {
                catalog: &self.catalog,
                credentials: Credentials::ALL_SHARED,
                health: &HealthSnapshot::default(),
                policy: &Policy::default(),
                pin: None,
                country: None,
                now: at,
                seed: u64::try_from(number).expect("few"),
            };
            let mut plan = select(&needs, &situation).expect("somebody serves");
            plan.record.needs = Some(Arc::new(needs.clone()));
            let chosen = plan.candidates[0].vetted.endpoint();
            let tenant = Tenant {
                account_id: self.installation.account,
                workspace_id: self.installation.workspace,
                api_key_id: self.caller.key.id,
            };
            let id = GenerationId::new(at.seconds(), number);
            let charge = match chosen.tag.as_str() {
                "alder" => 1_000,
                "birch" => 2_000,
                _ => 30_000,
            };
            let mut settlement =
                sample_settlement(tenant, id, at, UsdNanos::new(charge), Vec::new());
            settlement.served.as_mut().expect("served").endpoint_id = chosen.id.clone();
            settlement.decision = Some(to_raw_value(&plan.record).expect("a document"));
            settlements.push(settlement);
        }
        for batch in settlements.chunks(500) {
            let posted = self.installation.store.ledger.post(batch).await;
            posted.expect("posted");
        }
    }

    async fn under(&self, scope: Scope, rules: Rules) -> ReplayReport {
        let request = ReplayRequest {
            account: None,
            workspace: None,
            requests_max: None,
            since: NOW,
            until: NOW.plus(Duration::from_secs(86_400)),
            scope,
            rules,
        };
        replay(&*self.installation.store.directory, &self.catalog, &request)
            .await
            .expect("read")
    }
}

fn zdr() -> Rules {
    Rules {
        zdr: ZdrGroups::ALL,
        ..Rules::default()
    }
}

fn share(report: &ReplayReport, provider: &str) -> (u64, u64) {
    let found = report.providers.iter().find(|one| one.provider == provider);
    found.map_or((0, 0), |one| (one.before, one.after))
}

#[tokio::test]
async fn every_generation_is_counted_once_over_pages() {
    let mut scene = Scene::new().await;
    let count = u64::from(REPLAY_PAGE_MAX) * 2 + 1;
    scene.settle(OAK, count, &json!({})).await;
    let report = scene.under(Scope::Account, Rules::default()).await;
    assert_eq!((report.requests, report.replayed), (count, count));
    assert_eq!(report.as_recorded, count, "nothing has changed since");
    assert_eq!(report.stays, count);
    assert_eq!(report.expected_before, report.expected_after);
    assert_eq!(report.measured.mean_before, report.measured.mean_after);
    assert_eq!(report.measured.unknown_ppm, 0);
    assert!(report.failing.is_empty() && report.moves.is_empty());
}

#[tokio::test]
async fn a_rule_shows_in_the_mix_and_the_cost() {
    let mut scene = Scene::new().await;
    scene.settle(OAK, 400, &json!({})).await;
    // Served by birch only, which keeps prompts.
    scene.settle(KEPT, 7, &json!({})).await;
    for scope in [Scope::Account, Scope::Workspace, Scope::Key] {
        let report = scene.under(scope, zdr()).await;
        assert_eq!(report.replayed, 407);
        assert_eq!(
            report.failing,
            [Failing {
                code: "privacy_restricted",
                rule: Some("zdr"),
                scope: Some(scope.as_str()),
                requests: 7,
            }]
        );
        let (before, after) = share(&report, "Birch");
        assert!(before > 7, "birch is drawn now and then: {before}");
        assert_eq!(after, 0);
        let moved: u64 = report.moves.iter().map(|one| one.requests).sum();
        assert_eq!(moved, before - 7);
        assert_eq!(report.stays + moved, 400);
        // Alder is nearly always drawn instead, and it is the cheapest.
        assert!(report.expected_after < report.expected_before);
        let measured = report.measured;
        assert_eq!(measured.unknown_ppm, 0);
        assert!(measured.mean_after < measured.mean_before, "{measured:?}");
    }
}

#[tokio::test]
async fn rules_in_force_are_the_ground_and_a_proposal_takes_their_place() {
    let mut scene = Scene::new().await;
    scene.settle(OAK, 100, &json!({})).await;
    let account = scene.installation.account;
    let change = PolicyChange {
        account_id: account,
        subject: PolicySubject::Account(account),
        by: "ada".to_owned(),
        at: NOW,
    };
    let rules = to_raw_value(&zdr()).expect("a document");
    let put = scene
        .installation
        .store
        .directory
        .put_policy(&change, &rules);
    put.await.expect("set");
    let same = scene.under(Scope::Account, zdr()).await;
    assert_eq!(share(&same, "Birch"), (0, 0));
    assert_eq!(same.stays, 100);
    assert!(same.as_recorded < 100, "then, nothing kept birch out");
    let freed = scene.under(Scope::Account, Rules::default()).await;
    let (before, after) = share(&freed, "Birch");
    assert!(before == 0 && after > 0, "{before} {after}");
    let added = scene.under(Scope::Key, Rules::default()).await;
    assert_eq!(share(&added, "Birch"), (0, 0), "the account's rules stay");
}

#[tokio::test]
async fn what_cannot_be_told_is_counted_apart() {
    let mut scene = Scene::new().await;
    scene.settle(OAK, 3, &json!({ "order": ["alder"] })).await;
    let tenant = Tenant {
        account_id: scene.installation.account,
        workspace_id: scene.installation.workspace,
        api_key_id: scene.caller.key.id,
    };
    let at = NOW.plus(Duration::from_secs(100));
    // The sample's decision is of a form that nobody here reads; the other has none.
    let odd = sample_settlement(
        tenant,
        GenerationId::new(at.seconds(), 77),
        at,
        UsdNanos::new(1),
        Vec::new(),
    );
    let mut bare = odd.clone();
    bare.generation_id = GenerationId::new(at.seconds(), 78);
    bare.decision = None;
    let posted = scene.installation.store.ledger.post(&[odd, bare]).await;
    posted.expect("posted");
    let only_cedar = Rules {
        allowed_providers: Some(vec!["cedar".to_owned()]),
        ..Rules::default()
    };
    let report = scene.under(Scope::Account, only_cedar).await;
    assert_eq!((report.requests, report.not_replayable), (5, 2));
    assert_eq!(share(&report, "Cedar"), (0, 3));
    // All went to alder by order: nobody knows what cedar would have charged.
    assert_eq!(report.measured.unknown_ppm, 1_000_000);
    assert_eq!(report.measured.mean_after, None);
    assert_eq!(report.measured.mean_before, Some(UsdNanos::new(1_000)));
}
