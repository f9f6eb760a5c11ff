//! Programs that ask people for keys: `/auth/keys/code` makes a code, `/auth/keys` exchanges it. The
//! page on which people agree is the console's.

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::Body,
    extract::{ConnectInfo, State},
    http::{HeaderMap, HeaderValue, StatusCode, header::CACHE_CONTROL},
    response::Response,
};
use serde::{Deserialize, Serialize};
use switchyard_app::oauth::{
    ChallengeMethod, ExchangeError, GrantError, GrantRequest, GrantRequestError, Presented,
};
use switchyard_domain::{clock::ResetInterval, id::WorkspaceId, secret::Secret};
use switchyard_interchange::reply::PublicFailure;
use utoipa::ToSchema;

use crate::{
    Edge, body,
    caller::cap,
    error,
    limits::MANAGEMENT_BODY_BYTES_MAX,
    management::{
        change::{Answer, Change},
        fields::{Fields, instant_in_utc, one_of, text, usd},
    },
    openapi::schemas::ErrorBody,
    reply::{Refusal, json},
};

const TEXT_CHARS_MAX: usize = 2_000;

const METHODS: &[(&str, ChallengeMethod)] = &[
    ("S256", ChallengeMethod::S256),
    ("plain", ChallengeMethod::Plain),
];

const INTERVALS: &[(&str, ResetInterval)] = &[
    ("daily", ResetInterval::Daily),
    ("weekly", ResetInterval::Weekly),
    ("monthly", ResetInterval::Monthly),
];

/// What a program presents.
#[derive(ToSchema, Deserialize)]
#[schema(as = AuthCodeExchange)]
#[expect(dead_code, reason = "describes the wire and is never built")]
pub(crate) struct ExchangeBody {
    /// The code that the program was given.
    code: String,
    /// What the challenge was made of: 43 to 128 unreserved characters.
    code_verifier: Option<String>,
    /// `S256` or `plain`: as it was when the code was made.
    code_challenge_method: Option<String>,
    /// Where the code was sent. Compared if it is given; the port of an address on the person's own
    /// machine may differ.
    callback_url: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AuthCodeKey)]
pub(crate) struct ExchangeAnswer<'a> {
    /// The API key. It is not shown again.
    key: &'a str,
    /// Whose it is.
    #[schema(required = true)]
    user_id: Option<String>,
}

/// A code to be made.
#[derive(ToSchema, Deserialize)]
#[schema(as = NewAuthCode)]
#[expect(dead_code, reason = "describes the wire and is never built")]
pub(crate) struct CodeBody {
    /// `https`, or `http` on `localhost` or `127.0.0.1` at any port.
    callback_url: String,
    /// The verifier's SHA-256 in base64url without padding.
    code_challenge: Option<String>,
    /// `S256`, which is also what is taken where it is not given.
    code_challenge_method: Option<String>,
    /// What the key will be called, at most 100 characters.
    key_label: Option<String>,
    /// What the key may spend, in US dollars.
    limit: Option<f64>,
    /// How often spending starts from zero: `daily`, `weekly` or `monthly`. Needs a limit.
    usage_limit_type: Option<String>,
    /// Until when the key works, in UTC.
    #[schema(example = "2026-12-31T23:59:59Z")]
    expires_at: Option<String>,
    /// Where the key will live; the default workspace where it is not given.
    workspace_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AuthCodeAnswer)]
pub(crate) struct CodeAnswer<'a> {
    data: CodeView<'a>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AuthCode)]
struct CodeView<'a> {
    /// The code, to be exchanged within 10 minutes. It is not shown again.
    id: &'a str,
    /// The program, by where its callback is.
    app_id: i64,
    /// RFC 3339, UTC.
    created_at: String,
}

#[utoipa::path(
    post,
    path = "/api/v1/auth/keys",
    operation_id = "exchangeAuthCodeForAPIKey",
    tag = "Account",
    summary = "Exchange a code for an API key",
    description = "No key is needed. A code works once and for 10 minutes. Whoever exchanges it a \
                   second time gets nothing, and the key that it made is deleted: somebody else has it.",
    request_body = ExchangeBody,
    responses(
        (status = 200, description = "The key.", body = ExchangeAnswer),
        (status = 400, description = "The body is wrong, or the method is not that of the code.",
            body = ErrorBody),
        (status = 403, description = "The code or its verifier is not valid, or its time is over.",
            body = ErrorBody),
        (status = 405, description = "Not with this method.", body = ErrorBody),
        (status = 413, description = "The body is too large.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    ),
    security(())
)]
pub(crate) async fn exchange(
    State(edge): State<Edge>,
    peer: Option<axum::Extension<ConnectInfo<IpAddr>>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let body = Secret::new(
        body::read(&headers, body, MANAGEMENT_BODY_BYTES_MAX)
            .await?
            .to_vec(),
    );
    let mut presented = presented(Fields::of(body.expose())?)?;
    presented.ip = peer.map(|axum::Extension(ConnectInfo(ip))| ip.to_string());
    let app = Arc::clone(&edge.app);
    let exchanged = edge
        .app
        .see_through(async move { app.exchange_code(presented).await });
    let exchanged = exchanged.await.ok_or_else(error::internal)?;
    let exchanged = exchanged.map_err(|error| not_exchanged(&error))?;
    let answer = ExchangeAnswer {
        key: exchanged.text.expose(),
        user_id: exchanged.person.map(|person| person.to_string()),
    };
    let mut response = json(StatusCode::OK, &answer);
    let never = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, never);
    Ok(response)
}

