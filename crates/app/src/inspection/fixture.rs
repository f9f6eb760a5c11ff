use switchyard_billing::{
    settlement::Settlement,
    test_suite::{Tenant, scene::sample_settlement},
};
use switchyard_domain::{
    id::{AccountId, ApiKeyId, GenerationId, WorkspaceId},
    money::UsdNanos,
};
use switchyard_store::generation::GenerationView;
use uuid::Uuid;

use crate::fixture::NOW;

/// A settlement as it is looked up, after a change to it.
pub(super) fn settled(change: impl FnOnce(&mut Settlement)) -> GenerationView {
    let tenant = Tenant {
        account_id: AccountId::from_uuid(Uuid::from_u128(1)),
        workspace_id: WorkspaceId::from_uuid(Uuid::from_u128(2)),
        api_key_id: ApiKeyId::from_uuid(Uuid::from_u128(3)),
    };
    let id = GenerationId::new(NOW.seconds(), 1);
    let mut settlement = sample_settlement(tenant, id, NOW, UsdNanos::ZERO, Vec::new());
    change(&mut settlement);
    GenerationView {
        generation_id: settlement.generation_id,
        account_id: settlement.account_id,
        workspace_id: settlement.workspace_id,
        api_key_id: settlement.api_key_id,
        admitted_at: settlement.admitted_at,
        finished_at: settlement.finished_at,
        request: settlement.request,
        served: settlement.served,
        usage: settlement.usage,
        usage_source: settlement.usage_source,
        charge: settlement.charge,
        attempts: settlement.attempts,
        decision: settlement.decision,
    }
}
