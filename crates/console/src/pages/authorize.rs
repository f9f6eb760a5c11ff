//! `/auth`: a program asks for a key, and a person says whether it gets one, and which.
//!
//! What the program asks for stands in the address, what the person makes of it in the form. The code
//! goes to the callback by a page that leads there, and not by a redirect of the form: the content
//! security policy lets forms lead nowhere else.

use std::time::Duration;

use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use switchyard_app::oauth::{Callback, GrantError, GrantRequest, GrantRequestError, OAuthGrant};
use switchyard_domain::{
    clock::{ResetInterval, Timestamp},
    id::WorkspaceId,
    money::UsdNanos,
};

use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    pages::settings::place::workspaces_of,
    shell::{Nav, Shell, page, page_with},
    visit::SignedIn,
};

/// What the program asks for.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Asked {
    callback_url: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    key_label: Option<String>,
    limit: Option<String>,
    usage_limit_type: Option<String>,
    expires_at: Option<String>,
    workspace_id: Option<String>,
    /// Given back with the code.
    state: Option<String>,
}

/// What the person makes of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Agreed {
    label: String,
    #[serde(default)]
    limit: String,
    #[serde(default)]
    reset: String,
    /// A day, such as `2026-12-31`; the key works until it ends.
    #[serde(default)]
    last_day: String,
    workspace: String,
}

#[derive(Template)]
#[template(path = "pages/authorize.html")]
struct ConsentPage {
    shell: Shell,
    faults: Faults,
    /// Where the code goes; `None`: it is shown.
    host: Option<String>,
    is_loopback: bool,
    /// Where it leads to say no.
    refusal: Option<String>,
    account_name: String,
    form: Agreed,
    workspaces: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "pages/authorize_refused.html")]
struct RefusedPage {
    shell: Shell,
    text: String,
}

#[derive(Template)]
#[template(path = "pages/authorize_done.html")]
struct DonePage {
    shell: Shell,
    /// Where the code goes, and the host of it.
    onward: Option<(String, String)>,
    code: String,
}

/// A program's request as far as it is in order.
struct Request {
    callback: Option<Callback>,
    form: Agreed,
}

/// Asks the person.
pub(crate) async fn ask(
    State(console): State<Console>,
    asked: Result<Query<Asked>, QueryRejection>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    let Ok(Query(asked)) = asked else {
        return refuse(&signed_in, "Its address cannot be read.".to_owned());
    };
    match read(&console, &signed_in, &asked) {
        Ok(request) => {
            let form = request.form;
            let page = consent(&console, &signed_in, &asked, form, Faults::default());
            crate::shell::page(&page.await?)
        }
        Err(error) => refuse(&signed_in, told(&error)),
    }
}

fn told(error: &GrantRequestError) -> String {
    format!("{} {}.", error.field, error.message)
}

fn refuse(signed_in: &SignedIn, text: String) -> Result<Response, PageError> {
    let page = RefusedPage {
        shell: Shell::new(&signed_in.visit, "Give a program a key", Nav::None),
        text,
    };
    page_with(StatusCode::BAD_REQUEST, &page)
}

/// Reads what the program asks for; what is wrong with it, the person cannot mend.
fn read(
    console: &Console,
    signed_in: &SignedIn,
    asked: &Asked,
) -> Result<Request, GrantRequestError> {
    let wrong = |field, message| GrantRequestError { field, message };
    let limit = given(asked.limit.as_deref()).map(str::parse::<UsdNanos>);
    let limit = limit
        .transpose()
        .map_err(|_| wrong("limit", "must be an amount of US dollars"))?;
    let reset = given(asked.usage_limit_type.as_deref()).map(|name| {
        ResetInterval::from_name(name)
            .ok_or_else(|| wrong("usage_limit_type", "must be daily, weekly or monthly"))
    });
    let reset = reset.transpose()?;
    let expires_at = given(asked.expires_at.as_deref()).map(|text| {
        Timestamp::parse_rfc3339(text)
            .ok_or_else(|| wrong("expires_at", "must be a time such as 2026-12-31T23:59:59Z"))
    });
    let expires_at = expires_at.transpose()?;
    let request = GrantRequest {
        key_label: given(asked.key_label.as_deref()).map(str::to_owned),
        limit,
        reset,
        expires_at,
        ..by_program(asked)
    };
    let visitor = &signed_in.visitor;
    let place = (visitor.account_id(), visitor.workspace_id());
    let (plain, now) = (
        console.app.oauth().allows_plain(),
        console.app.clock().now(),
    );
    let grant = request.checked(place, Some(visitor.person().id), plain, now)?;
    let callback = grant.callback_url.as_deref().map(Callback::parse);
    let here = visitor.workspace_id().to_string();
    Ok(Request {
        callback: callback.transpose()?,
        form: Agreed {
            label: grant.key_name,
            limit: asked.limit.clone().unwrap_or_default(),
            reset: asked.usage_limit_type.clone().unwrap_or_default(),
            last_day: expires_at.map(day_of).unwrap_or_default(),
            workspace: asked.workspace_id.clone().unwrap_or(here),
        },
    })
}

/// The day that a key works until the end of, at most as long as it was asked for.
fn day_of(at: Timestamp) -> String {
    at.to_rfc3339().chars().take(10).collect()
}

