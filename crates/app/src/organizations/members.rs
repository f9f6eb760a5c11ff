//! Who belongs to an organization, and as what.

use serde_json::json;
use switchyard_domain::{
    id::{AccountId, PersonId, WorkspaceId},
    tenancy::Role,
};
use switchyard_store::organization::{Departure, KeysOnLeaving, OrganizationMember, RoleChange};

use super::{OrganizationError, Organizations};
use crate::{
    App,
    acting_caller::{ActingCaller, Deed},
    limits::CHANGE_TRIES_MAX,
};

impl Organizations {
    /// People of an account in the order they came, behind one of them where one is given.
    pub async fn members(
        &self,
        account: AccountId,
        after: Option<PersonId>,
        limit: u32,
    ) -> Result<Vec<OrganizationMember>, OrganizationError> {
        let found = self.store.organization_members(account, after, limit);
        Ok(found.await?)
    }

    /// One of them.
    pub async fn member(
        &self,
        account: AccountId,
        person: PersonId,
    ) -> Result<OrganizationMember, OrganizationError> {
        let found = self.store.organization_member(account, person).await?;
        found.ok_or(OrganizationError::Missing)
    }

    /// The workspaces of an account, other than the default one, that somebody was let into.
    pub async fn workspaces_of(
        &self,
        account: AccountId,
        person: PersonId,
    ) -> Result<Vec<WorkspaceId>, OrganizationError> {
        Ok(self.store.workspaces_of(account, person).await?)
    }

    /// Makes somebody something else. Their sessions go by it at once.
    pub async fn change_role(
        &self,
        by: &ActingCaller,
        person: PersonId,
        role: Role,
    ) -> Result<(), OrganizationError> {
        let account_id = by.account_id();
        let own = by.person().ok_or(OrganizationError::AboveOwnRole)?;
        for _ in 0..CHANGE_TRIES_MAX {
            let expected = self.member(account_id, person).await?.role;
            if expected == role {
                return Ok(());
            }
            let change = RoleChange {
                account_id,
                person,
                expected,
                role,
                by: own,
            };
            let deed = Deed {
                action: "member.change_role",
                subject: person.to_string(),
                workspace_id: None,
                detail: json!({ "before": { "role": expected }, "after": { "role": role } }),
            };
            let audit = by.did(deed, self.clock.now());
            let changed = self.store.change_role(&change, &audit).await;
            match changed.map_err(Into::into) {
                Err(OrganizationError::Contended) => {}
                outcome => return outcome,
            }
        }
        Err(OrganizationError::Contended)
    }
}

impl App {
    /// Sends somebody away. With `with_keys` their keys in the account are switched off; without, they
    /// must be off already.
    pub async fn remove_member(
        &self,
        by: &ActingCaller,
        person: PersonId,
        with_keys: bool,
    ) -> Result<u64, OrganizationError> {
        let keys = if with_keys {
            KeysOnLeaving::SwitchOff
        } else {
            KeysOnLeaving::MustBeOff
        };
        self.end_membership(by, person, keys, "member.remove").await
    }

    /// Leaves the organization; one's keys in it are switched off.
    pub async fn leave_organization(&self, by: &ActingCaller) -> Result<u64, OrganizationError> {
        let person = by.person().ok_or(OrganizationError::Missing)?;
        let keys = KeysOnLeaving::SwitchOff;
        self.end_membership(by, person, keys, "member.leave").await
    }

    async fn end_membership(
        &self,
        by: &ActingCaller,
        person: PersonId,
        keys: KeysOnLeaving,
        action: &'static str,
    ) -> Result<u64, OrganizationError> {
        let organizations = self.organizations();
        let account_id = by.account_id();
        let member = organizations.member(account_id, person).await?;
        let departure = Departure {
            account_id,
            person,
            by: by.person().ok_or(OrganizationError::AboveOwnRole)?,
            keys,
        };
        let deed = Deed {
            action,
            subject: person.to_string(),
            workspace_id: None,
            detail: json!({ "before": { "role": member.role } }),
        };
        let audit = by.did(deed, organizations.clock.now());
        let ended = organizations.store.end_membership(&departure, &audit);
        let switched_off = ended.await?;
        let count = switched_off.len();
        for key in switched_off {
            self.keys.tell_changed(key.lookup_id).await;
        }
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}
