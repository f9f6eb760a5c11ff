//! The command line: what can be asked of the binary.

pub(crate) mod byok;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    commands::{self, CommandError, Output, vault::VaultCommand},
    config::{Config, Layers},
    demo, serve, system,
};

/// One API key in front of hundreds of models at dozens of providers.
#[derive(Debug, Parser)]
#[command(name = "switchyard", version)]
struct Cli {
    /// A TOML file with settings; the environment (`SWITCHYARD__SECTION__KEY`) wins over it.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON object instead of text for people.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve with everything embedded, simulated providers and a funded account.
    Demo,
    /// Serve.
    Serve,
    /// Bring the database's schema up to date.
    Migrate,
    /// Manage accounts.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Manage API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Manage credit.
    #[command(subcommand)]
    Credit(CreditCommand),
    /// Manage the operator's provider credentials.
    #[command(subcommand)]
    ProviderKey(ProviderKeyCommand),
    /// Manage provider credentials that customers brought.
    #[command(subcommand)]
    Byok(byok::ByokCommand),
    /// Manage what an account, a workspace or a key allows, whatever a request asks for.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Look at where requests go.
    #[command(subcommand)]
    Route(RouteCommand),
    /// Look at a catalogue.
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look at the ledger.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Look after the keys that seal everything: rotate, verify, retire, destroy.
    #[command(subcommand)]
    Vault(VaultCommand),
    /// Look at signed receipts.
    #[command(subcommand)]
    Receipt(ReceiptCommand),
    /// Look at who changed what.
    #[command(subcommand)]
    Audit(AuditCommand),
}

