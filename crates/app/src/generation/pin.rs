//! Pins: a conversation goes back to the endpoint whose prompt cache it has warmed. What a pin is
//! worth against another endpoint's price, routing decides; here it is looked up and remembered.

use switchyard_coordination::{Degraded, Pin, PinKey};
use switchyard_domain::{clock::Timestamp, model::ModelId, tenancy::Caller, tokens::TokenUsage};
use switchyard_interchange::{
    message::Role, needs::Needs, preferences::Sticky, request::ChatRequest,
};
use switchyard_routing::{
    credentials::CredentialUse,
    stickiness::{
        CacheHome, CacheWish, Conversation, KnownBy, PinVerdict, WarmCache, cache_ttl,
        pin_lifetime, prefix_digest,
    },
    vetted::Vetted,
};

use crate::{
    App,
    generation::plan::Planned,
    limits::{CACHEABLE_TOKENS_MIN, PIN_PATIENCE},
};

/// A conversation that may stay with an endpoint.
pub(crate) struct Pinning {
    key: PinKey,
    known_by: KnownBy,
    wish: CacheWish,
    /// The pin that was found.
    pin: Option<Pin>,
}

impl App {
    /// The conversation's pin. `None`: the request wants none, or says nothing to tell its
    /// conversation by.
    pub(crate) async fn pinning(
        &self,
        caller: &Caller,
        chat: &ChatRequest,
        needs: &Needs,
    ) -> Option<Pinning> {
        let conversation = wanted(chat).then(|| Conversation::of(chat)).flatten()?;
        let known_by = conversation.known_by();
        // A conversation that can only be told by its opening is told by a digest over all of it,
        // and asking coordination costs a round trip: both only where a cache can pay for them.
        let is_worth_it = needs.prompt_tokens_estimate >= CACHEABLE_TOKENS_MIN;
        if known_by == KnownBy::Opening && !is_worth_it {
            return None;
        }
        let model = ModelId::new(chat.model.as_str());
        let key = conversation.pin_key(&self.account_secret(caller), &model);
        let key = PinKey::from_digest(key);
        let pin = match known_by {
            KnownBy::Name => self.find_pin(&key).await,
            KnownBy::Opening if has_been_answered(chat) => self.find_pin(&key).await,
            KnownBy::Opening => None,
        };
        Some(Pinning {
            key,
            known_by,
            wish: CacheWish::of(chat),
            pin,
        })
    }

    /// Stickiness is a convenience: without coordination the request is routed without it.
    async fn find_pin(&self, key: &PinKey) -> Option<Pin> {
        self.coordination.pin(key).await.unwrap_or_else(|degraded| {
            count(&degraded);
            None
        })
    }

    /// The pin as routing weighs it.
    pub(crate) fn warm_cache(
        &self,
        caller: &Caller,
        chat: &ChatRequest,
        pinning: &Pinning,
        now: Timestamp,
    ) -> Option<WarmCache> {
        let pin = pinning.pin.as_ref()?;
        Some(WarmCache {
            endpoint: pin.endpoint.clone(),
            credential: pin
                .credential
                .map_or(CredentialUse::Shared, CredentialUse::Own),
            warm_tokens: pin.warm_tokens,
            idle: now.since(pin.touched_at),
            ttl: pin.ttl,
            hit_ppm: pin.hit_ppm,
            dearer_turns: pin.dearer_turns,
            turns: pin.turns,
            // Coordination forgets a pin when its life is over.
            lifetime: self.settings.sticky_ttl.max(pin.ttl),
            prefix_digest: prefix_digest(chat, &self.account_secret(caller)),
        })
    }

