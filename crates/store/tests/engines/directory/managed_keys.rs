//! Keys as their managers see and change them.

use std::time::Duration;

use serde_json::json;
use switchyard_billing::{
    fund::{FundId, FundRef},
    settlement::ConsumedHold,
    store::{LeaseAsk, LeaseOutcome},
    test_suite::{Fixture, Tenant, scene::sample_settlement},
};
use switchyard_domain::{
    clock::{ResetInterval, Timestamp},
    id::{CredentialId, GenerationId, LeaseId, PersonId},
    money::UsdNanos,
    patch::Patch,
    tenancy::{KeyKind, KeyLimit},
};
use switchyard_store::{
    DirectoryError,
    api_key::{
        ApiKeyStore, ExternalIdentity, KeyChange, KeyFilter, KeySight, ManagedKey, NewApiKey, Page,
    },
    audit::{AuditEvent, AuditOrigin},
};

use crate::engine::{Engine, NOW};

const FIRST_PAGE: Page = Page {
    offset: 0,
    limit: 100,
};

fn keys(engine: &Engine) -> &dyn ApiKeyStore {
    engine.store.api_keys.as_ref()
}

pub(super) fn audit(action: &str) -> AuditEvent {
    AuditEvent {
        at: NOW,
        actor: "key_1".to_owned(),
        action: action.to_owned(),
        subject: "key_2".to_owned(),
        detail: json!({}),
        origin: AuditOrigin::default(),
    }
}

pub(super) async fn created(
    engine: &Engine,
    tenant: Tenant,
    change: impl FnOnce(&mut NewApiKey),
) -> String {
    let mut new = engine.new_key_row(tenant.account_id, tenant.workspace_id);
    change(&mut new);
    let event = audit("api_key.create");
    keys(engine)
        .create_key(&new, None, &event)
        .await
        .expect("stored");
    new.key.hash
}

pub(super) async fn seen(engine: &Engine, tenant: Tenant, hash: &str) -> Option<ManagedKey> {
    let found = keys(engine)
        .managed_key(tenant.account_id, KeySight::CALLING, hash, NOW)
        .await;
    found.expect("answered")
}

pub(super) async fn known(engine: &Engine, tenant: Tenant, hash: &str) -> ManagedKey {
    seen(engine, tenant, hash).await.expect("there")
}

pub(super) async fn change(
    engine: &Engine,
    tenant: Tenant,
    hash: &str,
    limit: Patch<KeyLimit>,
    at: Timestamp,
) -> Result<(), DirectoryError> {
    let before = known(engine, tenant, hash).await;
    let change = KeyChange {
        name: before.key.name,
        disabled: before.key.disabled,
        limit,
        expected_revision: before.revision,
        at,
    };
    let event = audit("api_key.update");
    let store = keys(engine);
    store
        .change_key(tenant.account_id, KeySight::CALLING, hash, &change, &event)
        .await
        .map(|_| ())
}

pub(crate) async fn a_managed_key_is_read_back_with_whom_it_is_for(engine: &Engine) {
    let tenant = engine.new_account().await;
    let mut new = engine.new_key_row(tenant.account_id, tenant.workspace_id);
    // The account's owner has its id.
    new.key.creator_id = Some(PersonId::from_uuid(tenant.account_id.as_uuid()));
    let external = ExternalIdentity {
        user: "their user".to_owned(),
        key_hash: Some("ab".repeat(32)),
    };
    let event = audit("api_key.create");
    let revision = keys(engine).create_key(&new, Some(&external), &event).await;
    let found = known(engine, tenant, &new.key.hash).await;
    assert_eq!(found.key, new.key);
    assert_eq!(found.external_user.as_deref(), Some("their user"));
    assert_eq!(found.revision, revision.expect("stored").revision);
    assert_eq!((found.updated_at, found.last_used_at), (None, None));

    let mut stranger = engine.new_key_row(tenant.account_id, tenant.workspace_id);
    stranger.key.creator_id = Some(PersonId::from_uuid(engine.fresh_uuid()));
    let refused = keys(engine).create_key(&stranger, None, &event).await;
    assert!(
        matches!(refused, Err(DirectoryError::Refused("creator"))),
        "{refused:?}"
    );
    assert_eq!(seen(engine, tenant, &stranger.key.hash).await, None);
}

