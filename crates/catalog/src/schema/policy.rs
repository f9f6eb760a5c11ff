//! The `data_policy` object, which a provider has and an endpoint may have.

use switchyard_domain::endpoint::DataPolicy;

use crate::reader::Reader;

/// Whether a policy says, rather than leaves open, that prompts are kept or trained on.
pub(crate) fn denies_zero_retention(policy: &DataPolicy) -> bool {
    policy.retains_prompts == Some(true) || policy.trains_on_data == Some(true)
}

/// Reads the policy of a row where it states one. It is a statement as a whole: what it leaves
/// out is unknown, also where the provider's own policy says something about it.
pub(super) fn read(row: &Reader<'_>) -> Option<DataPolicy> {
    let policy = row.object("data_policy")?;
    let retention_days = policy.whole("retention_days").and_then(|days| {
        let days = u32::try_from(days).ok();
        if days.is_none() {
            policy.fault(
                "retention_days",
                "is out of range",
                "write a number of days",
            );
        }
        days
    });
    let read = DataPolicy {
        trains_on_data: policy.flag("trains_on_data"),
        retains_prompts: policy.flag("retains_prompts"),
        retention_days,
        can_publish: policy.flag("can_publish"),
        requires_user_ids: policy.flag("requires_user_ids"),
    };
    if read.retains_prompts == Some(false) && read.retention_days.is_some_and(|days| days > 0) {
        policy.fault(
            "retention_days",
            "is above 0, but retains_prompts is false",
            "set retains_prompts to true, or the days to 0",
        );
    }
    Some(read)
}
