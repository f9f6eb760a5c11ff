//! Where requests may go: standing rules of the account and of the workspace that is looked at. Nothing is
//! saved before it was shown what it would exclude.

mod form;
mod words;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use switchyard_app::{
    people::sessions::Visitor,
    policies::{ModelLoss, PolicyError, PolicySubject, Rules, RulesPreview, check_rules, scope_of},
    reads::DirectoryError,
};
use switchyard_domain::authority::{Capability, Reach};

use self::form::{Form, SORTS, TRAINING, UNSUPPORTED, YES_NO, ZDR_GROUPS};
use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    shell::{Nav, Shell, page, page_with},
    visit::SignedIn,
};

/// Models that are listed; the others are counted.
const LOSSES_SHOWN: usize = 40;

/// Whose rules are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Account,
    Workspace,
}

impl Whose {
    fn of(text: &str) -> Self {
        if text == "workspace" {
            Self::Workspace
        } else {
            Self::Account
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Workspace => "workspace",
        }
    }

    fn subject(self, visitor: &Visitor) -> PolicySubject {
        match self {
            Self::Account => PolicySubject::Account(visitor.account_id()),
            Self::Workspace => PolicySubject::Workspace(visitor.workspace_id()),
        }
    }

    /// Whether a visitor may change them: the account's are for those who manage all of it.
    fn may_change(self, visitor: &Visitor) -> bool {
        self == Self::Workspace || visitor.reach(Capability::ManagePrivacy) == Reach::Everything
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    scope: String,
    done: String,
}

/// One rule that holds, and who set it.
struct InForce {
    what: &'static str,
    value: String,
    by: &'static str,
}

#[derive(Template)]
#[template(path = "pages/privacy/rules.html")]
struct RulesPage {
    shell: Shell,
    faults: Faults,
    whose: Whose,
    form: Form,
    in_force: Vec<InForce>,
    may_change: bool,
    /// The number of the change that is there, so that nobody overwrites another's.
    revision: i64,
}

/// What would change.
#[derive(Template)]
#[template(path = "pages/privacy/preview.html")]
struct PreviewPage {
    shell: Shell,
    faults: Faults,
    whose: Whose,
    form: Form,
    revision: i64,
    warnings: Vec<String>,
    preview: RulesPreview,
    dead_and_used: Vec<ModelLoss>,
    losses: Vec<ModelLoss>,
    more: usize,
}

impl RulesPage {
    fn address(&self) -> &'static str {
        match self.whose {
            Whose::Account => "/privacy?scope=account",
            Whose::Workspace => "/privacy?scope=workspace",
        }
    }

    fn is_account(&self) -> bool {
        self.whose == Whose::Account
    }
}

impl PreviewPage {
    fn moved(&self) -> u64 {
        let moves = self.preview.requests.moves.iter();
        moves.map(|one| one.requests).sum()
    }

    fn back(&self) -> String {
        format!("/privacy?scope={}", self.whose.as_str())
    }
}

impl From<PolicyError> for PageError {
    fn from(error: PolicyError) -> Self {
        match error {
            error @ PolicyError::Unavailable(_) => Self::Unavailable(Box::new(error)),
            error @ PolicyError::Unreadable(_) => Self::Broken(Box::new(error)),
        }
    }
}

/// The rules.
pub(crate) async fn show(
    State(console): State<Console>,
    signed_in: SignedIn,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let whose = Whose::of(&wanted.scope);
    let (rules, revision) = stored(&console, &signed_in.visitor, whose).await?;
    let filled = (Form::of(&rules), revision, Faults::default());
    let mut shown = look(&console, &signed_in, whose, filled).await?;
    if wanted.done == "saved" {
        let notice = "Saved. Every node goes by it within five seconds.";
        shown.shell = shown.shell.with_notice(notice);
    }
    page(&shown)
}

/// What is set, and the number of that change; 0 is none.
async fn stored(
    console: &Console,
    visitor: &Visitor,
    whose: Whose,
) -> Result<(Rules, i64), PageError> {
    let policies = console.app.policies();
    let subject = whose.subject(visitor);
    let found = policies.set_for(visitor.account_id(), subject).await?;
    Ok(found.unwrap_or_default())
}

