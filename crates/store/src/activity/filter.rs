//! Which generations are meant.

use switchyard_domain::{clock::Timestamp, id::AccountId};
use uuid::Uuid;

/// From an instant until before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Admitted from then on.
    pub from: Timestamp,
    /// Admitted before then.
    pub until: Timestamp,
}

/// Part of an account's generations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Whose.
    pub account: AccountId,
    /// When they were admitted.
    pub range: Range,
    /// What else holds of them.
    pub filter: Filter,
}

/// Conditions that all hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// In no order.
    pub conditions: Vec<Condition>,
}

/// Something that holds of a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The dimension has one of these values; `None` among them is having none.
    AnyOf(Dimension, Vec<Option<Value>>),
    /// The dimension has none of these values; without `None` among them, having no value at all is
    /// well.
    NoneOf(Dimension, Vec<Option<Value>>),
    /// A number is within a bound. Without that number it is not.
    Bounded(RowMeasure, Bound, i64),
}

/// A value of a dimension: of those that are ids, the id, of the others the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// A workspace's, API key's, person's or credential's id.
    Id(Uuid),
    /// Anything else.
    Text(String),
}

/// What generations can be told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// Where the API key lives; an id.
    Workspace,
    /// The API key that asked; an id.
    ApiKey,
    /// Who made that key; an id.
    User,
    /// The model that served; where none did, the one that was tried or asked for.
    Model,
    /// What stood behind the asked model's name, such as `free`.
    Variant,
    /// The provider that served, or was tried last.
    Provider,
    /// The endpoint that served.
    Endpoint,
    /// `ok`, `error` or `cancelled`.
    Status,
    /// Why the model stopped.
    FinishReason,
    /// `true` where a credential of the customer's own served, otherwise `false`.
    Byok,
    /// The stored credential of the customer's own that served; an id.
    Credential,
    /// The app that asked: its origin, or else its title.
    App,
    /// The conversation, where the caller named one.
    Session,
    /// The caller's own end user.
    ExternalUser,
    /// How long the prompt was, such as `10K-100K`.
    ContextLength,
    /// The generation itself.
    Generation,
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 16] = [
        Self::Workspace,
        Self::ApiKey,
        Self::User,
        Self::Model,
        Self::Variant,
        Self::Provider,
        Self::Endpoint,
        Self::Status,
        Self::FinishReason,
        Self::Byok,
        Self::Credential,
        Self::App,
        Self::Session,
        Self::ExternalUser,
        Self::ContextLength,
        Self::Generation,
    ];

    /// Whether its values are [`Value::Id`].
    pub const fn is_id(self) -> bool {
        matches!(
            self,
            Self::Workspace | Self::ApiKey | Self::User | Self::Credential
        )
    }

    /// Whether roll-ups tell it, and with that any range costs little. The others are read from the
    /// generations.
    pub const fn is_rolled_up(self) -> bool {
        !matches!(
            self,
            Self::Session | Self::ExternalUser | Self::ContextLength | Self::Generation
        )
    }
}

/// A number that each generation has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowMeasure {
    /// What the account was charged, in nano-dollars.
    Charge,
    /// What it costs by list price, in nano-dollars.
    ListPrice,
    /// Prompt tokens.
    PromptTokens,
    /// Completion tokens.
    CompletionTokens,
    /// Milliseconds to the first token.
    FirstToken,
    /// Milliseconds to the last byte.
    Duration,
}

/// A side of a number, and whether the number itself is on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bound {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `=`
    Exactly,
    /// `<>`
    Not,
}

impl Filter {
    /// Whether every condition can be told from roll-ups.
    pub fn is_rolled_up(&self) -> bool {
        self.conditions.iter().all(|condition| match condition {
            Condition::AnyOf(dimension, _) | Condition::NoneOf(dimension, _) => {
                dimension.is_rolled_up()
            }
            Condition::Bounded(..) => false,
        })
    }

    /// This and another condition.
    #[must_use]
    pub fn and(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
