//! `switchyard byok`.

use std::{process::ExitCode, sync::Arc, time::Duration};

use serde::Serialize;
use switchyard_app::{
    audit::Actor,
    own_credentials::{
        CredentialChange, CredentialCondition, CredentialFilters, CredentialSettings,
        NewCredential, OwnCredentialFilter, OwnCredentialRow, OwnCredentials, StoredSection,
    },
};
use switchyard_catalog::snapshot::Catalog;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, CredentialId},
    provider::ProviderSlug,
};
use switchyard_store::api_key::Page;

use crate::{
    cli::byok::{ByokAdd, ByokCommand, ByokTarget},
    commands::{
        CommandError, DONE, Output, block_on,
        key::{account_id, existing_account},
        print,
        provider_key::read_secret,
    },
    config::Config,
    foundation::Foundation,
};

/// More than any account may store.
const ALL: Page = Page {
    offset: 0,
    limit: 1_000,
};

const OPENINGS_SHOWN: Duration = Duration::from_secs(30 * 24 * 3_600);
/// Events that one command prints.
const EVENTS_MAX: u32 = 1_000;

#[derive(Serialize)]
struct Shown {
    id: CredentialId,
    provider: String,
    workspace_id: Option<String>,
    label: String,
    kind: String,
    name: Option<String>,
    disabled: bool,
    is_fallback: bool,
    is_required: bool,
    is_byok_only: bool,
    sort_order: i32,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// How often it was opened in the last thirty days.
    #[serde(skip_serializing_if = "Option::is_none")]
    openings_30d: Option<u64>,
}

#[derive(Serialize)]
struct Events {
    events: Vec<Event>,
}

#[derive(Serialize)]
struct Event {
    number: i64,
    at: String,
    kind: String,
    subject: String,
    detail: serde_json::Value,
}

impl From<&OwnCredentialRow> for Shown {
    fn from(row: &OwnCredentialRow) -> Self {
        let settings = &row.settings;
        let state = row.state.as_ref();
        Self {
            id: row.id,
            provider: row.provider.to_string(),
            workspace_id: row.workspace_id.map(|id| id.to_string()),
            label: row.label.clone(),
            kind: row.kind.clone(),
            name: settings.name.clone(),
            disabled: settings.disabled,
            is_fallback: settings.section == StoredSection::Fallback,
            is_required: settings.is_required,
            is_byok_only: settings.is_byok_only,
            sort_order: row.sort_order,
            state: state
                .map_or(CredentialCondition::Unchecked, |state| state.condition)
                .as_str(),
            last_error_status: state.and_then(|state| state.last_error_status),
            last_error: state.and_then(|state| state.last_error.clone()),
            openings_30d: None,
        }
    }
}

#[derive(Serialize)]
struct Listed {
    credentials: Vec<Shown>,
}

#[derive(Serialize)]
struct Changed<'a> {
    id: &'a str,
    deleted: bool,
}

#[derive(Serialize)]
struct Ordered<'a> {
    provider: &'a str,
    ids: &'a [CredentialId],
}

/// What the command works with.
struct Desk {
    own: OwnCredentials,
    catalog: Catalog,
    account: AccountId,
    /// Thirty days ago.
    since: Timestamp,
    operator: Actor,
}

pub(crate) fn run(
    config: Config,
    output: Output,
    command: ByokCommand,
) -> Result<ExitCode, CommandError> {
    match command {
        ByokCommand::Add(wanted) => add(config, output, wanted),
        ByokCommand::List { account, provider } => list(config, output, &account, provider),
        ByokCommand::Events { account, after } => events(config, output, &account, after),
        ByokCommand::Switch { which, state } => switch(config, output, &which, state == "off"),
        ByokCommand::Rotate(which) => rotate(config, output, &which),
        ByokCommand::Order {
            account,
            provider,
            ids,
        } => order(config, output, &account, &provider, &ids),
        ByokCommand::Remove(which) => remove(config, output, &which),
    }
}

