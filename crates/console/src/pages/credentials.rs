//! The account's own provider credentials, which people know as provider keys: which there are, in which
//! order they are tried, whom they are for, and how they are doing. A secret comes in and is never shown
//! again.

pub(crate) mod add;
pub(crate) mod grid;
pub(crate) mod one;
pub(crate) mod provider;
pub(crate) mod remove;

mod secret;
mod settings;
mod words;

use switchyard_app::{
    own_credentials::{OwnCredentialError, OwnCredentialFilter, OwnCredentialRow},
    people::sessions::Visitor,
    workspaces::Page,
};
use switchyard_catalog::snapshot::{Catalog, Provider};
use switchyard_domain::{
    authority::{Capability, Reach},
    id::CredentialId,
};

use crate::{Console, error::PageError, form::Faults};

/// Credentials of one account: there are never more.
const CREDENTIALS_MAX: u32 = 500;

impl From<OwnCredentialError> for PageError {
    fn from(error: OwnCredentialError) -> Self {
        match error {
            OwnCredentialError::Missing(_) => Self::NotFound,
            OwnCredentialError::Directory(error) => error.into(),
            error @ OwnCredentialError::Sealing(_) => Self::Unavailable(Box::new(error)),
            OwnCredentialError::Contended => Self::Conflict(
                "Somebody else is changing this key. Look at it again, then try again.".to_owned(),
            ),
            error @ (OwnCredentialError::Invalid { .. }
            | OwnCredentialError::Duplicate
            | OwnCredentialError::TooMany) => Self::Conflict(error.to_string()),
        }
    }
}

/// A form that has been sent, field by field. It may hold a secret: it is not printed, and pages show
/// again only what is none.
#[derive(Default)]
struct Sent(Vec<(String, String)>);

impl Sent {
    fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(given, _)| given == name);
        found.map_or("", |(_, value)| value.trim())
    }

    fn all(&self, name: &str) -> Vec<String> {
        let fields = self.0.iter().filter(|(given, _)| given == name);
        let values = fields.map(|(_, value)| value.trim().to_owned());
        values.filter(|value| !value.is_empty()).collect()
    }

    /// What was written one a line, or with commas between.
    fn lines(&self, name: &str) -> Vec<String> {
        let parts = self.get(name).split(['\n', ',']);
        let parts = parts.map(|part| part.trim().to_owned());
        parts.filter(|part| !part.is_empty()).collect()
    }
}

/// Whether somebody manages the credentials of the whole account, or of one workspace.
fn manages_all(visitor: &Visitor) -> bool {
    visitor.reach(Capability::ManageCredentials) == Reach::Everything
}

/// Whether they may change this one: one that serves every workspace is for those who manage all.
fn may_change(visitor: &Visitor, row: &OwnCredentialRow) -> bool {
    manages_all(visitor) || row.workspace_id == Some(visitor.workspace_id())
}

/// Everything that is used in the workspace that is looked at.
async fn used_here(
    console: &Console,
    visitor: &Visitor,
) -> Result<Vec<OwnCredentialRow>, PageError> {
    let filter = OwnCredentialFilter {
        workspace: Some(visitor.workspace_id()),
        provider: None,
    };
    let page = Page {
        offset: 0,
        limit: CREDENTIALS_MAX,
    };
    let own = console.app.own_credentials();
    let (rows, _) = own.list(visitor.account_id(), &filter, page).await?;
    Ok(rows)
}

/// One credential, as its address names it: of this provider, and of a workspace that the visitor
/// manages.
async fn named(
    console: &Console,
    visitor: &Visitor,
    provider: &str,
    id: &str,
) -> Result<OwnCredentialRow, PageError> {
    let id: CredentialId = id.parse().map_err(|_| PageError::NotFound)?;
    let own = console.app.own_credentials();
    let row = own.get(visitor.account_id(), id).await?;
    let is_used_here = row
        .workspace_id
        .is_none_or(|workspace| workspace == visitor.workspace_id());
    if row.provider.as_str() != provider || !(manages_all(visitor) || is_used_here) {
        return Err(PageError::NotFound);
    }
    Ok(row)
}

/// The same, for a change.
async fn changeable(
    console: &Console,
    visitor: &Visitor,
    provider: &str,
    id: &str,
) -> Result<OwnCredentialRow, PageError> {
    let row = named(console, visitor, provider, id).await?;
    if may_change(visitor, &row) {
        Ok(row)
    } else {
        Err(PageError::NotAllowed(Capability::ManageCredentials))
    }
}

/// A provider that credentials can be stored for.
fn provider_named<'c>(catalog: &'c Catalog, slug: &str) -> Result<&'c Provider, PageError> {
    let found = catalog.provider(slug).filter(|one| takes_credentials(one));
    found.ok_or(PageError::NotFound)
}

fn takes_credentials(provider: &Provider) -> bool {
    provider.byok_supported != Some(false) && provider.family.is_some()
}

/// Where a complaint belongs on a form. What is no field's comes back.
fn at_field(error: OwnCredentialError, faults: &mut Faults) -> Result<(), PageError> {
    match error {
        OwnCredentialError::Invalid {
            field: Some(field),
            message,
        } => {
            let (field, label) = settings::field_of(&field);
            faults.add(field, format!("{label} {message}."));
            Ok(())
        }
        OwnCredentialError::Duplicate => {
            let what = "This key is stored already for this provider, in the same workspace.";
            faults.add("secret", what);
            Ok(())
        }
        OwnCredentialError::TooMany => {
            faults.add("secret", "There are 500 keys already. Delete one first.");
            Ok(())
        }
        other => Err(other.into()),
    }
}