#[utoipa::path(
    post,
    path = "/api/v1/auth/keys/code",
    operation_id = "createAuthKeysCode",
    tag = "Management",
    summary = "Make a code that a program exchanges for an API key",
    description = "Needs a management key. What the key will be is fixed here.",
    params(("idempotency-key" = Option<String>, Header,
        description = "The same key with the same body gets the same answer for 24 hours.")),
    request_body = CodeBody,
    responses(
        (status = 200, description = "The code.", body = CodeAnswer),
        (status = 400, description = "A field is wrong, unknown, or not the caller's to set.",
            body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "No such workspace.", body = ErrorBody),
        (status = 409, description = "The `Idempotency-Key` is in use.", body = ErrorBody),
        (status = 413, description = "The body is too large.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn create(
    State(edge): State<Edge>,
    change: Change<cap::ManageApiKeys>,
) -> Result<Response, Refusal> {
    let (request, workspace) = wanted(change.fields()?)?;
    let account = change.actor.account_id();
    let workspaces = edge.app.workspaces();
    let workspace = match workspace {
        Some(id) => workspaces.expect(account, id).await,
        None => workspaces.default_of(account).await,
    };
    let workspace = workspace.map_err(|error| error::tenancy::workspace(&error))?;
    let app = Arc::clone(&edge.app);
    let (allow_plain, now) = (app.oauth().allows_plain(), app.clock().now());
    let place = (account, workspace);
    let grant = request
        .checked(place, change.actor.person(), allow_plain, now)
        .map_err(|error| bad_request(&error))?;
    let work = async move |actor| {
        let made = app.grant_code(&actor, grant).await;
        let made = made.map_err(|error| not_granted(&error))?;
        let data = CodeView {
            id: made.text.expose(),
            app_id: made.app,
            created_at: made.created_at.to_rfc3339(),
        };
        Ok(Answer::json(StatusCode::OK, &CodeAnswer { data }))
    };
    change.once(&edge, work).await
}

/// What the caller of `/auth/keys/code` wants, and where.
pub(crate) fn wanted(
    mut fields: Fields<'_>,
) -> Result<(GrantRequest, Option<WorkspaceId>), PublicFailure> {
    let long = || text(1..=TEXT_CHARS_MAX);
    let request = GrantRequest {
        callback_url: Some(fields.required("callback_url", long())?),
        code_challenge: fields.optional("code_challenge", long())?,
        code_challenge_method: fields.optional("code_challenge_method", long())?,
        key_label: fields.optional("key_label", text(1..=100))?,
        limit: fields.optional("limit", usd)?,
        reset: fields.optional("usage_limit_type", one_of(INTERVALS))?,
        expires_at: fields.optional("expires_at", instant_in_utc)?,
    };
    let workspace = fields.optional("workspace_id", long())?;
    fields.finish(&[])?;
    let workspace = workspace.map(|text| text.parse());
    let workspace = workspace.transpose();
    Ok((
        request,
        workspace.map_err(|_| error::management::no_such_workspace())?,
    ))
}

/// Fields that nobody here knows are let be: programs send this, and wrote it for others.
fn presented(mut fields: Fields<'_>) -> Result<Presented, PublicFailure> {
    let secret = || text(1..=TEXT_CHARS_MAX);
    Ok(Presented {
        code: Secret::new(fields.required("code", secret())?),
        verifier: fields.optional("code_verifier", secret())?.map(Secret::new),
        method: fields.optional("code_challenge_method", one_of(METHODS))?,
        callback_url: fields.optional("callback_url", secret())?,
        ip: None,
    })
}

fn bad_request(error: &GrantRequestError) -> PublicFailure {
    error::bad_field(error.field, error.message)
}

fn not_granted(error: &GrantError) -> PublicFailure {
    match error {
        GrantError::NoSuchWorkspace => error::management::no_such_workspace(),
        GrantError::Directory(source) => error::unreadable(source),
        GrantError::Random(source) => {
            tracing::error!(
                error = source as &dyn std::error::Error,
                "no code can be made"
            );
            error::internal()
        }
    }
}

fn not_exchanged(error: &ExchangeError) -> PublicFailure {
    match error {
        ExchangeError::OtherMethod => error::bad_field(
            "code_challenge_method",
            "is not the one that the code was made with",
        ),
        ExchangeError::Invalid => error::refused_code("The code or its verifier is not valid."),
        ExchangeError::Over => {
            error::refused_code("The code was used already, or is older than 10 minutes.")
        }
        ExchangeError::Directory(source) => error::unreadable(source),
        ExchangeError::Random(source) => {
            tracing::error!(
                error = source as &dyn std::error::Error,
                "a key cannot be made"
            );
            error::internal()
        }
    }
}
