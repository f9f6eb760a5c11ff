//! Pages about the account itself: who belongs to it, what it is called, its workspaces, its log, and the
//! programs that ask for its keys.

use axum::routing::{get, post};
use switchyard_domain::authority::Capability;

use super::{Needs, Room, room};
use crate::pages;

pub(super) fn rooms() -> Vec<Room> {
    let mut rooms = organization();
    rooms.extend(settings());
    rooms.extend(workspaces());
    rooms.extend(audit());
    rooms.extend(programs());
    rooms
}

/// Who belongs to the account, and how they come to.
fn organization() -> Vec<Room> {
    use Needs::{May, Nothing, SignIn};
    use pages::members::{self, change, invitation, organization};
    let manages = May(Capability::ManageMembers);
    vec![
        room("/members", manages, get(members::list)),
        room("/members/invite", manages, post(invitation::invite)).dangerous(),
        room(
            "/members/invitations/{id}/resend",
            manages,
            post(invitation::resend),
        )
        .dangerous(),
        room(
            "/members/invitations/{id}/withdraw",
            manages,
            post(invitation::withdraw),
        ),
        room(
            "/members/{person}/role",
            May(Capability::ChangeRoles),
            post(change::role),
        )
        .dangerous(),
        room(
            "/members/{person}/remove",
            manages,
            get(change::ask_removal).post(change::remove),
        )
        .dangerous(),
        room(
            "/organizations/new",
            SignIn,
            get(organization::ask).post(organization::make),
        ),
        room(
            "/invitations/{token}",
            Nothing,
            get(invitation::look).post(invitation::accept),
        )
        .writes(SignIn),
    ]
}

/// What somebody is called, looks at and leaves.
fn settings() -> Vec<Room> {
    use Needs::{May, SignIn};
    use pages::settings::{self, leave, place};
    vec![
        room("/settings", SignIn, get(settings::show)),
        room("/settings/profile", SignIn, post(settings::rename)),
        room(
            "/settings/account",
            May(Capability::ManageMembers),
            post(settings::rename_account),
        ),
        room(
            "/settings/workspace",
            SignIn,
            get(place::ask).post(place::choose),
        ),
        room(
            "/settings/leave",
            SignIn,
            get(leave::ask).post(leave::leave),
        )
        .dangerous(),
    ]
}

/// Walls between parts of an account.
fn workspaces() -> Vec<Room> {
    use pages::workspaces::{self, one};
    let manages = Needs::May(Capability::ManageWorkspaces);
    vec![
        room("/workspaces", Needs::SignIn, get(workspaces::list)),
        room(
            "/workspaces/new",
            manages,
            get(workspaces::ask).post(workspaces::make),
        ),
        room(
            "/workspaces/{name}",
            Needs::SignIn,
            get(one::show).post(one::change),
        )
        .writes(manages),
        room("/workspaces/{name}/add-member", manages, post(one::add)).dangerous(),
        room(
            "/workspaces/{name}/remove-member",
            manages,
            post(one::remove),
        )
        .dangerous(),
        room(
            "/workspaces/{name}/delete",
            manages,
            get(one::ask_deletion).post(one::delete),
        )
        .dangerous(),
    ]
}

/// Who did what.
fn audit() -> Vec<Room> {
    use pages::audit::{self, export};
    let reads = Needs::May(Capability::ReadAudit);
    vec![
        room("/audit", reads, get(audit::show)),
        room("/audit/export.csv", reads, get(export::csv)),
        room("/audit/export.json", reads, get(export::json)),
    ]
}

/// Programs that ask for keys.
fn programs() -> Vec<Room> {
    let makes_keys = Needs::May(Capability::ManageApiKeys);
    use pages::authorize;
    vec![
        room(
            "/auth",
            makes_keys,
            get(authorize::ask).post(authorize::agree),
        )
        .dangerous(),
    ]
}
