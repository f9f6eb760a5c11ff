use proptest::prelude::*;
use switchyard_domain::{
    id::ApiKeyId,
    tokens::{TokenUsage, UsageSource},
};
use uuid::Uuid;

use super::*;
use crate::{
    fund::FundId,
    settlement::{Charge, ConsumedHold, RequestFacts},
};

fn account() -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(1))
}

fn settlement(total: i64, tools: i64) -> Settlement {
    let usage = TokenUsage {
        input_uncached: 10,
        ..TokenUsage::default()
    };
    Settlement {
        generation_id: "gen-1795500000-00000000000000000000"
            .parse()
            .expect("an id"),
        account_id: account(),
        workspace_id: "ws_00000000000000000000000000000002"
            .parse()
            .expect("an id"),
        api_key_id: "key_00000000000000000000000000000003"
            .parse()
            .expect("an id"),
        admitted_at: Timestamp::from_seconds(1_795_500_000),
        finished_at: Timestamp::from_seconds(1_795_500_001),
        request: RequestFacts::default(),
        served: None,
        usage,
        usage_source: UsageSource::Upstream,
        charge: Charge {
            total: UsdNanos::new(total),
            inference: UsdNanos::new(total - tools),
            tools: UsdNanos::new(tools),
            ..Charge::default()
        },
        holds: vec![ConsumedHold::new(
            FundId::Credits(account()),
            "lease_00000000000000000000000000000004"
                .parse()
                .expect("an id"),
        )],
        attempts: Vec::new(),
        decision: None,
        receipt: None,
    }
}

fn lines(transaction: &LedgerTransaction) -> String {
    let line = |posting: &Posting| format!("{} {}", posting.account, posting.amount.get());
    transaction
        .postings()
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join(", ")
}

#[test]
fn account_names_round_trip() {
    for account in [
        LedgerAccount::CustomerCredits(account()),
        LedgerAccount::InferenceRevenue,
        LedgerAccount::ToolsRevenue,
        LedgerAccount::Grants,
    ] {
        assert_eq!(account.to_string().parse(), Ok(account));
    }
    for bad in [
        "",
        "cust:x:credits",
        "rev:",
        "cust:acct_00000000000000000000000000000001",
    ] {
        assert!(bad.parse::<LedgerAccount>().is_err(), "{bad}");
    }
}

#[test]
fn a_settlement_books_inference_and_tools_apart() {
    let customer = LedgerAccount::CustomerCredits(account());
    for (total, tools, expected) in [
        (
            225_000,
            0,
            format!("{customer} -225000, rev:inference 225000"),
        ),
        (
            27_500_000,
            9_000_000,
            format!("{customer} -27500000, rev:inference 18500000, rev:tools 9000000"),
        ),
        (
            7_000_000,
            7_000_000,
            format!("{customer} -7000000, rev:tools 7000000"),
        ),
    ] {
        let transaction = postings_for(&settlement(total, tools)).expect("money moves");
        assert_eq!(lines(&transaction), expected);
        assert_eq!(transaction.kind(), TransactionKind::Settlement);
        assert_eq!(
            transaction.idempotency_key(),
            "gen:gen-1795500000-00000000000000000000:settle"
        );
    }
    assert_eq!(
        postings_for(&settlement(0, 0)),
        None,
        "nothing charged, nothing booked"
    );
}

#[test]
fn a_grant_is_given_away_and_owed() {
    let grant = CreditGrant {
        transaction_id: LedgerTransactionId::from_uuid(Uuid::from_u128(9)),
        idempotency_key: "welcome".to_owned(),
        account_id: account(),
        amount: UsdNanos::new(5_000),
        reason: "welcome".to_owned(),
        at: Timestamp::from_seconds(1),
    };
    let transaction = postings_for_grant(&grant).expect("money moves");
    let customer = LedgerAccount::CustomerCredits(account());
    assert_eq!(
        lines(&transaction),
        format!("promo:grants -5000, {customer} 5000")
    );
    assert_eq!(transaction.id(), grant.transaction_id);
    assert_eq!(transaction.kind(), TransactionKind::Grant);
}

