//! `switchyard account`.

use std::process::ExitCode;

use serde::Serialize;
use switchyard_app::accounts;
use switchyard_domain::id::{AccountId, PersonId, WorkspaceId};

use crate::{
    commands::{CommandError, DONE, Output, block_on, print},
    config::Config,
    foundation::Foundation,
    serve::public_url,
};

#[derive(Serialize)]
struct Created {
    account_id: AccountId,
    workspace_id: WorkspaceId,
}

pub(crate) fn create(
    config: Config,
    output: Output,
    email: &str,
    name: Option<&str>,
) -> Result<ExitCode, CommandError> {
    let account = block_on(async {
        let foundation = Foundation::open(config).await?;
        accounts::create(
            &*foundation.store.directory,
            &*foundation.clock,
            &*foundation.random,
            email,
            name,
        )
        .await
        .map_err(|error| CommandError::caused("cannot create the account", error))
    })?;
    let created = Created {
        account_id: account.account_id,
        workspace_id: account.default_workspace_id,
    };
    let text = format!(
        "Account {} with workspace {}.",
        created.account_id, created.workspace_id
    );
    print(output, &text, &created)?;
    Ok(DONE)
}

#[derive(Serialize)]
struct SignIn {
    person_id: Option<PersonId>,
    url: String,
}

/// Prints where somebody can sign in who lost every other way to.
pub(crate) fn sign_in_link(
    config: Config,
    output: Output,
    email: &str,
) -> Result<ExitCode, CommandError> {
    let listen = config.server.listen;
    let (person_id, url) = block_on(async {
        let foundation = Foundation::open(config).await?;
        let people = foundation.people();
        let token = people
            .sign_in_link(&*foundation.store.directory, email)
            .await
            .map_err(|error| CommandError::caused("cannot make a link", error))?;
        let base = public_url(&foundation.config, listen);
        let url = format!("{base}/sign-in/{}", token.expose());
        let person = people
            .by_email(email)
            .await
            .map_err(|error| CommandError::caused("cannot read who it is", error))?;
        Ok((person.map(|person| person.id), url))
    })?;
    let url_text = url.clone();
    print(output, &url_text, &SignIn { person_id, url })?;
    Ok(DONE)
}
