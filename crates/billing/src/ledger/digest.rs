//! Fingerprints: the content of a settlement as far as money depends on it, and transaction ids
//! that follow from names.

use sha2::{Digest, Sha256};
use switchyard_domain::{clock::Timestamp, id::LedgerTransactionId};
use uuid::Uuid;

use crate::{fund::FundId, settlement::Settlement};

/// Changes whenever the encoding below does, so that an old digest never equals a new one by
/// accident.
const ENCODING: &[u8] = b"switchyard settlement 1";

/// SHA-256 over everything in a settlement that money depends on: who pays, when and where it was
/// admitted, what served at which prices, what was used, what is charged and which funds bear it.
/// How it went (attempts, timings, the decision record, what the client called itself, the leases
/// that happened to hold the money) is left out. Two settlements of one generation with different
/// digests are a conflict.
pub fn content_digest(settlement: &Settlement) -> [u8; 32] {
    let mut content = Content(Sha256::new_with_prefix(ENCODING));
    content.text(settlement.generation_id.as_str());
    content.uuid(settlement.account_id.as_uuid());
    content.uuid(settlement.workspace_id.as_uuid());
    content.uuid(settlement.api_key_id.as_uuid());
    content.integer(settlement.admitted_at.micros());
    match &settlement.served {
        None => content.tag(0),
        Some(served) => {
            content.tag(1);
            content.text(&served.model);
            content.text(served.endpoint_id.as_str());
            content.text(&served.price_snapshot_id);
            content.text(served.service_tier.as_deref().unwrap_or_default());
            content.uuid(
                served
                    .byok_credential_id
                    .map_or(Uuid::nil(), |id| id.as_uuid()),
            );
        }
    }
    content.usage(settlement);
    content.charge(settlement);
    let mut funds: Vec<_> = settlement
        .holds
        .iter()
        .map(|hold| (hold.fund, hold.amount))
        .collect();
    funds.sort_unstable();
    content.count(funds.len() as u64);
    for (fund, amount) in funds {
        content.fund(fund);
        // Settlements from before there were shares read as they always did.
        if let Some(amount) = amount {
            content.tag(3);
            content.integer(amount.get());
        }
    }
    content.0.finalize().into()
}

/// A transaction id that follows from the transaction's name: it begins with the instant, so that
/// ids of one period lie side by side in an index, and ends with bits of the name's hash.
pub fn transaction_id_for(idempotency_key: &str, at: Timestamp) -> LedgerTransactionId {
    let hash: [u8; 32] = Sha256::digest(idempotency_key).into();
    let mut tail = [0; 10];
    tail.copy_from_slice(&hash[..10]);
    let millis = u64::try_from(at.micros().div_euclid(1_000)).unwrap_or(0);
    let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid();
    LedgerTransactionId::from_uuid(uuid)
}

/// Fields of fixed width, or with their length before them, in a fixed order: no two different
/// contents share an encoding.
struct Content(Sha256);

impl Content {
    fn tag(&mut self, tag: u8) {
        self.0.update([tag]);
    }

    fn integer(&mut self, value: i64) {
        self.0.update(value.to_le_bytes());
    }

    fn count(&mut self, value: u64) {
        self.0.update(value.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len() as u64);
        self.0.update(text);
    }

    fn uuid(&mut self, uuid: Uuid) {
        self.0.update(uuid.as_bytes());
    }

    fn usage(&mut self, settlement: &Settlement) {
        let usage = &settlement.usage;
        self.text(settlement.usage_source.as_str());
        for count in [
            usage.input_uncached,
            usage.cache_read,
            usage.cache_write_5m,
            usage.cache_write_1h,
            usage.audio_in,
            usage.output_text,
            usage.reasoning,
            usage.audio_out,
            usage.image_out,
            usage.images_in,
        ] {
            self.count(count);
        }
    }

    fn charge(&mut self, settlement: &Settlement) {
        let charge = &settlement.charge;
        for amount in [
            charge.total,
            charge.inference,
            charge.tools,
            charge.list,
            charge.list_prompt,
            charge.list_completion,
            charge.cache_discount,
        ] {
            self.integer(amount.get());
        }
        self.tag(u8::from(charge.insured));
    }

    fn fund(&mut self, fund: FundId) {
        match fund {
            FundId::Credits(account) => {
                self.tag(0);
                self.uuid(account.as_uuid());
            }
            FundId::KeyLimit {
                key,
                window_start: None,
            } => {
                self.tag(1);
                self.uuid(key.as_uuid());
            }
            FundId::KeyLimit {
                key,
                window_start: Some(start),
            } => {
                self.tag(2);
                self.uuid(key.as_uuid());
                self.integer(start.micros());
            }
        }
    }
}