#[test]
fn an_account_beyond_its_range_is_no_transaction() {
    let transfer = Transfer {
        from: LedgerAccount::Grants,
        to: LedgerAccount::InferenceRevenue,
        amount: UsdNanos::MAX,
    };
    let at = Timestamp::default();
    let id = transaction_id_for("x", at);
    let kind = TransactionKind::Grant;
    let make = |times| {
        let transfers = vec![transfer; times];
        LedgerTransaction::of_transfers(id, "x".to_owned(), kind, at, &transfers)
    };
    assert!(make(1).is_some());
    assert_eq!(make(2), None);
}

#[test]
fn transaction_ids_follow_from_name_and_time() {
    let at = Timestamp::from_seconds(1_795_500_000);
    let id = transaction_id_for("gen:a:settle", at);
    assert_eq!(id, transaction_id_for("gen:a:settle", at));
    assert_ne!(id, transaction_id_for("gen:b:settle", at));
    assert!(id < transaction_id_for("gen:a:settle", Timestamp::from_seconds(1_795_500_001)));
}

type Change = fn(&mut Settlement);

#[test]
fn the_digest_sees_what_money_depends_on() {
    let original = settlement(40, 0);
    let digest = content_digest(&original);
    let changes: [(&str, Change); 8] = [
        ("account", |s| {
            s.account_id = AccountId::from_uuid(Uuid::nil())
        }),
        ("key", |s| s.api_key_id = ApiKeyId::from_uuid(Uuid::nil())),
        ("admission", |s| s.admitted_at = Timestamp::default()),
        ("usage", |s| s.usage.reasoning = 1),
        ("bucket", |s| {
            s.usage.cache_read = s.usage.input_uncached;
            s.usage.input_uncached = 0;
        }),
        ("charge", |s| s.charge.total = UsdNanos::new(41)),
        ("insurance", |s| s.charge.insured = true),
        ("funds", |s| s.holds.clear()),
    ];
    for (what, change) in changes {
        let mut changed = original.clone();
        change(&mut changed);
        assert_ne!(content_digest(&changed), digest, "{what}");
    }
}

#[test]
fn the_digest_does_not_see_how_it_went() {
    let original = settlement(40, 0);
    let mut retold = original.clone();
    retold.finished_at = Timestamp::default();
    retold.request.user_agent = Some("client/2".to_owned());
    retold.holds[0].lease = "lease_00000000000000000000000000000009"
        .parse()
        .expect("an id");
    assert_eq!(content_digest(&retold), content_digest(&original));
}

#[test]
fn the_digest_stays_as_databases_hold_it() {
    let hex: String = content_digest(&settlement(40, 0))
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    expect_test::expect!["77586cc8faefeeb894c519bf9b5c973ae66026ac8f7548d5fc605fdb92f4484d"]
        .assert_eq(&hex);
}

proptest! {
    #[test]
    fn postings_add_up_to_zero(
        transfers in proptest::collection::vec((0_u8..4, 0_u8..4, -1_000_000_i64..1_000_000), 0..8),
    ) {
        let ledger_account = |index| match index {
            0 => LedgerAccount::CustomerCredits(account()),
            1 => LedgerAccount::InferenceRevenue,
            2 => LedgerAccount::ToolsRevenue,
            _ => LedgerAccount::Grants,
        };
        let transfers: Vec<_> = transfers
            .into_iter()
            .map(|(from, to, amount)| Transfer {
                from: ledger_account(from),
                to: ledger_account(to),
                amount: UsdNanos::new(amount),
            })
            .collect();
        let at = Timestamp::default();
        let (id, kind) = (transaction_id_for("x", at), TransactionKind::Grant);
        if let Some(transaction) =
            LedgerTransaction::of_transfers(id, "x".to_owned(), kind, at, &transfers)
        {
            let sum: i64 = transaction.postings().iter().map(|p| p.amount.get()).sum();
            prop_assert_eq!(sum, 0);
            prop_assert!(transaction.postings().iter().all(|p| p.amount != UsdNanos::ZERO));
        }
    }
}
