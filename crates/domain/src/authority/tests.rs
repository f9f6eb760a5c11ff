use std::collections::HashSet;

use super::*;

fn people(capability: Capability) -> [Reach; 5] {
    Role::ALL.map(|role| Standing::Person(role).reach(capability))
}

fn keys(capability: Capability) -> [Reach; 2] {
    [KeyKind::Inference, KeyKind::Management].map(|kind| Standing::Key(kind).reach(capability))
}

/// The published matrix of roles: what its rows cover, and what each role has of it.
#[test]
fn t15_roles_reach_as_far_as_the_published_matrix_says() {
    use Capability::*;
    let matrix: [(&[Capability], [Reach; 5]); 9] = [
        (&[EndAccount, EnforceSingleSignOn], [All, No, No, No, No]),
        (
            &[
                ManageMembers,
                ManageWorkspaces,
                ManageBudgets,
                ManageGuardrails,
                ManagePrivacy,
                ManageCredentials,
                ManageDestinations,
                ManageManagementKeys,
            ],
            [All, All, No, Administered, No],
        ),
        (&[Buy, ReadInvoices], [All, All, All, No, No]),
        (&[ManageApiKeys], [All, All, No, Own, No]),
        (&[Infer, ManagePresets], [All, All, No, All, No]),
        (&[ReadPresets], [All, All, No, All, Look]),
        (&[ReadActivity], [All, All, Spend, OwnOrAllIfAllowed, All]),
        (&[ReadContent], [All, All, No, OwnIfAllowed, No]),
        (&[ReadAudit], [All, All, No, No, All]),
    ];
    for (rows, reaches) in matrix {
        for capability in rows {
            assert_eq!(people(*capability), reaches, "{capability:?}");
        }
    }
}

#[test]
fn t15_management_keys_do_all_that_takes_no_session_and_call_no_models() {
    use Capability::*;
    for capability in [
        EndAccount,
        EnforceSingleSignOn,
        ChangeRoles,
        ManageManagementKeys,
        Buy,
        Infer,
    ] {
        assert_eq!(keys(capability)[1], No, "{capability:?}");
    }
    for row in &TABLE {
        let [inference, management] = keys(row.capability);
        let is_a_models = matches!(
            row.capability,
            Infer | ManagePresets | ReadPresets | ReadGenerations | ExplainRoutes | ReadOwnKey
        );
        assert_eq!(inference != No, is_a_models, "{:?}", row.capability);
        // Never wider than an administrator, but for what only a key can be asked about.
        assert!(
            management == No || row.admin == All || row.capability == ReadOwnKey,
            "{:?}",
            row.capability
        );
    }
}

#[test]
fn t15_every_capability_has_one_row_and_no_role_reaches_beyond_the_owner() {
    let rows: HashSet<Capability> = TABLE.iter().map(|row| row.capability).collect();
    assert_eq!(rows.len(), TABLE.len());
    for row in &TABLE {
        let [owner, others @ ..] = people(row.capability);
        assert!(
            owner == All || others.iter().all(|reach| *reach == No),
            "{:?}",
            row.capability
        );
        assert!(
            row.viewer == No || matches!(row.viewer, Look | All),
            "{:?}",
            row.capability
        );
    }
    // What changes something is nothing for those who only look.
    for capability in [
        Capability::ManageApiKeys,
        Capability::ManageMembers,
        Capability::ManageCredentials,
        Capability::ManagePresets,
        Capability::Buy,
    ] {
        assert!(!Standing::Person(Role::Viewer).may(capability));
    }
}
