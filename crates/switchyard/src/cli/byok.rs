//! The words of `switchyard byok`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum ByokCommand {
    /// Store a credential of a customer's own, read from standard input and sealed at once.
    Add(ByokAdd),
    /// List an account's credentials, in the order in which they are tried.
    List {
        #[arg(long)]
        account: String,
        /// Only those of one provider.
        #[arg(long)]
        provider: Option<String>,
    },
    /// Print what an account's owners should hear of, such as credentials that are refused.
    Events {
        #[arg(long)]
        account: String,
        /// The number of the last event that is known.
        #[arg(long, default_value_t = 0)]
        after: i64,
    },
    /// Switch a credential off or on again.
    Switch {
        #[command(flatten)]
        which: ByokTarget,
        #[arg(value_parser = ["on", "off"])]
        state: String,
    },
    /// Put a new secret, read from standard input, in place of a credential's old one.
    Rotate(ByokTarget),
    /// Put an account's credentials at a provider in order; those not named follow.
    Order {
        #[arg(long)]
        account: String,
        #[arg(long)]
        provider: String,
        /// Ids as `byok list` prints them.
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Delete a credential. Its secret is gone for good.
    Remove(ByokTarget),
}

#[derive(Debug, Args)]
pub(crate) struct ByokTarget {
    /// The account that owns the credential.
    #[arg(long)]
    pub(crate) account: String,
    /// The credential's id, as `byok add` printed it.
    #[arg(long)]
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct ByokAdd {
    /// The account that will own the credential.
    #[arg(long)]
    pub(crate) account: String,
    /// The provider's slug, such as `openai`.
    #[arg(long)]
    pub(crate) provider: String,
    /// The one workspace that may use it; all of the account's where it is not given.
    #[arg(long)]
    pub(crate) workspace: Option<String>,
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Try it after the operator's credentials rather than before.
    #[arg(long)]
    pub(crate) fallback: bool,
    /// Never use the operator's credential at this provider for models that this one is for.
    #[arg(long)]
    pub(crate) always_use: bool,
    /// Never use the operator's credential at this provider, whatever the model.
    #[arg(long, conflicts_with = "fallback")]
    pub(crate) only_own: bool,
    /// The owner states that the provider keeps nothing of what is sent with it.
    #[arg(long)]
    pub(crate) declared_zdr: bool,
    /// A model that it is for; every model where none is given.
    #[arg(long = "model", value_name = "MODEL")]
    pub(crate) models: Vec<String>,
    /// An API key that may use it, by its hash; every key where none is given.
    #[arg(long = "key", value_name = "HASH")]
    pub(crate) keys: Vec<String>,
    /// Somebody whose API keys may use it; everybody's where none is given.
    #[arg(long = "user", value_name = "ID")]
    pub(crate) users: Vec<String>,
}