impl Desk {
    async fn open(config: Config, account: &str) -> Result<Self, CommandError> {
        let account = account_id(account)?;
        let foundation = Foundation::open(config).await?;
        existing_account(&foundation, account).await?;
        let catalog =
            switchyard_catalog::load::load(&foundation.config.catalog_dir, foundation.clock.now())
                .map_err(|faults| CommandError::caused("the catalogue cannot be loaded", faults))?;
        let coordination = foundation.command_coordination()?;
        Ok(Self {
            own: foundation.own_credentials(Arc::clone(&coordination)),
            catalog,
            account,
            since: foundation.clock.now().minus(OPENINGS_SHOWN),
            operator: Actor::operator(),
        })
    }
}

fn add(config: Config, output: Output, wanted: ByokAdd) -> Result<ExitCode, CommandError> {
    let secret = read_secret("switchyard byok add --account A --provider openai")?;
    let workspace_id = wanted
        .workspace
        .as_deref()
        .map(|id| id.parse().map_err(|error| usage(&error)))
        .transpose()?;
    let some = |list: Vec<String>| Some(list).filter(|list| !list.is_empty());
    let new = NewCredential {
        workspace_id,
        provider: ProviderSlug::new(wanted.provider),
        secret,
        settings: CredentialSettings {
            name: wanted.name,
            disabled: false,
            section: if wanted.fallback {
                StoredSection::Fallback
            } else {
                StoredSection::Prioritized
            },
            is_required: wanted.always_use,
            is_byok_only: wanted.only_own,
            declared_zdr: wanted.declared_zdr.then_some(true),
            declared_region: None,
            filters: CredentialFilters {
                models: some(wanted.models),
                api_key_hashes: some(wanted.keys),
                user_ids: some(wanted.users),
            },
        },
    };
    let row = block_on(async {
        let desk = Desk::open(config, &wanted.account).await?;
        let created = desk
            .own
            .create(desk.account, &desk.catalog, new, &desk.operator);
        created
            .await
            .map_err(|error| CommandError::caused("cannot store the credential", error))
    })?;
    let text = format!(
        "The credential {} ({}) for {} is sealed and stored. Running nodes use it within a second.",
        row.id, row.label, row.provider
    );
    print(output, &text, &Shown::from(&row))?;
    Ok(DONE)
}

fn list(
    config: Config,
    output: Output,
    account: &str,
    provider: Option<String>,
) -> Result<ExitCode, CommandError> {
    let filter = OwnCredentialFilter {
        workspace: None,
        provider: provider.map(ProviderSlug::new),
    };
    let credentials: Vec<Shown> = block_on(async {
        let desk = Desk::open(config, account).await?;
        let unreadable = |error| CommandError::caused("cannot read the credentials", error);
        let (own, account) = (&desk.own, desk.account);
        let (rows, _) = own.list(account, &filter, ALL).await.map_err(unreadable)?;
        let mut shown = Vec::with_capacity(rows.len());
        for row in &rows {
            let openings = own.openings(account, row.id, desk.since).await;
            shown.push(Shown {
                openings_30d: Some(openings.map_err(unreadable)?),
                ..Shown::from(row)
            });
        }
        Ok(shown)
    })?;
    let lines: Vec<String> = credentials
        .iter()
        .map(|one| {
            let section = if one.is_fallback { ", fallback" } else { "" };
            let off = if one.disabled { ", off" } else { "" };
            format!(
                "{} {} {}{section}{off}, {}",
                one.id, one.provider, one.label, one.state
            )
        })
        .collect();
    let text = if lines.is_empty() {
        "The account has stored no credentials.".to_owned()
    } else {
        lines.join("\n")
    };
    print(output, &text, &Listed { credentials })?;
    Ok(DONE)
}