async fn look(
    console: &Console,
    signed_in: &SignedIn,
    whose: Whose,
    (form, revision, faults): (Form, i64, Faults),
) -> Result<RulesPage, PageError> {
    let visitor = &signed_in.visitor;
    let mut in_force = Vec::new();
    for (whose, by) in [
        (Whose::Account, "The account"),
        (Whose::Workspace, "This workspace"),
    ] {
        let (rules, _) = stored(console, visitor, whose).await?;
        let told = words::told(&rules).into_iter();
        in_force.extend(told.map(|(what, value)| InForce { what, value, by }));
    }
    in_force.sort_by_key(|rule| rule.what);
    Ok(RulesPage {
        shell: Shell::new(&signed_in.visit, "Privacy and routing", Nav::Privacy),
        faults,
        whose,
        form,
        in_force,
        may_change: whose.may_change(visitor),
        revision,
    })
}

/// Shows what rules would exclude, or saves them.
pub(crate) async fn change(
    State(console): State<Console>,
    signed_in: SignedIn,
    Submitted(fields): Submitted<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let visitor = &signed_in.visitor;
    let value = |name: &str| {
        let found = fields.iter().find(|(given, _)| given == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let whose = Whose::of(value("scope"));
    if !whose.may_change(visitor) {
        return Err(PageError::NotAllowed(Capability::ManagePrivacy));
    }
    let (current, revision) = stored(&console, visitor, whose).await?;
    let form = Form::read(&fields);
    let mut faults = Faults::default();
    if value("revision").parse() != Ok(revision) {
        faults.add(
            "revision",
            "Somebody else changed these rules meanwhile. Look at them again before you save yours.",
        );
    }
    let rules = form.rules(&current, whose == Whose::Account, &mut faults);
    if !faults.is_empty() {
        let shown = look(&console, &signed_in, whose, (form, revision, faults)).await?;
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown);
    }
    let mut shown = preview(&console, &signed_in, whose, (form, revision), &rules).await?;
    if value("step") != "save" {
        return page(&shown);
    }
    if !shown.dead_and_used.is_empty() && value("confirmed") != "yes" {
        shown.faults.add(
            "confirmed",
            "Confirm that models in use shall have nothing to serve them.",
        );
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown);
    }
    save(&console, &signed_in, whose, &rules).await?;
    let to = format!("/privacy?scope={}&done=saved", whose.as_str());
    Ok(Redirect::to(&to).into_response())
}

async fn preview(
    console: &Console,
    signed_in: &SignedIn,
    whose: Whose,
    (form, revision): (Form, i64),
    rules: &Rules,
) -> Result<PreviewPage, PageError> {
    let visitor = &signed_in.visitor;
    let (account, workspace) = (visitor.account_id(), visitor.workspace_id());
    let subject = whose.subject(visitor);
    let app = &console.app;
    let preview = app
        .preview_rules(account, workspace, subject, rules)
        .await?;
    let text = serde_json::to_string(rules).map_err(|error| PageError::Broken(Box::new(error)))?;
    let checked = check_rules(&text, scope_of(subject), &app.catalog());
    let mut losses = preview.losses.clone();
    let more = losses.len().saturating_sub(LOSSES_SHOWN);
    losses.truncate(LOSSES_SHOWN);
    Ok(PreviewPage {
        shell: Shell::new(&signed_in.visit, "What this excludes", Nav::Privacy),
        faults: Faults::default(),
        whose,
        form,
        revision,
        warnings: checked.map_or_else(|fault| vec![fault.problem], |checked| checked.warnings),
        dead_and_used: preview.used_and_dead().cloned().collect(),
        preview,
        losses,
        more,
    })
}

async fn save(
    console: &Console,
    signed_in: &SignedIn,
    whose: Whose,
    rules: &Rules,
) -> Result<(), PageError> {
    let visitor = &signed_in.visitor;
    let (account, subject) = (visitor.account_id(), whose.subject(visitor));
    let policies = console.app.policies();
    let by = signed_in.acting().name();
    if *rules != Rules::default() {
        return Ok(policies.put(account, subject, rules, &by).await?);
    }
    match policies.clear(account, subject, &by).await {
        // There was none.
        Ok(()) | Err(DirectoryError::Missing(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
