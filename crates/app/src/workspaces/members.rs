//! Who works in a workspace, and who belongs to the account.

use serde_json::json;
use switchyard_domain::id::{AccountId, PersonId};
use switchyard_store::{DirectoryError, api_key::Page, audit::AuditEvent, tenancy::WorkspaceRow};

use super::{AccountPerson, Member, WorkspaceError, Workspaces};
use crate::{
    acting_caller::{ActingCaller, Deed},
    limits::WORKSPACE_PEOPLE_AT_ONCE_MAX,
};

const FIELD: &str = "user_ids";

impl Workspaces {
    /// Who works in a workspace, and how many they are in all. In the default one everybody does.
    pub async fn members(
        &self,
        account: AccountId,
        name: &str,
        page: Page,
    ) -> Result<(Vec<Member>, u64), WorkspaceError> {
        let row = self.row(account, name).await?;
        Ok(self.0.store.list_members(account, row.id, page).await?)
    }

    /// Lets people of the account work in a workspace, as what they are in the account.
    pub async fn add_members(
        &self,
        by: &ActingCaller,
        name: &str,
        user_ids: &[String],
    ) -> Result<Vec<Member>, WorkspaceError> {
        let people = people(user_ids)?;
        let row = self.row(by.account_id(), name).await?;
        let audit = self.audited(by, &row, "workspace_member.add", &people);
        let added = self
            .0
            .store
            .add_members(by.account_id(), row.id, &people, &audit)
            .await;
        added.map_err(|error| match &error {
            DirectoryError::Missing(who) => {
                match people.iter().position(|person| person.to_string() == *who) {
                    Some(place) => stranger(place),
                    None => WorkspaceError::Missing,
                }
            }
            _ => of_members(error),
        })
    }

    /// Ends people's work in a workspace; tells of how many.
    pub async fn remove_members(
        &self,
        by: &ActingCaller,
        name: &str,
        user_ids: &[String],
    ) -> Result<u64, WorkspaceError> {
        let people = people(user_ids)?;
        let row = self.row(by.account_id(), name).await?;
        let audit = self.audited(by, &row, "workspace_member.remove", &people);
        let removed = self
            .0
            .store
            .remove_members(by.account_id(), row.id, &people, &audit)
            .await;
        removed.map_err(of_members)
    }

    /// The people of an account, and how many they are in all.
    pub async fn people(
        &self,
        account: AccountId,
        page: Page,
    ) -> Result<(Vec<AccountPerson>, u64), WorkspaceError> {
        Ok(self.0.store.list_people(account, page).await?)
    }

    fn audited(
        &self,
        by: &ActingCaller,
        row: &WorkspaceRow,
        action: &'static str,
        people: &[PersonId],
    ) -> AuditEvent {
        let deed = Deed {
            action,
            subject: row.id.to_string(),
            workspace_id: Some(row.id),
            detail: json!({ "user_ids": people }),
        };
        by.did(deed, self.0.clock.now())
    }
}

fn of_members(error: DirectoryError) -> WorkspaceError {
    match WorkspaceError::from(error) {
        WorkspaceError::DefaultStays => WorkspaceError::DefaultIsEverybodys,
        WorkspaceError::HasKeys => WorkspaceError::MemberHasKeys,
        other => other,
    }
}

fn people(user_ids: &[String]) -> Result<Vec<PersonId>, WorkspaceError> {
    if !(1..=WORKSPACE_PEOPLE_AT_ONCE_MAX).contains(&user_ids.len()) {
        return Err(WorkspaceError::Invalid {
            field: FIELD.to_owned(),
            message: format!("must name 1 to {WORKSPACE_PEOPLE_AT_ONCE_MAX} people"),
        });
    }
    let parsed = user_ids.iter().enumerate().map(|(place, text)| {
        let person = text.parse::<PersonId>();
        person.map_err(|_| stranger(place))
    });
    parsed.collect()
}

/// Somebody else's people are told apart from nobody's by nothing.
fn stranger(place: usize) -> WorkspaceError {
    WorkspaceError::Invalid {
        field: format!("{FIELD}[{place}]"),
        message: "is not the id of a member of this account".to_owned(),
    }
}
