//! Who may do what: one table. A row is a capability, a column what somebody is to an account or
//! which kind of API key was presented. What a cell does not grant is denied.

use crate::tenancy::{KeyKind, Role};

/// Something that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Delete the account or hand it over.
    EndAccount,
    /// Make everybody sign in through the organization.
    EnforceSingleSignOn,
    /// Change what somebody is to the account.
    ChangeRoles,
    /// Invite people, put them into workspaces, take them out.
    ManageMembers,
    /// Make, change and delete workspaces.
    ManageWorkspaces,
    /// Set what members and keys may spend.
    ManageBudgets,
    /// Set rules on content and models.
    ManageGuardrails,
    /// Set standing rules on where requests may go.
    ManagePrivacy,
    /// Store, change and delete the account's own provider credentials.
    ManageCredentials,
    /// Say where traces of requests are sent.
    ManageDestinations,
    /// Make and delete management keys.
    ManageManagementKeys,
    /// Buy credits, keep cards and tax ids.
    Buy,
    /// Read invoices and exports.
    ReadInvoices,
    /// Make, change and delete API keys that call models.
    ManageApiKeys,
    /// Call models.
    Infer,
    /// Make and change presets.
    ManagePresets,
    /// Read presets.
    ReadPresets,
    /// Read what was spent.
    ReadSpend,
    /// Read activity and the metadata of requests.
    ReadActivity,
    /// Read one request's record, decision and receipt by its id.
    ReadGenerations,
    /// Ask where a request would go.
    ExplainRoutes,
    /// Read stored prompts and answers.
    ReadContent,
    /// Read who changed what.
    ReadAudit,
    /// Read about the API key that is presented.
    ReadOwnKey,
}

/// How far a capability goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Not at all.
    Nothing,
    /// Only the sums of money in it.
    Spend,
    /// Looking only.
    Look,
    /// What is one's own.
    Own,
    /// What is one's own, if the account allows that.
    OwnIfAllowed,
    /// What is one's own; everything, if the account allows that.
    OwnOrAllIfAllowed,
    /// The workspaces that one administers.
    AdministeredWorkspaces,
    /// Everything in the account.
    Everything,
}

/// Whose reach is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Somebody who signed in.
    Person(Role),
    /// A program with an API key.
    Key(KeyKind),
}

impl Standing {
    /// How far `capability` goes for one of this standing.
    pub fn reach(self, capability: Capability) -> Reach {
        let found = TABLE.iter().find(|row| row.capability == capability);
        let Some(row) = found else {
            return Reach::Nothing;
        };
        match self {
            Self::Person(Role::Owner) => row.owner,
            Self::Person(Role::Admin) => row.admin,
            Self::Person(Role::Billing) => row.billing,
            Self::Person(Role::Member) => row.member,
            Self::Person(Role::Viewer) => row.viewer,
            Self::Key(KeyKind::Inference) => row.inference_key,
            Self::Key(KeyKind::Management) => row.management_key,
        }
    }

    /// Whether `capability` goes anywhere for one of this standing.
    pub fn may(self, capability: Capability) -> bool {
        self.reach(capability) != Reach::Nothing
    }
}

struct Row {
    capability: Capability,
    owner: Reach,
    admin: Reach,
    billing: Reach,
    member: Reach,
    viewer: Reach,
    inference_key: Reach,
    management_key: Reach,
}

const fn row(capability: Capability, people: [Reach; 5], keys: [Reach; 2]) -> Row {
    let [owner, admin, billing, member, viewer] = people;
    let [inference_key, management_key] = keys;
    Row {
        capability,
        owner,
        admin,
        billing,
        member,
        viewer,
        inference_key,
        management_key,
    }
}

use Reach::{
    AdministeredWorkspaces as Administered, Everything as All, Look, Nothing as No, Own,
    OwnIfAllowed, OwnOrAllIfAllowed, Spend,
};

/// Columns: owner, admin, billing, member, viewer; inference key, management key. A management key
/// is an administrator who cannot prove to be a person: what takes a session is not for it, nor are
/// models.
const TABLE: [Row; 24] = [
    row(Capability::EndAccount, [All, No, No, No, No], [No, No]),
    row(
        Capability::EnforceSingleSignOn,
        [All, No, No, No, No],
        [No, No],
    ),
    row(Capability::ChangeRoles, [All, All, No, No, No], [No, No]),
    row(
        Capability::ManageMembers,
        [All, All, No, Administered, No],
        [No, All],
    ),
    row(
        Capability::ManageWorkspaces,
        [All, All, No, Administered, No],
        [No, All],
    ),
    row(
        Capability::ManageBudgets,
        [All, All, No, Administered, No],
        [No, All],
    ),
    row(
        Capability::ManageGuardrails,
        [All, All, No, Administered, No],
        [No, All],
    ),
    row(
        Capability::ManagePrivacy,
        [All, All, No, Administered, No],
        [No, All],
    ),
    row(
        Capability::ManageCredentials,
        [All, All, No, Administered, No],
        [No, All],
    ),
    row(
        Capability::ManageDestinations,
        [All, All, No, Administered, No],
        [No, All],
    ),
    row(
        Capability::ManageManagementKeys,
        [All, All, No, Administered, No],
        [No, No],
    ),
    row(Capability::Buy, [All, All, All, No, No], [No, No]),
    row(Capability::ReadInvoices, [All, All, All, No, No], [No, All]),
    row(
        Capability::ManageApiKeys,
        [All, All, No, Own, No],
        [No, All],
    ),
    row(Capability::Infer, [All, All, No, All, No], [All, No]),
    row(
        Capability::ManagePresets,
        [All, All, No, All, No],
        [All, All],
    ),
    row(
        Capability::ReadPresets,
        [All, All, No, All, Look],
        [All, All],
    ),
    row(Capability::ReadSpend, [All, All, All, Own, All], [No, All]),
    row(
        Capability::ReadActivity,
        [All, All, Spend, OwnOrAllIfAllowed, All],
        [No, All],
    ),
    row(
        Capability::ReadGenerations,
        [All, All, No, OwnOrAllIfAllowed, All],
        [All, All],
    ),
    row(
        Capability::ExplainRoutes,
        [All, All, No, All, No],
        [All, All],
    ),
    row(
        Capability::ReadContent,
        [All, All, No, OwnIfAllowed, No],
        [No, All],
    ),
    row(Capability::ReadAudit, [All, All, No, No, All], [No, All]),
    row(Capability::ReadOwnKey, [No, No, No, No, No], [Own, Own]),
];

#[cfg(test)]
mod tests;
