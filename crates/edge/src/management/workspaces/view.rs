//! A workspace as clients know it.

use serde::Serialize;
use switchyard_app::workspaces::Workspace;
use switchyard_interchange::preferences::SortKey;
use utoipa::ToSchema;

/// All requests; nothing else is offered.
const EVERYTHING: u8 = 1;

#[derive(Serialize, ToSchema)]
pub(crate) struct WorkspaceAnswer<'a> {
    pub(super) data: WorkspaceView<'a>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct WorkspaceList<'a> {
    pub(super) data: Vec<WorkspaceView<'a>>,
    /// How many there are on all pages.
    pub(super) total_count: u64,
}

/// A part of an account with API keys, rules and credentials of its own.
#[derive(Serialize, ToSchema)]
#[schema(as = Workspace)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the wire format has four flags"
)]
pub(crate) struct WorkspaceView<'a> {
    id: String,
    name: &'a str,
    /// Stands for the id in paths.
    slug: &'a str,
    #[schema(required = true)]
    description: Option<&'a str>,
    /// RFC 3339, UTC.
    created_at: String,
    /// The person whose key made it.
    #[schema(required = true)]
    created_by: Option<String>,
    #[schema(required = true)]
    updated_at: Option<String>,
    /// Derived from the id; there is no such thing to be had yet.
    default_guardrail_id: String,
    #[schema(required = true, value_type = Option<String>)]
    default_text_model: Option<()>,
    #[schema(required = true, value_type = Option<String>)]
    default_image_model: Option<()>,
    /// What providers are sorted by where a request does not say: `price`, `throughput`, `latency`,
    /// `exacto` or `expected_cost`. A part of the workspace's standing policy.
    #[schema(required = true, value_type = Option<String>)]
    default_provider_sort: Option<SortKey>,
    #[schema(required = true, value_type = Option<Vec<i64>>)]
    io_logging_api_key_ids: Option<()>,
    /// 1 is all; nothing is logged unless it is switched on.
    #[schema(value_type = f64)]
    io_logging_sampling_rate: u8,
    is_observability_io_logging_enabled: bool,
    is_observability_broadcast_enabled: bool,
    is_data_discount_logging_enabled: bool,
    include_byok_in_budgets: bool,
    #[schema(required = true, value_type = Option<Vec<String>>)]
    disabled_server_tools: Option<()>,
}

impl<'a> WorkspaceView<'a> {
    pub(super) fn of(workspace: &'a Workspace) -> Self {
        let row = &workspace.row;
        Self {
            id: row.id.to_string(),
            name: &row.name,
            slug: &row.slug,
            description: row.description.as_deref(),
            created_at: row.created_at.to_rfc3339(),
            created_by: row.created_by.map(|person| person.to_string()),
            updated_at: row.updated_at.map(|at| at.to_rfc3339()),
            default_guardrail_id: format!("guardrail_{}", row.id.as_uuid().simple()),
            default_text_model: None,
            default_image_model: None,
            default_provider_sort: workspace.default_provider_sort,
            io_logging_api_key_ids: None,
            io_logging_sampling_rate: EVERYTHING,
            is_observability_io_logging_enabled: false,
            is_observability_broadcast_enabled: false,
            is_data_discount_logging_enabled: false,
            include_byok_in_budgets: false,
            disabled_server_tools: None,
        }
    }
}
