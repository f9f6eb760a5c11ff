//! Reports on keys, for people.

use switchyard_app::rotation::{Failures, Status, Verification};

use super::{rotate, status};

pub(super) fn rotated(report: &rotate::Report) -> String {
    let mut lines = Vec::new();
    if let Some(kek) = &report.kek {
        let is_new = if kek.is_new { ", which is new" } else { "" };
        lines.push(format!(
            "{} tenant keys moved to {} version {}{is_new}; {} are left.",
            kek.report.rewrapped, kek.report.kek_id, kek.report.kek_version, kek.report.left
        ));
        failures(&kek.report.failed, &mut lines);
    }
    if let Some(keys) = &report.tenant_keys {
        lines.push(format!(
            "{} tenants have a new key, {} finished an earlier rotation; {} records moved, {} are left.",
            keys.rotated, keys.resumed, keys.rewrapped, keys.left
        ));
        lines.push(format!(
            "{} old keys are deleted, {} stay for now.",
            keys.old_keys_deleted, keys.old_keys_kept
        ));
        failures(&keys.failed, &mut lines);
    }
    if report.kek.as_ref().is_some_and(|kek| kek.is_new) {
        lines.push("Back up the keyring before the next backup of the database.".to_owned());
    }
    lines.push(verdict(report.ok));
    lines.join("\n")
}

pub(super) fn status(report: &status::Report) -> String {
    let Status {
        healthy,
        kek_id,
        kek_version,
        tenant_keys,
        tenants,
        tenants_with_old_keys,
        records_under_newest,
        records_under_older,
        api_keys,
    } = &report.status;
    let mut lines = vec![format!(
        "{kek_id} version {kek_version} guards tenants' keys and {}.",
        if *healthy {
            "answers"
        } else {
            "does not answer"
        }
    )];
    lines.extend(tenant_keys.iter().map(|key| {
        format!(
            "{} tenant keys are under {} version {}.",
            key.rows, key.kek_id, key.kek_version
        )
    }));
    lines.push(format!(
        "{tenants} tenants, {tenants_with_old_keys} of them with an old key as well; \
         {records_under_newest} records under the newest key of their tenant, \
         {records_under_older} under an older one."
    ));
    lines.extend(api_keys.iter().map(|key| {
        format!(
            "{} API keys are verified with version {} of the keyring.",
            key.rows, key.keyring_version
        )
    }));
    lines.join("\n")
}

pub(super) fn verified(found: &Verification) -> String {
    let mut lines = vec![format!(
        "{} tenant keys unwrapped and {} records opened, of {} tenants.",
        found.tenant_keys, found.records, found.tenants
    )];
    failures(&found.failed, &mut lines);
    lines.push(verdict(found.holds()));
    lines.join("\n")
}

fn failures(failed: &Failures, lines: &mut Vec<String>) {
    let named = failed
        .rows
        .iter()
        .map(|row| format!("{}: {}", row.row, row.reason));
    lines.extend(named);
    let unnamed = failed.count.saturating_sub(failed.rows.len() as u64);
    if unnamed > 0 {
        lines.push(format!("and {unnamed} more."));
    }
}

fn verdict(is_good: bool) -> String {
    if is_good {
        "Everything holds.".to_owned()
    } else {
        "Does not hold.".to_owned()
    }
}