pub(crate) async fn t15_keys_of_others_and_management_keys_are_missing(engine: &Engine) {
    let (mine, other) = (engine.new_account().await, engine.new_account().await);
    let theirs = created(engine, other, |_| {}).await;
    let managing = created(engine, mine, |new| new.key.kind = KeyKind::Management).await;
    let event = audit("api_key.update");
    for hash in [theirs.as_str(), &managing, "nothing"] {
        assert_eq!(seen(engine, mine, hash).await, None);
        let change = KeyChange {
            name: "mine now".to_owned(),
            disabled: true,
            limit: Patch::Clear,
            expected_revision: 1,
            at: NOW,
        };
        let store = keys(engine);
        let changed = store
            .change_key(mine.account_id, KeySight::CALLING, hash, &change, &event)
            .await;
        assert!(
            matches!(changed, Err(DirectoryError::Missing(_))),
            "{changed:?}"
        );
        let removed = store
            .remove_key(mine.account_id, KeySight::CALLING, hash, &event)
            .await;
        assert!(
            matches!(removed, Err(DirectoryError::Missing(_))),
            "{removed:?}"
        );
    }
    assert!(!known(engine, other, &theirs).await.key.disabled);
    let (own, foreign) = (mine.workspace_id, other.workspace_id);
    for (workspace, has) in [(own, true), (foreign, false)] {
        let found = keys(engine).has_workspace(mine.account_id, workspace).await;
        assert_eq!(found.expect("answered"), has);
    }
    let audited = engine
        .store
        .audit
        .audit_of("key_2", 100)
        .await
        .expect("read");
    assert_eq!(audited.len(), 2, "what was refused was not done");
}

pub(crate) async fn lists_have_what_was_asked_for_with_what_it_used(engine: &Engine) {
    let tenant = engine.new_account().await;
    let mut hashes = Vec::new();
    for second in 1..=4 {
        let at = NOW.plus(Duration::from_secs(second));
        hashes.push(created(engine, tenant, |new| new.key.created_at = at).await);
    }
    let off = created(engine, tenant, |new| new.key.disabled = true).await;
    let over = created(engine, tenant, |new| new.key.expires_at = Some(NOW)).await;
    created(engine, tenant, |new| new.key.kind = KeyKind::Management).await;
    let spender = known(engine, tenant, &hashes[1]).await.key.id;
    for (number, (key, charge)) in [(spender, 5), (spender, 6), (tenant.api_key_id, 7)]
        .into_iter()
        .enumerate()
    {
        let id = GenerationId::new(NOW.seconds(), number as u128);
        let charged = Tenant {
            api_key_id: key,
            ..tenant
        };
        let one = sample_settlement(charged, id, NOW, UsdNanos::new(charge), Vec::new());
        engine.ledger().post(&[one]).await.expect("posted");
    }
    let list = async |include_disabled: bool, include_expired: bool, page| {
        let filter = KeyFilter {
            workspace: tenant.workspace_id,
            sight: KeySight::CALLING,
            disabled: (!include_disabled).then_some(false),
            expired: (!include_expired).then_some(false),
            never_used: false,
            text: None,
        };
        let found = keys(engine)
            .managed_keys(tenant.account_id, &filter, page, NOW)
            .await;
        let (keys, count) = found.expect("answered");
        assert!(count >= keys.len() as u64);
        keys
    };
    let usual = list(false, false, FIRST_PAGE).await;
    let newest_first: Vec<_> = usual
        .iter()
        .take(4)
        .map(|one| one.key.hash.as_str())
        .collect();
    let expected: Vec<_> = hashes.iter().rev().map(String::as_str).collect();
    assert_eq!(newest_first, expected);
    // The fixture's own key is the fifth.
    assert_eq!(usual.len(), 5);
    let used: Vec<_> = usual
        .iter()
        .map(|one| one.usage.usage.daily.get())
        .collect();
    assert_eq!(used, [0, 0, 11, 0, 7]);
    assert_eq!(usual[2].usage.requests, 2);
    for (include_disabled, include_expired, hash, count) in
        [(true, false, &off, 6), (false, true, &over, 6)]
    {
        let wider = list(include_disabled, include_expired, FIRST_PAGE).await;
        assert_eq!(wider.len(), count);
        assert!(wider.iter().any(|one| one.key.hash == *hash));
    }
    let page = Page {
        offset: 1,
        limit: 2,
    };
    let second = list(false, false, page).await;
    assert_eq!(second, usual[1..3]);
}

