//! Every page, on one page, with what it takes to see it and to send something to it.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::from_fn_with_state,
    routing::{MethodRouter, get, post},
};
use switchyard_domain::authority::Capability;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};

use crate::{Console, assets, frame, pages, visit};

/// The longest form, in bytes.
const FORM_BYTES_MAX: usize = 1 << 20;

/// What it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: anybody may.
    Nothing,
    /// Being signed in.
    SignIn,
    /// Being signed in, and the capability.
    May(Capability),
}

/// One path with its methods and what they take.
#[derive(Clone)]
pub(crate) struct Room {
    path: &'static str,
    methods: MethodRouter<Console>,
    pub(crate) read: Needs,
    pub(crate) write: Needs,
    /// Whether sending something takes a fresh proof of who one is.
    pub(crate) is_dangerous: bool,
}

fn room(path: &'static str, needs: Needs, methods: MethodRouter<Console>) -> Room {
    Room {
        path,
        methods,
        read: needs,
        write: needs,
        is_dangerous: false,
    }
}

impl Room {
    /// The same, where sending something takes more than looking.
    fn writes(mut self, needs: Needs) -> Self {
        self.write = needs;
        self
    }

    /// The same, where sending something takes a fresh proof.
    fn dangerous(mut self) -> Self {
        self.is_dangerous = true;
        self
    }
}

/// The pages.
pub fn router(console: Console) -> Router {
    let mut router = Router::new();
    for room in rooms() {
        let (path, methods) = (room.path, room.methods.clone());
        let door = from_fn_with_state((console.clone(), room), visit::enter);
        router = router.route(path, methods.layer(door));
    }
    let frame = from_fn_with_state(console.clone(), frame::surround);
    let fence = CatchPanicLayer::custom(frame::after_panic);
    router
        .route("/assets/{hash}/{name}", get(assets::one))
        .fallback(pages::not_found)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(fence)
        .layer(frame)
        .layer(CompressionLayer::new().gzip(true))
        .with_state(console)
}

/// What it takes to see a page, for whoever checks that it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Door {
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// What looking takes; `None` is nothing.
    pub read: Option<Key>,
    /// What sending something takes; `None` is nothing.
    pub write: Option<Key>,
}

/// What opens a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Being signed in.
    SignIn,
    /// Being signed in, and the capability.
    May(Capability),
}

impl Needs {
    const fn key(self) -> Option<Key> {
        match self {
            Self::Nothing => None,
            Self::SignIn => Some(Key::SignIn),
            Self::May(capability) => Some(Key::May(capability)),
        }
    }
}

/// Every page's door.
pub fn doors() -> Vec<Door> {
    let rooms = rooms().into_iter();
    rooms
        .map(|room| Door {
            path: room.path,
            read: room.read.key(),
            write: room.write.key(),
        })
        .collect()
}

fn rooms() -> Vec<Room> {
    let mut rooms = Vec::new();
    rooms.extend(signing_in());
    rooms.extend(overview());
    rooms.extend(organization());
    rooms.extend(settings());
    rooms.extend(workspaces());
    rooms.extend(audit());
    rooms.extend(programs());
    rooms
}

/// Before and around a session.
fn signing_in() -> Vec<Room> {
    use Needs::{Nothing, SignIn};
    vec![
        room(
            "/sign-in/{token}",
            Nothing,
            get(pages::sign_in_link::look).post(pages::sign_in_link::follow),
        ),
        room(
            "/logout",
            SignIn,
            get(pages::sign_out::ask).post(pages::sign_out::leave),
        ),
        room("/settings/theme", Nothing, post(pages::theme::choose)),
    ]
}

/// What is seen first.
fn overview() -> Vec<Room> {
    vec![
        room("/", Needs::SignIn, get(pages::overview::show)),
        room("/kit", Needs::Nothing, get(pages::kit::show)),
    ]
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
