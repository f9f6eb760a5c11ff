//! Where a conversation's prompt cache is warm: the key it is remembered by, and when a pin is
//! worth keeping. A pin reorders endpoints that may serve anyway; it never adds one.

mod lifetime;
mod prefix;
mod verdict;

pub use self::{
    lifetime::{CacheWish, cache_ttl, pin_lifetime},
    prefix::prefix_digest,
    verdict::{CacheHome, PinVerdict, SwitchReason},
};

use std::{fmt::Write, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use switchyard_catalog::snapshot::Endpoint;
use switchyard_domain::{endpoint::EndpointId, model::ModelId};
use switchyard_interchange::{
    message::{MediaSource, Message, Part, ReasoningContent, Role},
    request::ChatRequest,
};

use crate::{cost::Warmth, credentials::CredentialUse};

/// Where a conversation's prompt cache is warm, and how warm.
#[derive(Debug, Clone, PartialEq)]
pub struct WarmCache {
    /// The endpoint that served it last.
    pub endpoint: EndpointId,
    /// A cache belongs to the provider's account, so to the credential, too.
    pub credential: CredentialUse,
    /// Tokens of the conversation that are in the cache, as far as the last answer told.
    pub warm_tokens: u64,
    /// How long ago it was last used.
    pub idle: Duration,
    /// How long the provider keeps it unused.
    pub ttl: Duration,
    /// Of the cache hits expected so far, the share that came, in parts per million.
    pub hit_ppm: u32,
    /// Turns in a row for which another endpoint would have been markedly cheaper.
    pub dearer_turns: u8,
    /// Turns that the endpoint has served of the conversation.
    pub turns: u32,
    /// How long the pin outlives its last use; see [`pin_lifetime`].
    pub lifetime: Duration,
    /// What the conversation has in common with others of the account; see [`prefix_digest`].
    pub prefix_digest: u64,
}

impl WarmCache {
    /// Whether the conversation was silent for too long to be held to its endpoint.
    pub fn is_expired(&self) -> bool {
        self.idle >= self.lifetime
    }

    /// What of a prompt may be read from the cache. Within the time that the provider keeps it, the
    /// chance is the share of hits seen so far; after that there is none.
    pub(crate) fn warmth(&self) -> Warmth {
        Warmth {
            tokens: self.warm_tokens,
            hit_ppm: if self.idle < self.ttl {
                self.hit_ppm
            } else {
                0
            },
        }
    }
}

/// What makes two requests one conversation.
#[derive(Debug, Clone, Copy)]
pub enum Conversation<'a> {
    /// The caller named it.
    Named(&'a str),
    /// It opens with the same words.
    Opening {
        /// The first system or developer message.
        instructions: Option<&'a Message>,
        /// The first message of anyone else.
        first: &'a Message,
    },
}

/// Tells keys of this purpose and shape from any other made with the same secret.
const PURPOSE: &[u8] = b"switchyard sticky pin 1";
/// The same for what providers are told.
const HINT_PURPOSE: &[u8] = b"switchyard affinity hint 1";

impl<'a> Conversation<'a> {
    /// The conversation a request belongs to: its session id, else its cache key, else its
    /// opening. `None`: it says nothing to tell it by.
    pub fn of(request: &'a ChatRequest) -> Option<Self> {
        let named = request
            .session_id
            .as_deref()
            .or(request.prompt_cache_key.as_deref());
        if let Some(name) = named.filter(|name| !name.is_empty()) {
            return Some(Self::Named(name));
        }
        Some(Self::Opening {
            instructions: request.messages.iter().find(instructs),
            first: request
                .messages
                .iter()
                .find(|message| !instructs(message))?,
        })
    }

    /// The key that the pin is kept under. Keyed with a secret of the account, so nobody can
    /// compute or compare keys across accounts, and what is stored reveals nothing of the text.
    pub fn pin_key(&self, account_secret: &[u8], model: &ModelId) -> [u8; 32] {
        let mut digest = Digest::new(account_secret);
        digest.field(PURPOSE);
        digest.field(model.as_str().as_bytes());
        match self {
            Self::Named(name) => {
                digest.field(b"named");
                digest.field(name.as_bytes());
            }
            Self::Opening {
                instructions,
                first,
            } => {
                digest.field(b"opening");
                match instructions {
                    Some(message) => digest.message(message),
                    None => digest.field(b"no instructions"),
                }
                digest.message(first);
            }
        }
        digest.finish()
    }

    /// How the conversation is known.
    pub const fn known_by(&self) -> KnownBy {
        match self {
            Self::Named(_) => KnownBy::Name,
            Self::Opening { .. } => KnownBy::Opening,
        }
    }
}

/// How a conversation is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBy {
    /// The caller named it.
    Name,
    /// By its first words.
    Opening,
}

