mod nodes;
mod tampering;

use serde_json::{Value, json};
use switchyard_domain::id::GenerationId;
use switchyard_store::receipts::UnsignedReceipt;
use switchyard_vault::{Random, random::RandomUnavailable};

use super::{
    document::{STATEMENT, VERSION},
    verify::{TrustedKeys, verify},
    *,
};

/// What a settlement of generation `number` hands over.
fn draft(workspace: &str, number: u64) -> UnsignedReceipt {
    let id = GenerationId::new(1_795_500_000, u128::from(number));
    let document = json!({
        "version": VERSION,
        "generation_id": id,
        "workspace_id": workspace,
        "issued_at": "2026-11-24T06:00:01.5Z",
        "admitted_at": "2026-11-24T06:00:00Z",
        "catalog_version": "c0ffee",
        "policy": {
            "digest": "d1",
            "zdr": true,
            "deny_training": false,
            "allowed_data_regions": ["eu"],
        },
        "attempts": [
            {
                "number": 1,
                "endpoint": "acme/oak|alder",
                "provider": "alder",
                "credential": "own",
                "zero_data_retention": true,
                "may_train": false,
                "retains_prompts": false,
                "regions": ["eu"],
                "served": false,
            },
            {
                "number": 2,
                "endpoint": "acme/oak|cedar",
                "provider": "cedar",
                "credential": "shared",
                "zero_data_retention": true,
                "may_train": false,
                "retains_prompts": null,
                "regions": null,
                "served": true,
            },
        ],
        "decision_digest": "d2",
        "statement": STATEMENT,
    });
    UnsignedReceipt {
        generation_id: id,
        document: canonical::text(&document).expect("integers only"),
    }
}

const HERE: &str = "ws_00000000000000000000000000000001";
const ELSEWHERE: &str = "ws_00000000000000000000000000000002";

/// Draws the same byte every time.
struct Always(u8);

impl Random for Always {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        bytes.fill(self.0);
        Ok(())
    }
}

fn key(number: u8) -> SigningKey {
    SigningKey::generate(&Always(number)).expect("bytes")
}

fn trusted(keys: &[&SigningKey]) -> TrustedKeys {
    let published: Vec<_> = keys
        .iter()
        .map(|key| PublishedKey::from(&key.public_key()))
        .collect();
    TrustedKeys::new(&published).expect("keys")
}

/// The signed receipts of generations 1 to `count`.
fn chain(workspace: &str, count: u64) -> Vec<Value> {
    let pending = Pending {
        head: None,
        receipts: (1..=count).map(|number| draft(workspace, number)).collect(),
    };
    let signed = sign(pending, &key(7));
    signed
        .iter()
        .map(|receipt| serde_json::from_str(&receipt.document).expect("JSON"))
        .collect()
}

/// Every byte of a receipt: whoever checks one with other means gets the same.
#[test]
fn a_receipt_is_this_text() {
    let pending = Pending {
        head: None,
        receipts: vec![draft(HERE, 1)],
    };
    let [signed] = sign(pending, &key(7)).try_into().expect("one receipt");
    assert_eq!(
        signed.document,
        include_str!("tests/receipt.json").trim_end()
    );
    let report = verify(&signed.document, &trusted(&[&key(7)]));
    assert!(report.ok, "{report:?}");
}