/// What stays as the program asks for it.
fn by_program(asked: &Asked) -> GrantRequest {
    GrantRequest {
        callback_url: given(asked.callback_url.as_deref()).map(str::to_owned),
        code_challenge: given(asked.code_challenge.as_deref()).map(str::to_owned),
        code_challenge_method: given(asked.code_challenge_method.as_deref()).map(str::to_owned),
        ..GrantRequest::default()
    }
}

/// A parameter without text counts as none.
fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

async fn consent(
    console: &Console,
    signed_in: &SignedIn,
    asked: &Asked,
    form: Agreed,
    faults: Faults,
) -> Result<ConsentPage, PageError> {
    let visitor = &signed_in.visitor;
    let workspaces = workspaces_of(console, visitor, visitor.membership()).await?;
    let callback = given(asked.callback_url.as_deref());
    let callback = callback.and_then(|url| Callback::parse(url).ok());
    let refusal = callback.as_ref().map(|callback| {
        let mut pairs = vec![("error", "access_denied")];
        pairs.extend(asked.state.as_deref().map(|state| ("state", state)));
        callback.with(&pairs)
    });
    Ok(ConsentPage {
        shell: Shell::new(&signed_in.visit, "Give a program a key", Nav::None),
        faults,
        host: callback.as_ref().map(Callback::host),
        is_loopback: callback
            .as_ref()
            .is_some_and(|one| one.as_str().starts_with("http:")),
        refusal,
        account_name: visitor.membership().account_name.clone(),
        form,
        workspaces: workspaces
            .into_iter()
            .map(|(id, name)| (id.to_string(), name))
            .collect(),
    })
}

/// The person agrees.
pub(crate) async fn agree(
    State(console): State<Console>,
    asked: Result<Query<Asked>, QueryRejection>,
    signed_in: SignedIn,
    Submitted(form): Submitted<Agreed>,
) -> Result<Response, PageError> {
    let Ok(Query(asked)) = asked else {
        return refuse(&signed_in, "Its address cannot be read.".to_owned());
    };
    let request = match read(&console, &signed_in, &asked) {
        Ok(request) => request,
        Err(error) => return refuse(&signed_in, told(&error)),
    };
    let visitor = &signed_in.visitor;
    let workspaces = workspaces_of(&console, visitor, visitor.membership()).await?;
    let grant = agreed(&console, &signed_in, &asked, &form, &workspaces);
    let grant = match grant {
        Ok(grant) => grant,
        Err(faults) => {
            let again = consent(&console, &signed_in, &asked, form, faults).await?;
            return page_with(StatusCode::UNPROCESSABLE_ENTITY, &again);
        }
    };
    let made = console.app.grant_code(&signed_in.acting(), grant).await;
    let made = made.map_err(|error| match error {
        GrantError::NoSuchWorkspace => PageError::NotFound,
        GrantError::Directory(error) => error.into(),
        error @ GrantError::Random(_) => PageError::Unavailable(Box::new(error)),
    })?;
    let code = made.text.expose();
    let onward = request.callback.map(|callback| {
        let mut pairs = vec![("code", code.as_str())];
        pairs.extend(asked.state.as_deref().map(|state| ("state", state)));
        (callback.with(&pairs), callback.host())
    });
    page(&DonePage {
        shell: Shell::new(&signed_in.visit, "Give a program a key", Nav::None),
        code: if onward.is_none() {
            code.clone()
        } else {
            String::new()
        },
        onward,
    })
}

/// What the person agrees to, or what is wrong with it, field by field.
fn agreed(
    console: &Console,
    signed_in: &SignedIn,
    asked: &Asked,
    form: &Agreed,
    workspaces: &[(WorkspaceId, String)],
) -> Result<OAuthGrant, Faults> {
    let mut faults = Faults::default();
    let limit = given(Some(&form.limit))
        .map(str::parse::<UsdNanos>)
        .transpose();
    let limit = limit.unwrap_or_else(|_| {
        faults.add("limit", "This is not an amount. Write one like 5 or 0.50.");
        None
    });
    let expires_at = given(Some(&form.last_day)).and_then(|day| {
        let end = Timestamp::parse_rfc3339(&format!("{day}T23:59:59Z"));
        if end.is_none() {
            faults.add("last_day", "This is not a day. Write one like 2026-12-31.");
        }
        end.map(|end| end.plus(Duration::from_secs(1)))
    });
    let workspace = workspaces
        .iter()
        .find(|(id, _)| id.to_string() == form.workspace);
    if workspace.is_none() {
        faults.add("workspace", "Choose one of these workspaces.");
    }
    let Some((workspace, _)) = workspace.filter(|_| faults.is_empty()) else {
        return Err(faults);
    };
    let request = GrantRequest {
        key_label: Some(form.label.clone()),
        limit,
        reset: limit.and_then(|_| ResetInterval::from_name(&form.reset)),
        expires_at,
        ..by_program(asked)
    };
    let place = (signed_in.visitor.account_id(), *workspace);
    let (plain, now) = (
        console.app.oauth().allows_plain(),
        console.app.clock().now(),
    );
    let person = Some(signed_in.visitor.person().id);
    request.checked(place, person, plain, now).map_err(|error| {
        let field = match error.field {
            "key_label" => "label",
            "expires_at" => "last_day",
            other => other,
        };
        faults.add(field, format!("It {}.", error.message));
        faults
    })
}
