//! Every page, on one page, with what it takes to see it and to send something to it.

mod account;

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
    rooms.extend(proving());
    rooms.extend(security());
    rooms.extend(overview());
    rooms.extend(account::rooms());
    rooms.extend(keys());
    rooms.extend(provider_keys());
    rooms.extend(rules());
    rooms.extend(traffic());
    rooms.extend(models());
    rooms.extend(onboarding());
    rooms.extend(chat());
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

/// Signing up and in.
fn proving() -> Vec<Room> {
    use Needs::{Nothing, SignIn};
    use pages::sign_in::{code, confirm, login, passkey, reset, sign_up, verify};
    vec![
        room("/signup", Nothing, get(sign_up::ask).post(sign_up::sign_up)),
        room("/signup/sent", Nothing, get(sign_up::sent)),
        room("/signup/resend", Nothing, post(sign_up::resend)),
        room(
            "/verify/{token}",
            Nothing,
            get(verify::look).post(verify::confirm),
        ),
        room("/login", Nothing, get(login::ask).post(login::sign_in)),
        room("/login/code", Nothing, get(code::ask).post(code::sign_in)),
        room("/login/passkey", Nothing, post(passkey::sign_in)),
        room("/login/passkey/start", Nothing, post(passkey::start)),
        room("/reset", Nothing, get(reset::ask).post(reset::send)),
        room(
            "/reset/{token}",
            Nothing,
            get(reset::look).post(reset::choose),
        ),
        room("/confirm", SignIn, get(confirm::ask).post(confirm::confirm)),
        room("/confirm/passkey", SignIn, post(confirm::with_passkey)),
        room("/demo/mail", Nothing, get(pages::demo_mail::show)),
    ]
}

/// What guards somebody's account.
fn security() -> Vec<Room> {
    use Needs::SignIn;
    use pages::security::{self, authenticator, passkeys, password, sessions};
    vec![
        room("/settings/security", SignIn, get(security::show)),
        room(
            "/settings/security/sessions",
            SignIn,
            get(sessions::back).post(sessions::end),
        ),
        room(
            "/settings/security/password",
            SignIn,
            get(password::ask).post(password::change),
        ),
        room(
            "/settings/security/authenticator",
            SignIn,
            get(authenticator::show).post(authenticator::change),
        )
        .dangerous(),
        room(
            "/settings/security/passkeys",
            SignIn,
            get(sessions::back).post(passkeys::add),
        )
        .dangerous(),
        room(
            "/settings/security/passkeys/{id}",
            SignIn,
            get(passkeys::show).post(passkeys::change),
        )
        .dangerous(),
    ]
}

/// What there is to call: for anybody to see.
fn models() -> Vec<Room> {
    use Needs::Nothing;
    vec![
        room("/models", Nothing, get(pages::models::list)),
        room("/models/compare", Nothing, get(pages::models::compare)),
        room("/models/{author}/{slug}", Nothing, get(pages::models::one)),
    ]
}

/// From signing up to a first answer.
fn onboarding() -> Vec<Room> {
    let manage = Needs::May(Capability::ManageApiKeys);
    let start = get(pages::onboarding::show).post(pages::onboarding::make_key);
    vec![
        room("/start", Needs::SignIn, start)
            .writes(manage)
            .dangerous(),
        room(
            "/start/first-request",
            Needs::SignIn,
            get(pages::onboarding::first_request),
        ),
    ]
}

/// Asking models by hand.
fn chat() -> Vec<Room> {
    let infer = Needs::May(Capability::Infer);
    vec![
        room("/chat", infer, get(pages::chat::show)),
        room("/chat/completions", infer, post(pages::chat::ask)),
        room("/chat/rendered", infer, post(pages::chat::render)),
        room("/chat/answers/{id}", infer, get(pages::chat::answer)),
        room("/chat/total", infer, get(pages::chat::total)),
    ]
}

/// What is seen first.
fn overview() -> Vec<Room> {
    vec![
        room("/", Needs::Nothing, get(pages::landing::first)),
        room("/kit", Needs::Nothing, get(pages::kit::show)),
    ]
}

/// API keys. Where one comes or goes it takes a fresh proof.
fn keys() -> Vec<Room> {
    use pages::keys::{bulk, create, list, one, remove, rotate};
    let needs = Needs::May(Capability::ManageApiKeys);
    let manages = Needs::May(Capability::ManageManagementKeys);
    vec![
        room("/keys", needs, get(list::show)),
        room("/keys/bulk", needs, post(bulk::act)).dangerous(),
        room("/keys/new", needs, get(create::ask).post(create::make)).dangerous(),
        room(
            "/keys/new/management",
            manages,
            get(create::ask_management).post(create::make_management),
        )
        .dangerous(),
        room("/keys/{hash}", needs, get(one::show).post(one::change)),
        room("/keys/{hash}/switch", needs, post(one::switch)),
        room(
            "/keys/{hash}/delete",
            needs,
            get(remove::ask).post(remove::remove),
        )
        .dangerous(),
        room(
            "/keys/{hash}/rotate",
            needs,
            get(rotate::ask).post(rotate::rotate),
        )
        .dangerous(),
    ]
}

/// What happened.
fn traffic() -> Vec<Room> {
    let activity = Needs::May(Capability::ReadActivity);
    let generations = Needs::May(Capability::ReadGenerations);
    vec![
        room("/activity", activity, get(pages::activity::show)),
        room(
            "/billing",
            Needs::May(Capability::Buy),
            get(pages::billing::show),
        ),
        room("/activity/export", activity, get(pages::activity::download)),
        room("/sessions", generations, get(pages::sessions::list)),
        room("/sessions/{id}", generations, get(pages::sessions::one)),
        room(
            "/notifications",
            Needs::SignIn,
            get(pages::notifications::show).post(pages::notifications::mark),
        ),
        room("/logs", generations, get(pages::logs::show)),
        room("/logs/tail", generations, get(pages::logs::follow)),
        room("/logs/export", generations, get(pages::logs::download)),
        room("/logs/{id}", generations, get(pages::generation::show)),
        room(
            "/logs/{id}/receipt",
            generations,
            get(pages::generation::receipt),
        ),
        room(
            "/logs/{id}/feedback",
            generations,
            post(pages::generation::tell),
        ),
    ]
}

/// Provider keys. What takes a secret or destroys one takes a fresh proof.
fn provider_keys() -> Vec<Room> {
    use pages::credentials::{add, grid, one, provider, remove};
    let needs = Needs::May(Capability::ManageCredentials);
    vec![
        room("/byok", needs, get(grid::show)),
        room("/byok/{provider}", needs, get(provider::show)),
        room("/byok/{provider}/order", needs, post(provider::order)),
        room(
            "/byok/{provider}/new",
            needs,
            get(add::ask).post(add::store),
        )
        .dangerous(),
        room(
            "/byok/{provider}/{id}",
            needs,
            get(one::show).post(one::change),
        ),
        room("/byok/{provider}/{id}/switch", needs, post(one::switch)),
        room("/byok/{provider}/{id}/check", needs, post(one::check)),
        room("/byok/{provider}/{id}/secret", needs, post(one::replace)).dangerous(),
        room(
            "/byok/{provider}/{id}/delete",
            needs,
            get(remove::ask).post(remove::remove),
        )
        .dangerous(),
    ]
}

/// Standing rules.
fn rules() -> Vec<Room> {
    let needs = Needs::May(Capability::ManagePrivacy);
    vec![room(
        "/privacy",
        needs,
        get(pages::privacy::show).post(pages::privacy::change),
    )]
}
