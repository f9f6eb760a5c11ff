//! What somebody may see of an account's traffic.

use switchyard_app::{
    activity::{Condition, Dimension, Filter, Names, Value},
    people::sessions::Visitor,
};
use switchyard_domain::{
    authority::{Capability, Reach},
    id::{AccountId, ApiKeyId, PersonId, WorkspaceId},
};

use super::address::Address;

/// Whose traffic a page shows, whatever its filter says.
#[derive(Debug, Clone)]
pub(crate) struct Lens {
    pub(crate) account: AccountId,
    /// The workspace that is looked at.
    pub(crate) workspace: WorkspaceId,
    /// Whose keys' traffic only; `None` is everybody's.
    only: Option<PersonId>,
    /// Whether the whole account is looked at.
    pub(crate) is_account_wide: bool,
    /// Whether sums of money are all that may be seen.
    pub(crate) is_spend_only: bool,
}

/// Asks for every workspace of the account.
pub(crate) const ALL_WORKSPACES: (&str, &str) = ("scope", "account");

impl Lens {
    /// What `capability` lets a visitor see at an address.
    pub(crate) fn of(visitor: &Visitor, capability: Capability, address: &Address) -> Self {
        let reach = visitor.reach(capability);
        let is_own = matches!(
            reach,
            Reach::Own | Reach::OwnIfAllowed | Reach::OwnOrAllIfAllowed | Reach::Nothing
        );
        let (name, value) = ALL_WORKSPACES;
        Self {
            account: visitor.account_id(),
            workspace: visitor.workspace_id(),
            only: is_own.then(|| visitor.person().id),
            is_account_wide: address.get(name) == Some(value),
            is_spend_only: reach == Reach::Spend,
        }
    }

    /// The conditions that hold on top of any filter.
    pub(crate) fn narrow(&self, filter: Filter) -> Filter {
        let mut filter = filter;
        if !self.is_account_wide {
            let here = Value::Id(self.workspace.as_uuid());
            filter = filter.and(Condition::AnyOf(Dimension::Workspace, vec![Some(here)]));
        }
        if let Some(person) = self.only {
            let own = Value::Id(person.as_uuid());
            filter = filter.and(Condition::AnyOf(Dimension::User, vec![Some(own)]));
        }
        filter
    }

    /// Whether a generation that this key asked for may be seen.
    pub(crate) fn shows(&self, key: ApiKeyId, names: &Names) -> bool {
        let Some(person) = self.only else {
            return true;
        };
        let key = names.keys.get(&key);
        key.and_then(|key| key.creator_id) == Some(person)
    }

    /// Whether only what is one's own is shown.
    pub(crate) const fn is_own_only(&self) -> bool {
        self.only.is_some()
    }
}
