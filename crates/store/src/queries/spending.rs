//! What a posted batch takes from funds, leases and keys, added up before it reaches SQL.

use std::collections::BTreeMap;

use switchyard_billing::{fund::FundId, settlement::Settlement};
use switchyard_domain::id::{ApiKeyId, LeaseId};

use super::rows::{Script, Statement};
use crate::{failure::Failure, portable::Day};

/// Takes charges from funds and from the leases that were held for them: what a lease still holds is
/// spent from it, the rest from what is free.
pub(super) fn push_spending(
    script: &mut Script,
    settlements: &[&Settlement],
) -> Result<(), Failure> {
    let spending = Spending::of(settlements)?;
    script.push_rows(
        "INSERT INTO funds (fund_id, capacity, spent, held)",
        spending.funds,
        |row, (fund_id, charge)| {
            row.push_bind(fund_id)
                .push_bind(0_i64)
                .push_bind(charge)
                .push_bind(0_i64);
        },
        " ON CONFLICT (fund_id) DO UPDATE SET spent = funds.spent + excluded.spent",
    );
    // The funds are locked from here on, and with them their leases.
    push_leases(script, spending.leases);
    script.push_rows(
        "INSERT INTO fund_charges (fund_id, generation_id, amount)",
        spending.others,
        |row, (fund_id, generation_id, charge)| {
            row.push_bind(fund_id)
                .push_bind(generation_id)
                .push_bind(charge);
        },
        "",
    );
    Ok(())
}

/// A batch's charges by fund and by lease.
struct Spending {
    /// In the order in which rows are locked.
    funds: BTreeMap<String, i64>,
    /// With the fund that each lease must be of: another fund's is not locked, and not touched.
    leases: Vec<(LeaseId, String, i64)>,
    /// What other funds than the accounts' credits were charged with, one by one.
    others: Vec<(String, String, i64)>,
}

impl Spending {
    fn of(settlements: &[&Settlement]) -> Result<Self, Failure> {
        let mut by_fund = BTreeMap::<FundId, i64>::new();
        let mut by_lease = BTreeMap::<(LeaseId, FundId), i64>::new();
        let mut others = Vec::new();
        for settlement in settlements {
            let total = settlement.charge.total;
            // An account pays for its generations whether or not a hold on its credits is named.
            let credits = FundId::Credits(settlement.account_id);
            if total.get() != 0 {
                add(&mut by_fund, credits, total.get())?;
            }
            for (index, hold) in settlement.holds.iter().enumerate() {
                let charge = hold.share_of(total).get();
                if charge == 0 {
                    continue;
                }
                add(&mut by_lease, (hold.lease, hold.fund), charge)?;
                let seen = settlement.holds[..index]
                    .iter()
                    .any(|other| other.fund == hold.fund);
                if hold.fund != credits && !seen {
                    add(&mut by_fund, hold.fund, charge)?;
                    let generation_id = settlement.generation_id.as_str().to_owned();
                    others.push((hold.fund.to_string(), generation_id, charge));
                }
            }
        }
        let taken = by_lease.into_iter().filter(|(_, charge)| *charge > 0);
        Ok(Self {
            funds: by_fund
                .into_iter()
                .map(|(fund, charge)| (fund.to_string(), charge))
                .collect(),
            leases: taken
                .map(|((lease, fund), charge)| (lease, fund.to_string(), charge))
                .collect(),
            others,
        })
    }
}

/// First the funds, while the leases still say what they held.
fn push_leases(script: &mut Script, leases: Vec<(LeaseId, String, i64)>) {
    let bind = |row: &mut Statement, (lease, fund_id, charge): &(LeaseId, String, i64)| {
        row.push_bind(lease.as_uuid())
            .push_bind(fund_id.clone())
            .push_bind(*charge);
    };
    script.push_rows(
        "WITH charged (lease_id, fund_id, amount) AS (",
        &leases,
        bind,
        "), freed AS (
            SELECT
                l.fund_id,
                CAST(SUM(CASE WHEN c.amount < l.amount THEN c.amount ELSE l.amount END) AS BIGINT)
                    AS amount
            FROM charged AS c
            JOIN leases AS l ON l.lease_id = c.lease_id AND l.fund_id = c.fund_id
            GROUP BY l.fund_id
        )
        UPDATE funds SET held = funds.held - freed.amount
        FROM freed WHERE funds.fund_id = freed.fund_id",
    );
    script.push_rows(
        "WITH charged (lease_id, fund_id, amount) AS (",
        &leases,
        bind,
        ") UPDATE leases SET
            amount = CASE WHEN c.amount < leases.amount THEN leases.amount - c.amount ELSE 0 END
        FROM charged AS c
        WHERE leases.lease_id = c.lease_id AND leases.fund_id = c.fund_id",
    );
    script.push_rows(
        "WITH charged (lease_id) AS (",
        &leases,
        |row, (lease, _, _)| {
            row.push_bind(lease.as_uuid());
        },
        ") DELETE FROM leases
        WHERE lease_id IN (SELECT lease_id FROM charged) AND amount = 0",
    );
}

/// One key's part in a batch on one day.
#[derive(Default)]
struct KeyDay {
    charge: i64,
    byok_list_price: i64,
    requests: i64,
    prompt_tokens: i64,
    completion_tokens: i64,
    reasoning_tokens: i64,
}

/// Adds a batch to what its keys spent, by day of admission.
pub(super) fn push_roll_up(script: &mut Script, settlements: &[&Settlement]) {
    let mut days = BTreeMap::<(ApiKeyId, Day), KeyDay>::new();
    for settlement in settlements {
        let key = (settlement.api_key_id, Day::of(settlement.admitted_at));
        let day = days.entry(key).or_default();
        let usage = &settlement.usage;
        day.charge += settlement.charge.total.get();
        day.byok_list_price += settlement.byok_list_price().get();
        day.requests += 1;
        day.prompt_tokens += count(usage.input_total());
        day.completion_tokens += count(usage.output_total());
        day.reasoning_tokens += count(usage.reasoning);
    }
    script.push_rows(
        "INSERT INTO key_spend (
            api_key_id, day, charge, byok_list_price, requests,
            prompt_tokens, completion_tokens, reasoning_tokens
        )",
        days,
        |row, ((key, day), sums)| {
            row.push_bind(key.as_uuid())
                .push_bind(day)
                .push_bind(sums.charge)
                .push_bind(sums.byok_list_price)
                .push_bind(sums.requests)
                .push_bind(sums.prompt_tokens)
                .push_bind(sums.completion_tokens)
                .push_bind(sums.reasoning_tokens);
        },
        " ON CONFLICT (api_key_id, day) DO UPDATE SET
            charge = key_spend.charge + excluded.charge,
            byok_list_price = key_spend.byok_list_price + excluded.byok_list_price,
            requests = key_spend.requests + excluded.requests,
            prompt_tokens = key_spend.prompt_tokens + excluded.prompt_tokens,
            completion_tokens = key_spend.completion_tokens + excluded.completion_tokens,
            reasoning_tokens = key_spend.reasoning_tokens + excluded.reasoning_tokens",
    );
}

/// A count as a database holds it.
pub(super) fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn add<K: Ord>(sums: &mut BTreeMap<K, i64>, key: K, charge: i64) -> Result<(), Failure> {
    let sum = sums.entry(key).or_default();
    *sum = sum
        .checked_add(charge)
        .ok_or_else(|| Failure::Inconsistent("charges leave the range of money".to_owned()))?;
    Ok(())
}