    /// Remembers where a conversation's prompt cache is warm, now that an endpoint has answered.
    /// The next turn may come at once and at another node, so the answer waits for it, but not for
    /// long: losing a pin costs a cold cache, nothing more.
    pub(super) async fn renew_pin(&self, planned: &Planned, served: &Vetted, usage: &TokenUsage) {
        let Some(pinning) = &planned.pinning else {
            return;
        };
        let endpoint = served.endpoint();
        // The next turn may come without the credential that this one brought.
        if matches!(served.credential(), CredentialUse::Supplied(_)) {
            return;
        }
        if !pinning.known_by.earns_pin(endpoint, usage.cache_read) {
            return;
        }
        let verdict = planned.plan.record.pin_verdict.as_ref();
        let pin = pinning.renewed(served, usage, verdict, self.clock.now());
        let life = pin_lifetime(self.settings.sticky_ttl, pinning.wish, endpoint);
        let set = self.coordination.set_pin(&pinning.key, &pin, life);
        if let Ok(Err(degraded)) = tokio::time::timeout(PIN_PATIENCE, set).await {
            count(&degraded);
        }
    }
}

impl Pinning {
    fn renewed(
        &self,
        served: &Vetted,
        usage: &TokenUsage,
        verdict: Option<&PinVerdict>,
        now: Timestamp,
    ) -> Pin {
        let endpoint = served.endpoint();
        let credential = served.credential().own();
        let before = self
            .pin
            .as_ref()
            .filter(|pin| pin.endpoint == endpoint.id && pin.credential == credential);
        let prompt = usage.input_uncached + stored(usage);
        Pin {
            endpoint: endpoint.id.clone(),
            credential,
            // A provider that caches by itself has seen all of the prompt; another keeps what was
            // marked.
            warm_tokens: match endpoint.supports_implicit_caching {
                Some(false) => stored(usage),
                Some(true) => prompt,
                None if stored(usage) > 0 => stored(usage),
                None => prompt,
            },
            touched_at: now,
            ttl: cache_ttl(self.wish, endpoint),
            hit_ppm: before.map_or(ALL_PPM, |pin| hits_seen(pin, usage.cache_read)),
            dearer_turns: verdict.map_or(0, PinVerdict::dearer_turns),
            turns: before.map_or(1, |pin| pin.turns.saturating_add(1)),
        }
    }
}

const ALL_PPM: u32 = 1_000_000;
/// How many earlier turns weigh as much as the last one.
const MEMORY_TURNS: u64 = 3;

/// The share of expected hits that came, the last turn included.
fn hits_seen(pin: &Pin, cache_read: u64) -> u32 {
    if pin.warm_tokens == 0 {
        return pin.hit_ppm;
    }
    let seen = cache_read.saturating_mul(u64::from(ALL_PPM)) / pin.warm_tokens;
    let seen = seen.min(u64::from(ALL_PPM));
    let mean = (u64::from(pin.hit_ppm) * MEMORY_TURNS + seen) / (MEMORY_TURNS + 1);
    u32::try_from(mean).unwrap_or(ALL_PPM)
}

/// Tokens that the provider says are in its cache.
fn stored(usage: &TokenUsage) -> u64 {
    usage.cache_read + usage.cache_write_5m + usage.cache_write_1h
}

/// A listed order says where to go, unless the request says that its warm cache comes first.
fn wanted(chat: &ChatRequest) -> bool {
    let is_ordered = chat
        .provider
        .order
        .as_ref()
        .is_some_and(|order| !order.is_empty());
    match chat.provider.sticky {
        Sticky::Off => false,
        Sticky::Prefer => true,
        Sticky::Auto => !is_ordered,
    }
}

/// The first turn of a conversation cannot have a pin.
fn has_been_answered(chat: &ChatRequest) -> bool {
    chat.messages
        .iter()
        .any(|message| message.role == Role::Assistant)
}

fn count(degraded: &Degraded) {
    metrics::counter!("switchyard_coordination_degraded_total", "reason" => degraded.reason())
        .increment(1);
}

/// The decision's word on the pin, once it is known who answered.
pub(super) fn settle_verdict(planned: &mut Planned, served: &Vetted) {
    let home = CacheHome {
        endpoint: served.endpoint().id.clone(),
        credential: served.credential(),
    };
    let record = &mut planned.plan.record;
    record.pin_verdict = PinVerdict::once_served(record, &home);
}