fn events(
    config: Config,
    output: Output,
    account: &str,
    after: i64,
) -> Result<ExitCode, CommandError> {
    let found = block_on(async {
        let desk = Desk::open(config, account).await?;
        let events = desk.own.events_after(desk.account, after, EVENTS_MAX);
        events
            .await
            .map_err(|error| CommandError::caused("cannot read the events", error))
    })?;
    let events: Vec<_> = found
        .into_iter()
        .map(|event| Event {
            number: event.number,
            at: event.at.to_rfc3339(),
            kind: event.kind,
            subject: event.subject,
            detail: event.detail,
        })
        .collect();
    let lines: Vec<String> = events
        .iter()
        .map(|event| {
            format!(
                "{} {} {}: {}",
                event.at, event.kind, event.subject, event.detail
            )
        })
        .collect();
    let text = if lines.is_empty() {
        "Nothing has happened.".to_owned()
    } else {
        lines.join("\n")
    };
    print(output, &text, &Events { events })?;
    Ok(DONE)
}

fn switch(
    config: Config,
    output: Output,
    which: &ByokTarget,
    disabled: bool,
) -> Result<ExitCode, CommandError> {
    let change = CredentialChange {
        disabled: Some(disabled),
        ..CredentialChange::default()
    };
    let row = changed(config, which, change)?;
    let state = if disabled { "off" } else { "on" };
    let text = format!("The credential {} is {state}.", row.id);
    print(output, &text, &Shown::from(&row))?;
    Ok(DONE)
}

fn rotate(config: Config, output: Output, which: &ByokTarget) -> Result<ExitCode, CommandError> {
    let secret = read_secret("switchyard byok rotate --account A --id cred_…")?;
    let change = CredentialChange {
        secret: Some(secret),
        ..CredentialChange::default()
    };
    let row = changed(config, which, change)?;
    let text = format!(
        "The credential {} holds a new secret ({}).",
        row.id, row.label
    );
    print(output, &text, &Shown::from(&row))?;
    Ok(DONE)
}

fn changed(
    config: Config,
    which: &ByokTarget,
    change: CredentialChange,
) -> Result<OwnCredentialRow, CommandError> {
    let id = credential_id(&which.id)?;
    block_on(async {
        let desk = Desk::open(config, &which.account).await?;
        let changed = desk
            .own
            .change(desk.account, &desk.catalog, id, change, &desk.operator);
        changed
            .await
            .map_err(|error| CommandError::caused("cannot change the credential", error))
    })
}

fn order(
    config: Config,
    output: Output,
    account: &str,
    provider: &str,
    ids: &[String],
) -> Result<ExitCode, CommandError> {
    let ids: Vec<_> = ids
        .iter()
        .map(|id| credential_id(id))
        .collect::<Result<_, _>>()?;
    block_on(async {
        let desk = Desk::open(config, account).await?;
        let slug = ProviderSlug::new(provider);
        desk.own
            .order(desk.account, &slug, &ids, &desk.operator)
            .await
            .map_err(|error| CommandError::caused("cannot order the credentials", error))
    })?;
    let text = format!("The credentials for {provider} are tried in this order.");
    print(
        output,
        &text,
        &Ordered {
            provider,
            ids: &ids,
        },
    )?;
    Ok(DONE)
}

fn remove(config: Config, output: Output, which: &ByokTarget) -> Result<ExitCode, CommandError> {
    let id = credential_id(&which.id)?;
    block_on(async {
        let desk = Desk::open(config, &which.account).await?;
        desk.own
            .delete(desk.account, id, &desk.operator)
            .await
            .map_err(|error| CommandError::caused("cannot delete the credential", error))
    })?;
    let text = format!("The credential {id} is deleted, and its secret with it.");
    let result = Changed {
        id: &which.id,
        deleted: true,
    };
    print(output, &text, &result)?;
    Ok(DONE)
}

fn credential_id(text: &str) -> Result<CredentialId, CommandError> {
    text.parse().map_err(|error| usage(&error))
}

fn usage(error: &switchyard_domain::id::InvalidId) -> CommandError {
    CommandError::Usage(error.to_string())
}
