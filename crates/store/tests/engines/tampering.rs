//! The ledger check finds what is wrong, whatever it is.

use crate::{
    engine::Engine,
    schema::{Backdoor, fill},
};

/// What is done to the books, how it is undone, and what the check says in between.
const TAMPERINGS: [(&str, &str, &str); 10] = [
    (
        "UPDATE ledger_balances SET balance = balance + 1 WHERE ledger_account = 'rev:inference'",
        "UPDATE ledger_balances SET balance = balance - 1 WHERE ledger_account = 'rev:inference'",
        "rev:inference: balance is not the fold of its postings: 226, expected 225",
    ),
    (
        "UPDATE ledger_balances SET ledger_account = 'other' WHERE ledger_account = 'rev:inference'",
        "UPDATE ledger_balances SET ledger_account = 'rev:inference' WHERE ledger_account = 'other'",
        "rev:inference: postings have no balance",
    ),
    (
        "UPDATE funds SET held = held + 1 WHERE fund_id LIKE 'credits:%'",
        "UPDATE funds SET held = held - 1 WHERE fund_id LIKE 'credits:%'",
        "fund does not hold what its leases hold: 276, expected 275",
    ),
    (
        "UPDATE leases SET amount = amount - 1 WHERE fund_id LIKE 'key:%'",
        "UPDATE leases SET amount = amount + 1 WHERE fund_id LIKE 'key:%'",
        "fund does not hold what its leases hold: 275, expected 274",
    ),
    (
        "UPDATE funds SET capacity = capacity + 1 WHERE fund_id LIKE 'credits:%'",
        "UPDATE funds SET capacity = capacity - 1 WHERE fund_id LIKE 'credits:%'",
        "has 10001 less 225, the ledger has 9775",
    ),
    (
        "UPDATE funds SET spent = spent + 1, capacity = capacity + 1 WHERE fund_id LIKE 'credits:%'",
        "UPDATE funds SET spent = spent - 1, capacity = capacity - 1 WHERE fund_id LIKE 'credits:%'",
        "spent 226, its generations cost 225",
    ),
    (
        "UPDATE funds SET spent = spent + 1 WHERE fund_id LIKE 'key:%'",
        "UPDATE funds SET spent = spent - 1 WHERE fund_id LIKE 'key:%'",
        "fund has not spent what it was charged: 226, expected 225",
    ),
    (
        "UPDATE generations SET charge = charge + 1",
        "UPDATE generations SET charge = charge - 1",
        "generation is not booked at its charge: -225, expected -226",
    ),
    (
        "UPDATE key_spend SET requests = requests + 1",
        "UPDATE key_spend SET requests = requests - 1",
        "requests rolled up by key: 2, generations: 1",
    ),
    (
        "UPDATE postings SET amount = amount + 1 WHERE ledger_account = 'rev:inference'",
        "UPDATE postings SET amount = amount - 1 WHERE ledger_account = 'rev:inference'",
        "settle: transaction does not balance or has no postings: 1, expected 0",
    ),
];

/// What cannot be undone; the last one first finds everything before it.
const REMOVALS: [(&str, &str); 3] = [
    (
        "DELETE FROM postings WHERE amount > 0",
        "does not balance or has no postings",
    ),
    (
        "DELETE FROM ledger_balances WHERE ledger_account LIKE 'cust:%'",
        "the ledger has 0",
    ),
    (
        "DELETE FROM generations",
        "generation is not what was claimed: 0, expected 1",
    ),
];

async fn faults(engine: &Engine) -> Vec<String> {
    engine.ledger().verify().await.expect("read").faults
}

async fn check(engine: Engine, unlock: &str) {
    fill(&engine).await;
    let mut backdoor = Backdoor::open(&engine).await;
    backdoor
        .run(unlock)
        .await
        .expect("triggers can be taken away");
    assert_eq!(faults(&engine).await, Vec::<String>::new());
    for (tampering, undo, expected) in TAMPERINGS {
        assert_eq!(backdoor.run(tampering).await, Ok(1), "{tampering}");
        let found = faults(&engine).await;
        assert!(
            found.iter().any(|fault| fault.contains(expected)),
            "{tampering}: {found:?}"
        );
        assert_eq!(backdoor.run(undo).await, Ok(1), "{undo}");
        assert_eq!(faults(&engine).await, Vec::<String>::new(), "{undo}");
    }
    for (removal, expected) in REMOVALS {
        assert!(backdoor.run(removal).await.expect(removal) > 0, "{removal}");
        let found = faults(&engine).await;
        assert!(
            found.iter().any(|fault| fault.contains(expected)),
            "{removal}: {found:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tampering_is_found_on_sqlite() {
    let unlock = "DROP TRIGGER postings_no_update; DROP TRIGGER postings_no_delete";
    check(Engine::sqlite().await, unlock).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tampering_is_found_on_postgres() {
    let unlock = "ALTER TABLE postings DISABLE TRIGGER postings_no_change";
    check(Engine::postgres().await, unlock).await;
}
