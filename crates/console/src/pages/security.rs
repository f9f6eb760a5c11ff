//! What guards somebody's account: password, authenticator app, passkeys, and the devices they are signed
//! in on.

pub(crate) mod authenticator;
pub(crate) mod passkeys;
pub(crate) mod password;
pub(crate) mod sessions;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use serde::Deserialize;
use switchyard_app::people::{
    Person,
    proofs::{CodeState, PasskeyView, ProofError},
    sessions::SessionRow,
};
use switchyard_domain::clock::Timestamp;

use super::sign_in::{passkey::as_page, passkey_script};
use crate::{
    Console,
    error::PageError,
    shell::{Nav, Shell, page},
    visit::SignedIn,
};

#[derive(Template)]
#[template(path = "pages/security/security.html")]
struct SecurityPage {
    shell: Shell,
    person: Person,
    password_since: Option<Timestamp>,
    codes: CodeState,
    passkeys: Vec<PasskeyView>,
    has_passkeys: bool,
    passkey_script: String,
    devices: Vec<Device>,
    now: Timestamp,
}

/// A session, for its owner's list.
struct Device {
    session: SessionRow,
    name: String,
    is_this: bool,
}

/// What just happened.
#[derive(Debug, Deserialize)]
pub(crate) struct Done {
    #[serde(default)]
    done: String,
}

/// Everything, and what can be done about it.
pub(crate) async fn show(
    State(console): State<Console>,
    Query(Done { done }): Query<Done>,
    SignedIn { visit, visitor }: SignedIn,
) -> Result<Response, PageError> {
    let (proofs, person, now) = (
        console.app.proofs(),
        visitor.person(),
        console.app.clock().now(),
    );
    let known = async {
        let password_since = proofs.password_since(person.id).await?;
        let codes = proofs.code_state(person.id).await?;
        let passkeys = proofs.passkeys(person.id).await?;
        Ok((password_since, codes, passkeys))
    };
    let known: Result<_, ProofError> = known.await;
    let (password_since, codes, passkeys) = known.map_err(|error| as_page(error, now))?;
    let sessions = console.app.people().sessions(person.id).await?;
    let this = visitor.session().id;
    let devices = sessions.into_iter().map(|session| Device {
        name: device_name(session.user_agent.as_deref()),
        is_this: session.id == this,
        session,
    });
    let mut shell = Shell::new(&visit, "Security", Nav::Settings);
    shell.notice = told(&done).map(str::to_owned);
    page(&SecurityPage {
        shell,
        person: person.clone(),
        password_since,
        codes,
        passkeys,
        has_passkeys: proofs.has_passkeys(),
        passkey_script: passkey_script(),
        devices: devices.collect(),
        now,
    })
}

/// Fixed words only: whoever makes up an address makes up none of ours.
fn told(done: &str) -> Option<&'static str> {
    Some(match done {
        "password" => "Your password is changed. You are signed out everywhere else.",
        "authenticator-off" => "No code is asked any more when you sign in.",
        "passkey" => "The passkey is added. It signs you in alone.",
        "renamed" => "The passkey has its new name.",
        "removed" => "The passkey is removed. It no longer signs you in.",
        "session" => "That device is signed out.",
        "sessions" => "All other devices are signed out.",
        _ => return None,
    })
}

/// A browser and a system that people know, as far as the browser says.
fn device_name(user_agent: Option<&str>) -> String {
    let Some(text) = user_agent else {
        return "Unknown device".to_owned();
    };
    let first = |names: &[(&str, &'static str)]| {
        let known = names.iter().find(|(sign, _)| text.contains(sign));
        known.map(|(_, name)| *name)
    };
    // In this order: most browsers claim to be several others.
    let browser = first(&[
        ("Firefox/", "Firefox"),
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => "Another program".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_have_names_that_people_know() {
        for (user_agent, name) in [
            (None, "Unknown device"),
            (Some("curl/8.5.0"), "curl"),
            (
                Some(
                    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                     Chrome/140.0.0.0 Safari/537.36",
                ),
                "Chrome on Linux",
            ),
            (
                Some("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1"),
                "Safari on iPhone",
            ),
            (Some("<script>"), "Another program"),
        ] {
            assert_eq!(device_name(user_agent), name);
        }
    }
}
