//! Traffic of all kinds, and what it adds up to as told by going through it.

use std::time::Duration;

use switchyard_billing::{
    settlement::Settlement,
    test_suite::{
        Fixture, Tenant,
        scene::{Dice, sample_settlement},
    },
};
use switchyard_domain::{
    clock::Timestamp,
    endpoint::EndpointId,
    id::{CredentialId, GenerationId, WorkspaceId},
    money::UsdNanos,
    provider::ProviderSlug,
};
use switchyard_store::activity::{ActivityStore, Filter, Range, Scope, Sums};

use crate::engine::{Engine, NOW};

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// An account's traffic over the three days before now.
pub(crate) struct Traffic {
    pub(crate) tenant: Tenant,
    pub(crate) settlements: Vec<Settlement>,
}

impl Traffic {
    pub(crate) async fn posted(engine: &Engine, name: &str, count: u64) -> Self {
        let traffic = Self::made(engine.new_account().await, name, count);
        for batch in traffic.settlements.chunks(37) {
            engine.ledger().post(batch).await.expect("posted");
        }
        traffic
    }

    pub(crate) fn made(tenant: Tenant, name: &str, count: u64) -> Self {
        let mut dice = Dice::named(name);
        let settlements = (0..count).map(|number| one(tenant, number, &mut dice));
        Self {
            tenant,
            settlements: settlements.collect(),
        }
    }

    /// Everything there is.
    pub(crate) fn whole(&self) -> Scope {
        self.scope(NOW.minus(4 * DAY), NOW.plus(DAY))
    }

    pub(crate) fn scope(&self, from: Timestamp, until: Timestamp) -> Scope {
        Scope {
            account: self.tenant.account_id,
            range: Range { from, until },
            filter: Filter::default(),
        }
    }

    /// What those add up to of which something holds.
    pub(crate) fn sums_of(&self, holds: impl Fn(&Settlement) -> bool) -> Sums {
        let mut sums = Sums::default();
        for settlement in self.settlements.iter().filter(|one| holds(one)) {
            sums += &Sums::of(settlement);
        }
        sums
    }

    /// The newest first.
    pub(crate) fn in_order(&self) -> Vec<&Settlement> {
        let mut ordered: Vec<_> = self.settlements.iter().collect();
        ordered.sort_by_key(|one| std::cmp::Reverse((one.admitted_at, one.generation_id.clone())));
        ordered
    }
}

pub(crate) fn activity(engine: &Engine) -> &dyn ActivityStore {
    engine.store.activity.as_ref()
}

fn one(tenant: Tenant, number: u64, dice: &mut Dice) -> Settlement {
    let at = NOW.minus(Duration::from_micros(dice.next() % (3 * 86_400_000_000)));
    let id = GenerationId::new(
        at.seconds(),
        u128::from(dice.next()) << 32 | u128::from(number),
    );
    let charge = UsdNanos::new(i64::try_from(dice.next() % 1_000_000).expect("small"));
    let mut settlement = sample_settlement(tenant, id, at, charge, Vec::new());
    settlement.finished_at = at.plus(Duration::from_millis(dice.next() % 90_000));
    if dice.next().is_multiple_of(4) {
        settlement.workspace_id = WorkspaceId::from_uuid(uuid::Uuid::from_u128(4));
    }
    let model = ["acme/fast", "acme/slow", "bolt/small"][below(dice, 3)];
    let request = &mut settlement.request;
    request.requested_model = [model.to_owned(), format!("{model}:free")][below(dice, 2)].clone();
    request.session_id = (below(dice, 3) > 0).then(|| format!("session-{}", below(dice, 6)));
    request.external_user = (below(dice, 2) > 0).then(|| format!("user-{}", below(dice, 3)));
    let app = below(dice, 3);
    request.http_referer = (app > 0).then(|| format!("https://app-{app}.example/page"));
    request.app_title = (app > 1).then(|| format!("App {app}"));
    let usage = &mut settlement.usage;
    usage.input_uncached = dice.next() % 3_000;
    usage.cache_read = dice.next() % 200_000;
    usage.cache_write_5m = dice.next() % 50;
    usage.output_text = dice.next() % 900;
    usage.reasoning = dice.next() % 90;
    settlement.charge.tools = UsdNanos::new(i64::try_from(dice.next() % 90).expect("small"));
    settlement.charge.cache_discount = UsdNanos::new(17 - i64::try_from(number).expect("small"));
    serve(&mut settlement, model, dice);
    settlement
}

/// How it went: most were served, some broke off, some were left, some had nobody to serve them.
fn serve(settlement: &mut Settlement, model: &str, dice: &mut Dice) {
    let provider = ["bolt", "cove"][below(dice, 2)];
    let endpoint = EndpointId::new(format!("{model}|{provider}"));
    for attempt in &mut settlement.attempts {
        attempt.endpoint_id = endpoint.clone();
        attempt.provider = ProviderSlug::new(provider);
        attempt.is_byok = below(dice, 4) == 0;
    }
    match below(dice, 12) {
        0 => {
            settlement.served = None;
            settlement.attempts.clear();
        }
        1 => settlement.served = None,
        fate => {
            let served = settlement.served.as_mut().expect("the sample was served");
            model.clone_into(&mut served.model);
            served.endpoint_id = endpoint;
            served.provider = ProviderSlug::new(provider);
            served.cancelled = fate == 2;
            let reason = ["stop", "tool_calls", "error"][below(dice, 3)];
            served.finish_reason = (fate > 3).then(|| reason.to_owned());
            served.latency_ms = (fate > 4).then(|| dice.next() % 9_000);
            served.generation_time_ms = (fate > 5).then(|| dice.next() % 30_000);
            served.byok_credential_id =
                (fate > 9).then(|| CredentialId::from_uuid(uuid::Uuid::from_u128(9)));
        }
    }
}

fn below(dice: &mut Dice, bound: u64) -> usize {
    usize::try_from(dice.next() % bound).expect("small")
}