#[derive(Debug, Subcommand)]
enum AccountCommand {
    /// Create an account with its default workspace.
    Create {
        #[arg(long)]
        email: String,
        #[arg(long)]
        name: Option<String>,
    },
    /// Print a link that signs somebody in to the console, once, within 15 minutes.
    SignInLink {
        /// The address they sign in with.
        #[arg(long)]
        email: String,
    },
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Create an API key. It is shown once.
    Create(KeyCreate),
    /// Delete an API key for good.
    Revoke {
        /// The account that owns the key.
        #[arg(long)]
        account: String,
        /// The key's hash, as `key create` printed it.
        #[arg(long)]
        hash: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct KeyCreate {
    /// The account that will own the key.
    #[arg(long)]
    pub(crate) account: String,
    #[arg(long)]
    pub(crate) name: String,
    /// A key that manages and cannot call models.
    #[arg(long)]
    pub(crate) management: bool,
    /// What the key may spend, in US dollars.
    #[arg(long, value_name = "X")]
    pub(crate) limit_usd: Option<String>,
    /// How often the limit starts afresh: daily, weekly or monthly.
    #[arg(long, value_name = "INTERVAL", requires = "limit_usd")]
    pub(crate) limit_reset: Option<String>,
    /// Whether the limit counts what traffic on the customer's own credentials would have cost.
    #[arg(long, requires = "limit_usd")]
    pub(crate) include_byok: bool,
    /// From when on the key is refused, as in 2026-12-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) expires_at: Option<String>,
}

#[derive(Debug, Subcommand)]
enum CreditCommand {
    /// Give an account credit.
    Grant {
        #[arg(long)]
        account: String,
        /// How much, in US dollars.
        #[arg(long)]
        usd: String,
        /// Why; kept in the ledger.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
enum ProviderKeyCommand {
    /// Store a provider's credential, read from standard input and sealed at once.
    Set {
        /// The provider's slug, such as `openai`.
        provider: String,
    },
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Set a standing policy, replacing an earlier one.
    Set {
        #[command(flatten)]
        target: PolicyTarget,
        /// A JSON file with the rules; standard input where it is not given.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Print the standing policies of an account, or one of them.
    Show(PolicyTarget),
    /// Take a standing policy back.
    Clear(PolicyTarget),
}

/// Whom a policy is for: the account, unless a workspace or a key is named.
#[derive(Debug, Args)]
pub(crate) struct PolicyTarget {
    #[arg(long)]
    pub(crate) account: String,
    /// A workspace of the account.
    #[arg(long, conflicts_with = "key")]
    pub(crate) workspace: Option<String>,
    /// A key of the account, by its hash as `key create` printed it.
    #[arg(long, value_name = "HASH")]
    pub(crate) key: Option<String>,
}

#[derive(Debug, Subcommand)]
enum RouteCommand {
    /// Tell what a proposed policy would have done to the requests of the past. Changes nothing.
    Replay(RouteReplay),
}

#[derive(Debug, Args)]
pub(crate) struct RouteReplay {
    /// From when on: a time as in 2026-12-31T00:00:00Z, or how long ago, as in 12h or 7d.
    #[arg(long, value_name = "TIME|DURATION")]
    pub(crate) since: String,
    /// Until when, in the same forms; until now where it is not given.
    #[arg(long, value_name = "TIME|DURATION")]
    pub(crate) until: Option<String>,
    /// Only this account's requests.
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// A JSON file with the proposed rules.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// Whose rules they would replace: account, workspace or key.
    #[arg(long, default_value = "account")]
    pub(crate) scope: String,
}

#[derive(Debug, Subcommand)]
enum CatalogCommand {
    /// Validate a catalogue folder.
    Check { dir: PathBuf },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Tell what is wrong with the configuration.
    Check,
    /// Print every setting in force and where it comes from.
    Show,
}

#[derive(Debug, Subcommand)]
enum LedgerCommand {
    /// Check every invariant of the ledger; exit 1 when one does not hold.
    Verify,
}

#[derive(Debug, Subcommand)]
enum ReceiptCommand {
    /// Check receipts and the chain that they form; exit 1 when something does not hold.
    Verify {
        /// Receipts as the API gives them, one after the other.
        file: PathBuf,
        /// Public keys as `/api/v1/receipts/keys` gives them; nothing else is needed then.
        /// Without it, the database's keys.
        #[arg(long, value_name = "FILE")]
        keys: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Check that no entry of the audit log was changed or taken out; exit 1 when one was.
    Verify,
    /// Print what was done to an account, newest first, or to one thing, oldest first.
    Show(AuditShow),
}

#[derive(Debug, Args)]
pub(crate) struct AuditShow {
    #[arg(long, required_unless_present = "subject")]
    pub(crate) account: Option<String>,
    /// An id, a provider, or `vault`: what concerns no account is found by this.
    #[arg(long, conflicts_with = "account")]
    pub(crate) subject: Option<String>,
    /// How many entries at most.
    #[arg(long, default_value_t = 100)]
    pub(crate) limit: usize,
}

/// Parses the command line, runs the command, and tells how it went.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    let output = if cli.json { Output::Json } else { Output::Text };
    // Before anything secret is in memory, which for some commands is before they read any file.
    let forbidden = system::forbid_core_dumps()
        .map_err(|error| CommandError::caused("core dumps cannot be forbidden", error));
    match forbidden.and_then(|()| dispatch(cli, output)) {
        Ok(code) => code,
        Err(error) => {
            commands::report(&error);
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: Cli, output: Output) -> Result<ExitCode, CommandError> {
    let layers = Layers::gather(cli.config.as_deref(), system::environment());
    let command = match cli.command {
        Command::Config(ConfigCommand::Show) => return commands::config::show(&layers, output),
        Command::Config(ConfigCommand::Check) => return commands::config::check(&layers, output),
        Command::Catalog(CatalogCommand::Check { dir }) => {
            return commands::catalog::check(&dir, output);
        }
        Command::Receipt(ReceiptCommand::Verify {
            ref file,
            keys: Some(ref keys),
        }) => return commands::receipt::verify_offline(file, keys, output),
        Command::Demo => return demo::run(layers, output),
        // Listed, so that a new command is put on one side or the other.
        command @ (Command::Serve
        | Command::Migrate
        | Command::Account(_)
        | Command::Key(_)
        | Command::Credit(_)
        | Command::ProviderKey(_)
        | Command::Byok(_)
        | Command::Policy(_)
        | Command::Route(_)
        | Command::Ledger(_)
        | Command::Vault(_)
        | Command::Receipt(_)
        | Command::Audit(_)) => command,
    };
    run_configured(command, Config::from_layers(&layers)?, output)
}

/// What stands on a whole configuration.
fn run_configured(
    command: Command,
    config: Config,
    output: Output,
) -> Result<ExitCode, CommandError> {
    match command {
        Command::Serve => serve::run(config),
        Command::Migrate => commands::migrate::run(config, output),
        Command::Account(AccountCommand::Create { email, name }) => {
            commands::account::create(config, output, &email, name.as_deref())
        }
        Command::Account(AccountCommand::SignInLink { email }) => {
            commands::account::sign_in_link(config, output, &email)
        }
        Command::Key(KeyCommand::Create(wanted)) => commands::key::create(config, output, &wanted),
        Command::Key(KeyCommand::Revoke { account, hash }) => {
            commands::key::revoke(config, output, &account, &hash)
        }
        Command::Credit(CreditCommand::Grant {
            account,
            usd,
            reason,
        }) => commands::credit::grant(config, output, &account, &usd, &reason),
        Command::ProviderKey(ProviderKeyCommand::Set { provider }) => {
            commands::provider_key::set(config, output, &provider)
        }
        Command::Byok(command) => commands::byok::run(config, output, command),
        Command::Policy(PolicyCommand::Set { target, file }) => {
            commands::policy::set(config, output, &target, file.as_deref())
        }
        Command::Policy(PolicyCommand::Show(target)) => {
            commands::policy::show(config, output, &target)
        }
        Command::Policy(PolicyCommand::Clear(target)) => {
            commands::policy::clear(config, output, &target)
        }
        Command::Route(RouteCommand::Replay(wanted)) => {
            commands::route::replay(config, output, &wanted)
        }
        Command::Vault(command) => commands::vault::run(config, output, command),
        Command::Ledger(LedgerCommand::Verify) => commands::ledger::verify(config, output),
        Command::Receipt(ReceiptCommand::Verify { file, keys: _ }) => {
            commands::receipt::verify(config, &file, output)
        }
        Command::Audit(AuditCommand::Verify) => commands::audit::verify(config, output),
        Command::Audit(AuditCommand::Show(wanted)) => {
            commands::audit::show(config, output, &wanted)
        }
        Command::Demo | Command::Catalog(_) | Command::Config(_) => {
            unreachable!("handled before the configuration was parsed")
        }
    }
}