impl KnownBy {
    /// Whether a success at this endpoint should set or renew the pin. A named conversation is
    /// trusted to go on; one told by its opening alone has to prove it by a cache hit.
    pub fn earns_pin(self, endpoint: &Endpoint, cache_read_tokens: u64) -> bool {
        let goes_on = match self {
            Self::Name => true,
            Self::Opening => cache_read_tokens > 0,
        };
        goes_on && is_cacheable(endpoint)
    }
}

/// What a provider is told so that requests that share a prompt reach the same cache: 64
/// hexadecimal digits made of the caller's cache key, or else of the conversation's name. Keyed
/// with a secret of the account: tenants who share a credential never share a hint, whatever they
/// call their conversations, and nothing of the name can be read from it. `None`: the request
/// names nothing.
pub fn affinity_hint(request: &ChatRequest, account_secret: &[u8]) -> Option<String> {
    let stated = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
    let name = stated(&request.prompt_cache_key).or_else(|| stated(&request.session_id))?;
    let mut digest = Digest::new(account_secret);
    digest.field(HINT_PURPOSE);
    digest.field(name.as_bytes());
    let hint = digest
        .finish()
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
    Some(hint)
}

fn instructs(message: &&Message) -> bool {
    matches!(message.role, Role::System | Role::Developer)
}

/// Whether a warm cache saves anything there: reading from it must be cheaper than the prompt.
pub fn is_cacheable(endpoint: &Endpoint) -> bool {
    let base = endpoint.prices.as_ref().map(|list| &list.base);
    base.is_some_and(|prices| match (prices.input_cache_read, prices.prompt) {
        (Some(read), Some(prompt)) => read < prompt,
        _ => false,
    })
}

/// A keyed digest over fields; each is preceded by its length, so that no two lists of fields
/// run together into the same bytes.
struct Digest(Hmac<Sha256>);

impl Digest {
    fn new(secret: &[u8]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("HMAC takes keys of any length"))
    }

    fn finish(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }

    fn field(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn text(&mut self, kind: &str, text: &str) {
        self.field(kind.as_bytes());
        self.field(text.as_bytes());
    }

    fn message(&mut self, message: &Message) {
        self.field(match message.role {
            Role::System | Role::Developer => b"instructions",
            Role::User => b"user",
            Role::Assistant => b"assistant",
            Role::Tool => b"tool",
        });
        self.parts(&message.parts);
    }

    fn parts(&mut self, parts: &[Part]) {
        self.field(&(parts.len() as u64).to_be_bytes());
        parts.iter().for_each(|part| self.part(part));
    }

    /// What a provider's cache would see; cache marks and display names are not part of it.
    fn part(&mut self, part: &Part) {
        match part {
            Part::Text { text, .. } => self.text("text", text.expose()),
            Part::Refusal { text } => self.text("refusal", text.expose()),
            Part::Image { source, .. } => self.media("image", source),
            Part::File { source, .. } => self.media("file", source),
            Part::Video { source } => self.media("video", source),
            Part::Audio { data, format } => {
                self.text("audio", format);
                self.field(data.expose().as_bytes());
            }
            Part::ToolCall(call) => {
                self.text("tool call", &call.name);
                self.field(call.arguments.expose().as_bytes());
            }
            Part::ToolResult(result) => {
                self.text("tool result", &result.call_id);
                self.parts(&result.content);
            }
            Part::Reasoning(reasoning) => match &reasoning.content {
                ReasoningContent::Text { text, .. } | ReasoningContent::Summary { text } => {
                    self.text("reasoning", text.expose());
                }
                ReasoningContent::Encrypted { data } => self.text("reasoning", data.expose()),
            },
        }
    }

    fn media(&mut self, kind: &str, source: &MediaSource) {
        self.field(kind.as_bytes());
        match source {
            MediaSource::Url(url) => self.text("url", url.expose()),
            MediaSource::Inline { media_type, data } => self.text(media_type, data.expose()),
            MediaSource::ProviderFile(handle) => self.text("provider file", handle),
        }
    }
}
