//! `switchyard policy`.

use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
    process::ExitCode,
};

use serde::Serialize;
use serde_json::value::RawValue;
use switchyard_app::policies::{CheckedRules, PolicySubject, check_rules, scope_of};
use switchyard_catalog::snapshot::Catalog;
use switchyard_domain::id::AccountId;
use switchyard_routing::{policy::Rules, record::Scope};
use switchyard_store::policy::StoredPolicy;

use crate::{
    cli::PolicyTarget,
    commands::{
        CommandError, DONE, Output, block_on,
        key::{account_id, existing_account},
        print,
    },
    config::Config,
    foundation::Foundation,
};

/// No policy is longer.
const RULES_BYTES_MAX: u64 = 1024 * 1024;
/// Who changes policies from the command line, as the audit log has it.
const OPERATOR: &str = "operator";

#[derive(Serialize)]
struct Changed<'a> {
    scope: &'a str,
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<&'a Rules>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cleared: Option<bool>,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Shown<'a> {
    policies: Vec<ShownPolicy<'a>>,
}

#[derive(Serialize)]
struct ShownPolicy<'a> {
    scope: &'a str,
    subject: String,
    rules: &'a RawValue,
    updated_at: String,
    updated_by: &'a str,
}

pub(crate) fn set(
    config: Config,
    output: Output,
    target: &PolicyTarget,
    file: Option<&Path>,
) -> Result<ExitCode, CommandError> {
    let account = account_id(&target.account)?;
    let text = match file {
        Some(file) => read_file(file)?,
        None => read_input()?,
    };
    let origin = file.map_or_else(
        || "standard input".to_owned(),
        |file| file.display().to_string(),
    );
    let (subject, checked) = block_on(async {
        let catalog = load_catalog(&config)?;
        let foundation = Foundation::open(config).await?;
        let subject = subject(&foundation, account, target).await?;
        let checked = checked(&text, &origin, scope_of(subject), &catalog)?;
        foundation
            .policies(foundation.command_coordination()?)
            .put(account, subject, &checked.rules, OPERATOR)
            .await
            .map_err(|error| CommandError::caused("cannot set the policy", error))?;
        Ok((subject, checked))
    })?;
    warn(&checked.warnings);
    print(
        output,
        &format!("The policy of {subject} is set. Running nodes keep it within a second."),
        &Changed {
            scope: subject.scope(),
            subject: subject.to_string(),
            rules: Some(&checked.rules),
            cleared: None,
            warnings: &checked.warnings,
        },
    )?;
    Ok(DONE)
}

pub(crate) fn show(
    config: Config,
    output: Output,
    target: &PolicyTarget,
) -> Result<ExitCode, CommandError> {
    let account = account_id(&target.account)?;
    let found: Vec<StoredPolicy> = block_on(async {
        let foundation = Foundation::open(config).await?;
        existing_account(&foundation, account).await?;
        let unreadable = |error| CommandError::caused("cannot read the policies", error);
        let directory = &foundation.store.directory;
        if target.workspace.is_none() && target.key.is_none() {
            return directory
                .policies_of_account(account)
                .await
                .map_err(unreadable);
        }
        let subject = subject(&foundation, account, target).await?;
        let found = directory
            .policy(account, subject)
            .await
            .map_err(unreadable)?;
        Ok(found.into_iter().collect())
    })?;
    let lines: Vec<String> = found
        .iter()
        .map(|policy| {
            format!(
                "{} {}: {}\n  set by {} at {}",
                policy.subject.scope(),
                policy.subject,
                policy.rules.get(),
                policy.updated_by,
                policy.updated_at
            )
        })
        .collect();
    let text = if lines.is_empty() {
        "There is no standing policy.".to_owned()
    } else {
        lines.join("\n")
    };
    let policies = found.iter().map(|policy| ShownPolicy {
        scope: policy.subject.scope(),
        subject: policy.subject.to_string(),
        rules: &policy.rules,
        updated_at: policy.updated_at.to_rfc3339(),
        updated_by: &policy.updated_by,
    });
    print(
        output,
        &text,
        &Shown {
            policies: policies.collect(),
        },
    )?;
    Ok(DONE)
}

pub(crate) fn clear(
    config: Config,
    output: Output,
    target: &PolicyTarget,
) -> Result<ExitCode, CommandError> {
    let account = account_id(&target.account)?;
    let subject = block_on(async {
        let foundation = Foundation::open(config).await?;
        let subject = subject(&foundation, account, target).await?;
        foundation
            .policies(foundation.command_coordination()?)
            .clear(account, subject, OPERATOR)
            .await
            .map_err(|error| CommandError::caused("cannot clear the policy", error))?;
        Ok(subject)
    })?;
    print(
        output,
        &format!("The policy of {subject} is cleared."),
        &Changed {
            scope: subject.scope(),
            subject: subject.to_string(),
            rules: None,
            cleared: Some(true),
            warnings: &[],
        },
    )?;
    Ok(DONE)
}

async fn subject(
    foundation: &Foundation,
    account: AccountId,
    target: &PolicyTarget,
) -> Result<PolicySubject, CommandError> {
    if let Some(workspace) = &target.workspace {
        let id = workspace
            .parse()
            .map_err(|error| CommandError::caused("--workspace", error))?;
        return Ok(PolicySubject::Workspace(id));
    }
    let Some(hash) = &target.key else {
        return Ok(PolicySubject::Account(account));
    };
    let lookup_id: String = hash.chars().take(32).collect();
    let stored = foundation
        .store
        .directory
        .key_by_lookup_id(&lookup_id)
        .await
        .map_err(|error| CommandError::caused("cannot read the key", error))?;
    stored
        .filter(|stored| stored.key.hash == *hash && stored.key.account_id == account)
        .map(|stored| PolicySubject::Key(stored.key.id))
        .ok_or_else(|| CommandError::Usage(format!("{account} has no API key {hash}")))
}

pub(super) fn load_catalog(config: &Config) -> Result<Catalog, CommandError> {
    let clock = crate::system::SystemClock::new();
    let now = switchyard_domain::clock::Clock::now(&clock);
    switchyard_catalog::load::load(&config.catalog_dir, now)
        .map_err(|faults| CommandError::caused("the catalogue cannot be loaded", faults))
}

/// Rules from a text; `origin` says where it is from.
pub(super) fn checked(
    text: &str,
    origin: &str,
    scope: Scope,
    catalog: &Catalog,
) -> Result<CheckedRules, CommandError> {
    check_rules(text, scope, catalog)
        .map_err(|fault| CommandError::caused(format!("{origin} holds no policy"), fault))
}

pub(super) fn warn(warnings: &[String]) {
    for warning in warnings {
        // A closed standard error leaves nobody to tell.
        let _ = writeln!(io::stderr(), "warning: {warning}");
    }
}

pub(super) fn read_file(file: &Path) -> Result<String, CommandError> {
    fs::read_to_string(file)
        .map_err(|error| CommandError::caused(format!("cannot read {}", file.display()), error))
}

fn read_input() -> Result<String, CommandError> {
    let mut text = String::new();
    io::stdin()
        .take(RULES_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|error| CommandError::caused("cannot read standard input", error))?;
    if text.trim().is_empty() {
        return Err(CommandError::Usage(
            "give the rules as --file, or on standard input, as in: \
             echo '{\"zdr\": {\"other\": true}}' | switchyard policy set --account A"
                .to_owned(),
        ));
    }
    Ok(text)
}
