//! `switchyard route`.

mod table;

use std::{process::ExitCode, sync::Arc, time::Duration};

use switchyard_app::replay::{self, ReplayRequest};
use switchyard_domain::clock::Timestamp;
use switchyard_routing::record::Scope;

use self::table::{Report, table};
use crate::{
    cli::RouteReplay,
    commands::{
        CommandError, DONE, Output, block_on,
        key::{account_id, existing_account},
        policy::{checked, load_catalog, read_file, warn},
        print,
    },
    config::Config,
    foundation::Foundation,
};

pub(crate) fn replay(
    config: Config,
    output: Output,
    wanted: &RouteReplay,
) -> Result<ExitCode, CommandError> {
    let account = wanted.account.as_deref().map(account_id).transpose()?;
    let scope = match wanted.scope.as_str() {
        "account" => Scope::Account,
        "workspace" => Scope::Workspace,
        "key" => Scope::Key,
        other => {
            return Err(CommandError::Usage(format!(
                "--scope {other}: one of account, workspace, key"
            )));
        }
    };
    let text = read_file(&wanted.policy)?;
    let (report, warnings) = block_on(async {
        let catalog = Arc::new(load_catalog(&config)?);
        let origin = wanted.policy.display().to_string();
        let checked = checked(&text, &origin, scope, &catalog)?;
        let foundation = Foundation::open(config).await?;
        if let Some(account) = account {
            existing_account(&foundation, account).await?;
        }
        let now = foundation.clock.now();
        let request = ReplayRequest {
            account,
            workspace: None,
            requests_max: None,
            since: moment("--since", &wanted.since, now)?,
            until: match &wanted.until {
                Some(until) => moment("--until", until, now)?,
                None => now,
            },
            scope,
            rules: checked.rules,
        };
        let report = replay::replay(&*foundation.store.directory, &catalog, &request)
            .await
            .map_err(|error| CommandError::caused("cannot read the generations", error))?;
        Ok((report, checked.warnings))
    })?;
    warn(&warnings);
    print(output, &table(&report), &Report::of(&report))?;
    Ok(DONE)
}

/// A time, or how long before `now`.
fn moment(option: &str, text: &str, now: Timestamp) -> Result<Timestamp, CommandError> {
    Timestamp::parse_rfc3339(text)
        .or_else(|| Some(now.minus(days_or_less(text)?)))
        .ok_or_else(|| {
            CommandError::Usage(format!(
                "{option} {text}: neither a time such as 2026-12-31T00:00:00Z nor a duration such \
                 as 30m, 12h or 7d"
            ))
        })
}

fn days_or_less(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let count: u32 = text.strip_suffix(unit)?.parse().ok()?;
    Some(Duration::from_secs(u64::from(count) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_times_or_ages() {
        let now = Timestamp::from_seconds(1_000_000);
        for (text, seconds) in [
            ("90s", Some(999_910)),
            ("30m", Some(998_200)),
            ("2d", Some(827_200)),
            ("1970-01-01T00:00:07Z", Some(7)),
            ("2w", None),
            ("d", None),
            ("-1d", None),
            ("", None),
            ("tomorrow", None),
        ] {
            let found = moment("--since", text, now).ok().map(Timestamp::seconds);
            assert_eq!(found, seconds, "{text}");
        }
    }
}
