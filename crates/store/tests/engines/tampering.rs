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
        "UPDATE ledger_transactions SET kind = 'grant', idempotency_key = 'x' || idempotency_key
        WHERE kind = 'settlement'",
        "UPDATE ledger_transactions SET kind = 'settlement', idempotency_key = substr(idempotency_key, 2)
        WHERE idempotency_key LIKE 'xgen:%'",
        "generation is not booked at its charge: 0, expected -225",
    ),
];

/// What cannot be undone; the last one first finds everything before it.
const REMOVALS: [(&str, &str); 2] = [
    (
        "UPDATE ledger_transactions SET postings = '[]' WHERE kind = 'settlement'",
        "settle: transaction has no postings: 0, expected 2",
    ),
    (
        "DELETE FROM ledger_balances WHERE ledger_account LIKE 'cust:%'",
        "the ledger has 0",
    ),
];

async fn faults(engine: &Engine) -> Vec<String> {
    engine.ledger().verify().await.expect("read").faults
}

/// What is another statement, or another fault, on another engine.
struct Idiom {
    /// Takes the triggers away.
    unlock: &'static str,
    /// Changes one amount of a settlement's postings, and changes it back.
    unbalance: [&'static str; 2],
    /// What is said when generations are gone.
    gone: &'static str,
}

async fn check(engine: Engine, idiom: Idiom) {
    fill(&engine).await;
    let mut backdoor = Backdoor::open(&engine).await;
    backdoor
        .run(idiom.unlock)
        .await
        .expect("triggers can be taken away");
    assert_eq!(faults(&engine).await, Vec::<String>::new());
    let [unbalance, undo] = idiom.unbalance;
    let unbalanced = "settle: transaction does not balance: 1, expected 0";
    let tamperings = TAMPERINGS
        .into_iter()
        .chain([(unbalance, undo, unbalanced)]);
    for (tampering, undo, expected) in tamperings {
        assert_eq!(backdoor.run(tampering).await, Ok(1), "{tampering}");
        let found = faults(&engine).await;
        assert!(
            found.iter().any(|fault| fault.contains(expected)),
            "{tampering}: {found:?}"
        );
        assert_eq!(backdoor.run(undo).await, Ok(1), "{undo}");
        assert_eq!(faults(&engine).await, Vec::<String>::new(), "{undo}");
    }
    let gone = ("DELETE FROM generations", idiom.gone);
    for (removal, expected) in REMOVALS.into_iter().chain([gone]) {
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
    let idiom = Idiom {
        unlock: "DROP TRIGGER ledger_transactions_no_update",
        unbalance: [
            "UPDATE ledger_transactions SET postings = json_set(postings, '$[1][1]', 226)
            WHERE kind = 'settlement'",
            "UPDATE ledger_transactions SET postings = json_set(postings, '$[1][1]', 225)
            WHERE kind = 'settlement'",
        ],
        gone: "charges rolled up by key: 225, charges: 0",
    };
    check(Engine::sqlite().await, idiom).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tampering_is_found_on_postgres() {
    let idiom = Idiom {
        unlock: "ALTER TABLE ledger_transactions DISABLE TRIGGER ledger_transactions_no_change",
        unbalance: [
            "UPDATE ledger_transactions SET postings = jsonb_set(postings, '{1,1}', '226')
            WHERE kind = 'settlement'",
            "UPDATE ledger_transactions SET postings = jsonb_set(postings, '{1,1}', '225')
            WHERE kind = 'settlement'",
        ],
        gone: "generation is not what was claimed: 0, expected 1",
    };
    check(Engine::postgres().await, idiom).await;
}