pub(crate) async fn changes_and_deletions_are_numbered_and_audited(engine: &Engine) {
    let tenant = engine.new_account().await;
    let hash = created(engine, tenant, |_| {}).await;
    let before = known(engine, tenant, &hash).await;
    let wanted = KeyChange {
        name: "renamed".to_owned(),
        disabled: true,
        limit: Patch::Keep,
        expected_revision: before.revision,
        at: NOW.plus(Duration::from_secs(1)),
    };
    let (store, event) = (keys(engine), audit("api_key.update"));
    let changed = store
        .change_key(tenant.account_id, KeySight::CALLING, &hash, &wanted, &event)
        .await;
    let changed = changed.expect("changed");
    assert_eq!(changed[0].lookup_id, before.lookup_id);
    assert_eq!(changed.len(), 1, "nothing shares its limit");
    let after = known(engine, tenant, &hash).await;
    assert_eq!(
        (after.key.name.as_str(), after.key.disabled),
        ("renamed", true)
    );
    assert_eq!(after.updated_at, Some(wanted.at));
    let stale = store
        .change_key(tenant.account_id, KeySight::CALLING, &hash, &wanted, &event)
        .await;
    assert!(
        matches!(stale, Err(DirectoryError::Conflict("revision"))),
        "{stale:?}"
    );
    let event = audit("api_key.delete");
    store
        .remove_key(tenant.account_id, KeySight::CALLING, &hash, &event)
        .await
        .expect("deleted");
    assert_eq!(seen(engine, tenant, &hash).await, None);
    let actions: Vec<String> = engine
        .store
        .audit
        .audit_of("key_2", 100)
        .await
        .expect("read")
        .into_iter()
        .map(|entry| entry.event.action)
        .collect();
    assert_eq!(
        actions,
        ["api_key.create", "api_key.update", "api_key.delete"]
    );
}

pub(crate) async fn uses_are_noted_and_never_go_back(engine: &Engine) {
    let tenant = engine.new_account().await;
    let hash = created(engine, tenant, |_| {}).await;
    let before = known(engine, tenant, &hash).await;
    let later = NOW.plus(Duration::from_secs(9));
    for at in [later, NOW] {
        let uses = [(before.key.id, at), (tenant.api_key_id, at)];
        keys(engine).note_key_uses(&uses).await.expect("noted");
    }
    let after = known(engine, tenant, &hash).await;
    assert_eq!(after.last_used_at, Some(later));
    assert_eq!(after.revision, before.revision, "it is no change");
    assert_eq!(after.updated_at, None);
}

/// A key's limit and how it is spent.
pub(super) struct Limited<'a> {
    pub(super) engine: &'a Engine,
    pub(super) tenant: Tenant,
    pub(super) hash: String,
    pub(super) generations: u128,
}

impl<'a> Limited<'a> {
    pub(super) async fn new(engine: &'a Engine) -> Self {
        let tenant = engine.new_account().await;
        let hash = created(engine, tenant, |_| {}).await;
        let api_key_id = known(engine, tenant, &hash).await.key.id;
        Self {
            engine,
            tenant: Tenant {
                api_key_id,
                ..tenant
            },
            hash,
            generations: 0,
        }
    }

    pub(super) fn fund(&self, reset: Option<ResetInterval>) -> FundId {
        FundId::KeyLimit {
            key: self.tenant.api_key_id,
            window_start: reset.map(|reset| reset.window_start(NOW)),
        }
    }

    pub(super) async fn set(&self, limit: i64, reset: Option<ResetInterval>) {
        self.set_counting(limit, reset, false).await;
    }

    /// With what customers' own credentials would have cost, or without.
    async fn set_counting(&self, limit: i64, reset: Option<ResetInterval>, include_byok: bool) {
        let limit = Patch::Set(KeyLimit {
            limit: UsdNanos::new(limit),
            reset,
            include_byok,
        });
        change(self.engine, self.tenant, &self.hash, limit, NOW)
            .await
            .expect("changed");
    }

    /// Holds of the fund as a node does; `None` when it is refused.
    pub(super) async fn hold(
        &self,
        fund: FundId,
        capacity: i64,
        amount: i64,
    ) -> Option<ConsumedHold> {
        let ask = LeaseAsk {
            fund: FundRef {
                id: fund,
                capacity: Some(UsdNanos::new(capacity)),
            },
            lease: LeaseId::from_uuid(self.engine.fresh_uuid()),
            node: self.engine.new_node().await,
            needed: UsdNanos::new(amount),
            wanted: UsdNanos::new(amount),
            expires_at: NOW.plus(Duration::from_secs(60)),
            now: NOW,
        };
        let lease = ask.lease;
        match self
            .engine
            .ledger()
            .take_lease(&ask)
            .await
            .expect("answered")
        {
            LeaseOutcome::Granted(_) => Some(ConsumedHold::new(fund, lease)),
            LeaseOutcome::Insufficient { .. } => None,
        }
    }

    pub(super) async fn spend(&mut self, charge: i64, holds: Vec<ConsumedHold>) {
        self.generations += 1;
        let id = GenerationId::new(NOW.seconds(), self.generations);
        let one = sample_settlement(self.tenant, id, NOW, UsdNanos::new(charge), holds);
        self.engine.ledger().post(&[one]).await.expect("posted");
    }

