//! Who works in a workspace: `/workspaces/{id}/members`. Who belongs to the account:
//! `/organization/members`.

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use serde::{Deserialize, Serialize};
use switchyard_app::workspaces::{AccountPerson, Member, WorkspaceRole};
use switchyard_domain::tenancy::Role;
use switchyard_interchange::reply::PublicFailure;
use utoipa::ToSchema;

use super::{
    change::{Answer, Change},
    fields::{Fields, list as strings},
    page::page,
    workspaces::{NamePath, PageQuery, name_in, query},
};
use crate::{
    Edge,
    caller::{Authorized, cap},
    error,
    openapi::schemas::ErrorBody,
    reply::{Refusal, json},
};

#[derive(Serialize, ToSchema)]
pub(crate) struct MemberList {
    data: Vec<MemberView>,
    /// How many there are on all pages.
    total_count: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AddedMembers {
    data: Vec<MemberView>,
    added_count: usize,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RemovedMembers {
    removed_count: u64,
}

/// Somebody who works in a workspace.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkspaceMember)]
struct MemberView {
    id: String,
    workspace_id: String,
    user_id: String,
    /// `admin` or `member`.
    role: &'static str,
    /// RFC 3339, UTC.
    created_at: String,
}

impl MemberView {
    fn of(member: &Member) -> Self {
        let (workspace, person) = (member.workspace_id, member.person_id);
        Self {
            id: format!("{workspace}:{person}"),
            workspace_id: workspace.to_string(),
            user_id: person.to_string(),
            role: match member.role {
                WorkspaceRole::Admin => "admin",
                WorkspaceRole::Member => "member",
            },
            created_at: member.created_at.to_rfc3339(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PersonList<'a> {
    data: Vec<PersonView<'a>>,
    /// How many there are on all pages.
    total_count: u64,
}

/// Somebody of the account.
#[derive(Serialize, ToSchema)]
#[schema(as = OrganizationMember)]
struct PersonView<'a> {
    id: String,
    email: &'a str,
    /// The whole name; which part of it is which is not known.
    #[schema(required = true)]
    first_name: Option<&'a str>,
    #[schema(required = true, value_type = Option<String>)]
    last_name: Option<()>,
    /// `org:admin` or `org:member`.
    role: &'static str,
}

impl<'a> PersonView<'a> {
    fn of(person: &'a AccountPerson) -> Self {
        // Who gave no name is called by the address.
        let is_named = person.name != person.email;
        Self {
            id: person.id.to_string(),
            email: &person.email,
            first_name: is_named.then_some(&person.name),
            last_name: None,
            role: match person.role {
                Role::Owner | Role::Admin => "org:admin",
                Role::Billing | Role::Member | Role::Viewer => "org:member",
            },
        }
    }
}

/// People by id.
#[derive(ToSchema, Deserialize)]
#[schema(as = WorkspaceMembersRequest)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the wire and is never built")]
pub(crate) struct PeopleBody {
    /// 1 to 100 ids of people of the account.
    user_ids: Vec<String>,
}

pub(super) fn people(mut fields: Fields<'_>) -> Result<Vec<String>, PublicFailure> {
    let user_ids = fields.required("user_ids", strings(1..=100))?;
    fields.finish(&[])?;
    Ok(user_ids)
}

#[utoipa::path(
    get,
    path = "/api/v1/workspaces/{id}/members",
    operation_id = "listWorkspaceMembers",
    tag = "Management",
    summary = "Who works in a workspace",
    description = "In the default one everybody of the account does. Needs a management key.",
    params(("id" = String, Path, description = "The workspace's id or slug."), PageQuery),
    responses(
        (status = 200, description = "A page of them.", body = MemberList),
        (status = 400, description = "A parameter is wrong.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "The account has no such workspace.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn list(
    State(edge): State<Edge>,
    Authorized { caller, .. }: Authorized<cap::ManageMembers>,
    name: NamePath,
    uri: Uri,
) -> Result<Response, Refusal> {
    let name = name_in(name)?;
    let asked: PageQuery = query(&uri)?;
    let page = page(asked.offset.as_deref(), asked.limit.as_deref())?;
    let workspaces = edge.app.workspaces();
    let (members, total_count) = workspaces
        .members(caller.account_id(), &name, page)
        .await
        .map_err(|error| error::tenancy::workspace(&error))?;
    let data = members.iter().map(MemberView::of).collect();
    Ok(json(StatusCode::OK, &MemberList { data, total_count }))
}

#[utoipa::path(
    post,
    path = "/api/v1/workspaces/{id}/members/add",
    operation_id = "bulkAddWorkspaceMembers",
    tag = "Management",
    summary = "Lets people of the account work in a workspace",
    description = "As what they are in the account; all of them or none. Needs a management key.",
    params(("id" = String, Path, description = "The workspace's id or slug.")),
    request_body = PeopleBody,
    responses(
        (status = 200, description = "They are members.", body = AddedMembers),
        (status = 400, description = "A field is wrong, or it is the default workspace, where \
                                      everybody works.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "The account has no such workspace.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn add(
    State(edge): State<Edge>,
    name: NamePath,
    change: Change<cap::ManageMembers>,
) -> Result<Response, Refusal> {
    let name = name_in(name)?;
    let user_ids = people(change.fields()?)?;
    let app = edge.app.clone();
    change
        .once(&edge, async move |by| {
            let added = app.workspaces().add_members(&by, &name, &user_ids).await;
            let added = added.map_err(|error| error::tenancy::workspace(&error))?;
            let data: Vec<_> = added.iter().map(MemberView::of).collect();
            let added_count = data.len();
            let body = AddedMembers { data, added_count };
            Ok(Answer::json(StatusCode::OK, &body))
        })
        .await
}

#[utoipa::path(
    post,
    path = "/api/v1/workspaces/{id}/members/remove",
    operation_id = "bulkRemoveWorkspaceMembers",
    tag = "Management",
    summary = "Ends people's work in a workspace",
    description = "All of them or none: whoever has API keys there stays. Needs a management key.",
    params(("id" = String, Path, description = "The workspace's id or slug.")),
    request_body = PeopleBody,
    responses(
        (status = 200, description = "How many were members.", body = RemovedMembers),
        (status = 400, description = "A field is wrong, somebody has API keys there, or it is the \
                                      default workspace.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "The account has no such workspace.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn remove(
    State(edge): State<Edge>,
    name: NamePath,
    change: Change<cap::ManageMembers>,
) -> Result<Response, Refusal> {
    let name = name_in(name)?;
    let user_ids = people(change.fields()?)?;
    let app = edge.app.clone();
    change
        .once(&edge, async move |by| {
            let removed = app.workspaces().remove_members(&by, &name, &user_ids);
            let removed_count = removed
                .await
                .map_err(|error| error::tenancy::workspace(&error))?;
            Ok(Answer::json(
                StatusCode::OK,
                &RemovedMembers { removed_count },
            ))
        })
        .await
}

#[utoipa::path(
    get,
    path = "/api/v1/organization/members",
    operation_id = "listOrganizationMembers",
    tag = "Management",
    summary = "The people of an organization",
    description = "Needs a management key.",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of them.", body = PersonList),
        (status = 400, description = "A parameter is wrong.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "The account is personal.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn organization(
    State(edge): State<Edge>,
    Authorized { caller, .. }: Authorized<cap::ManageMembers>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let asked: PageQuery = query(&uri)?;
    let page = page(asked.offset.as_deref(), asked.limit.as_deref())?;
    let organizations = edge.app.organizations();
    let is_organization = organizations.is_organization(caller.account_id()).await;
    if !is_organization.map_err(|error| error::unreadable(&error))? {
        return Err(error::tenancy::no_organization().into());
    }
    let workspaces = edge.app.workspaces();
    let (people, total_count) = workspaces
        .people(caller.account_id(), page)
        .await
        .map_err(|error| error::tenancy::workspace(&error))?;
    let data = people.iter().map(PersonView::of).collect();
    Ok(json(StatusCode::OK, &PersonList { data, total_count }))
}