    /// A customer's own credential serves at this list price, and nothing is charged.
    async fn serve_by_own(&mut self, list: i64, mut hold: ConsumedHold) {
        self.generations += 1;
        let id = GenerationId::new(NOW.seconds(), self.generations);
        let list = UsdNanos::new(list);
        hold.amount = Some(list);
        let mut one = sample_settlement(self.tenant, id, NOW, UsdNanos::ZERO, vec![hold]);
        one.charge.list = list;
        one.charge.list_prompt = list;
        let served = one.served.as_mut().expect("served");
        served.byok_credential_id = Some(CredentialId::from_uuid(self.engine.fresh_uuid()));
        self.engine.ledger().post(&[one]).await.expect("posted");
    }

    pub(super) async fn free(&self, reset: Option<ResetInterval>) -> i64 {
        let balance = self.engine.ledger().fund(self.fund(reset)).await;
        balance.expect("answered").available().get()
    }

    pub(super) async fn sound(&self) {
        let report = self.engine.ledger().verify().await.expect("read");
        assert_eq!(report.faults, Vec::<String>::new());
    }
}

pub(crate) async fn a_new_limit_counts_what_was_used_in_its_window(engine: &Engine) {
    use ResetInterval::{Daily, Monthly};
    let mut key = Limited::new(engine).await;
    key.spend(300, Vec::new()).await;
    // From none to one.
    key.set(1_000, Some(Daily)).await;
    assert_eq!(key.free(Some(Daily)).await, 700);
    let held = key
        .hold(key.fund(Some(Daily)), 1_000, 200)
        .await
        .expect("granted");
    key.spend(200, vec![held]).await;
    assert_eq!(key.free(Some(Daily)).await, 500);
    // Another amount: the same window, the same spending.
    key.set(600, Some(Daily)).await;
    assert_eq!(key.free(Some(Daily)).await, 100);
    // Another interval, and no interval.
    key.set(600, Some(Monthly)).await;
    assert_eq!(key.free(Some(Monthly)).await, 100);
    key.set(600, None).await;
    assert_eq!(key.free(None).await, 100);
    let held = key.hold(key.fund(None), 600, 100).await.expect("granted");
    key.spend(100, vec![held]).await;
    // And back: what was spent meanwhile counts here too, once.
    for _ in 0..2 {
        key.set(600, Some(Daily)).await;
        assert_eq!(key.free(Some(Daily)).await, 0);
    }
    assert!(key.hold(key.fund(Some(Daily)), 600, 1).await.is_none());
    // Taken away and given again.
    change(engine, key.tenant, &key.hash, Patch::Clear, NOW)
        .await
        .expect("cleared");
    assert_eq!(known(engine, key.tenant, &key.hash).await.key.limit, None);
    key.spend(50, Vec::new()).await;
    key.set(1_000, Some(Daily)).await;
    assert_eq!(key.free(Some(Daily)).await, 350);
    key.sound().await;
}

pub(crate) async fn what_is_in_flight_when_a_limit_changes_counts_in_both_windows(engine: &Engine) {
    use ResetInterval::{Daily, Weekly};
    let mut key = Limited::new(engine).await;
    key.set(1_000, Some(Daily)).await;
    let daily = key.fund(Some(Daily));
    let held = key.hold(daily, 1_000, 400).await.expect("granted");
    let lowered = key.hold(daily, 1_000, 100).await.expect("granted");
    // Lowered below what is held: running requests keep what they hold, new ones get nothing.
    key.set(300, Some(Daily)).await;
    assert_eq!(key.free(Some(Daily)).await, -200);
    assert!(key.hold(daily, 300, 1).await.is_none());
    key.spend(100, vec![lowered]).await;
    key.set(1_000, Some(Weekly)).await;
    assert_eq!(key.free(Some(Weekly)).await, 900);
    key.spend(350, vec![held]).await;
    assert_eq!(key.free(Some(Weekly)).await, 550);
    let balance = engine.ledger().fund(daily).await.expect("answered");
    assert_eq!(balance.spent, UsdNanos::new(450));
    key.sound().await;
}

pub(crate) async fn own_credentials_in_flight_count_in_both_windows_of_limits_that_count_them(
    engine: &Engine,
) {
    use ResetInterval::{Daily, Monthly, Weekly};
    let mut key = Limited::new(engine).await;
    key.set_counting(1_000, Some(Daily), true).await;
    let daily = key.fund(Some(Daily));
    let first = key.hold(daily, 1_000, 300).await.expect("granted");
    let second = key.hold(daily, 1_000, 200).await.expect("granted");
    key.set_counting(1_000, Some(Weekly), true).await;
    key.serve_by_own(300, first).await;
    assert_eq!(key.free(Some(Weekly)).await, 700);
    // One that does not count them is not charged for them.
    key.set_counting(1_000, Some(Monthly), false).await;
    key.serve_by_own(200, second).await;
    assert_eq!(key.free(Some(Monthly)).await, 1_000);
    let balance = engine.ledger().fund(daily).await.expect("answered");
    assert_eq!(balance.spent, UsdNanos::new(500));
    key.sound().await;
}
