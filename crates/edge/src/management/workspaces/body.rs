//! What clients say of a workspace. Fields that nothing here heeds yet are taken with the value that
//! changes nothing, so that a client may send an answer's values back; any other value is refused,
//! because it would seem to hold.

use serde::Deserialize;
use serde_json::value::RawValue;
use switchyard_app::workspaces::{WorkspaceDraft, WorkspaceEdit};
use switchyard_interchange::reply::PublicFailure;
use utoipa::ToSchema;

use super::super::fields::{Fields, Problem, text};

/// What only the service sets.
const OWNED: &[&str] = &[
    "id",
    "created_at",
    "created_by",
    "updated_at",
    "default_guardrail_id",
    "include_byok_in_budgets",
    "total_count",
];

/// A workspace to be made.
#[derive(ToSchema, Deserialize)]
#[schema(as = CreateWorkspaceRequest)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the wire and is never built")]
pub(crate) struct NewWorkspaceBody {
    /// 1 to 100 characters.
    #[schema(example = "Team A")]
    name: String,
    /// At most 50 small letters and digits with single hyphens between them; of its account's only
    /// one has it.
    #[schema(example = "team-a")]
    slug: String,
    /// At most 500 characters.
    description: Option<String>,
    /// `price`, `throughput`, `latency`, `exacto` or `expected_cost`.
    default_provider_sort: Option<String>,
    /// Not offered yet: `null`.
    default_text_model: Option<String>,
    /// Not offered yet: `null`.
    default_image_model: Option<String>,
    /// Not offered yet: `null`.
    io_logging_api_key_ids: Option<Vec<i64>>,
    /// Not offered yet: 1.
    #[schema(nullable = false)]
    io_logging_sampling_rate: Option<f64>,
    /// Not offered yet: `false`.
    #[schema(nullable = false)]
    is_observability_io_logging_enabled: Option<bool>,
    /// Not offered yet: `false`.
    #[schema(nullable = false)]
    is_observability_broadcast_enabled: Option<bool>,
    /// Not offered yet: `false`.
    #[schema(nullable = false)]
    is_data_discount_logging_enabled: Option<bool>,
    /// Not offered yet: `null` or an empty list.
    disabled_server_tools: Option<Vec<String>>,
}

/// A change to a workspace.
#[derive(ToSchema, Deserialize)]
#[schema(as = UpdateWorkspaceRequest)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the wire and is never built")]
pub(crate) struct WorkspaceEditBody {
    /// 1 to 100 characters.
    #[schema(nullable = false)]
    name: Option<String>,
    /// At most 50 small letters and digits with single hyphens between them.
    #[schema(nullable = false)]
    slug: Option<String>,
    /// At most 500 characters.
    description: Option<String>,
    /// `price`, `throughput`, `latency`, `exacto` or `expected_cost`.
    default_provider_sort: Option<String>,
    /// Not offered yet: `null`.
    default_text_model: Option<String>,
    /// Not offered yet: `null`.
    default_image_model: Option<String>,
    /// Not offered yet: `null`.
    io_logging_api_key_ids: Option<Vec<i64>>,
    /// Not offered yet: 1.
    #[schema(nullable = false)]
    io_logging_sampling_rate: Option<f64>,
    /// Not offered yet: `false`.
    #[schema(nullable = false)]
    is_observability_io_logging_enabled: Option<bool>,
    /// Not offered yet: `false`.
    #[schema(nullable = false)]
    is_observability_broadcast_enabled: Option<bool>,
    /// Not offered yet: `false`.
    #[schema(nullable = false)]
    is_data_discount_logging_enabled: Option<bool>,
    /// Not offered yet: `null` or an empty list.
    disabled_server_tools: Option<Vec<String>>,
}

pub(in crate::management) fn draft(
    mut fields: Fields<'_>,
) -> Result<WorkspaceDraft, PublicFailure> {
    let draft = WorkspaceDraft {
        name: fields.required("name", text(1..=usize::MAX))?,
        slug: fields.required("slug", words)?,
        description: fields.optional("description", words)?,
        default_provider_sort: fields.optional("default_provider_sort", words)?,
    };
    finish(fields)?;
    Ok(draft)
}

pub(in crate::management) fn edit(mut fields: Fields<'_>) -> Result<WorkspaceEdit, PublicFailure> {
    let edit = WorkspaceEdit {
        name: fields.replacement("name", text(1..=usize::MAX))?,
        slug: fields.replacement("slug", words)?,
        description: fields.patch("description", words)?,
        default_provider_sort: fields.patch("default_provider_sort", words)?,
    };
    finish(fields)?;
    Ok(edit)
}

/// A string; what is wrong with it is told by whoever knows what it is for.
fn words(value: &RawValue) -> Result<String, Problem> {
    serde_json::from_str(value.get()).map_err(|_| "must be a string".into())
}

fn finish(mut fields: Fields<'_>) -> Result<(), PublicFailure> {
    for name in [
        "default_text_model",
        "default_image_model",
        "io_logging_api_key_ids",
    ] {
        fields.optional(name, |_| not_offered("null"))?;
    }
    for name in [
        "is_observability_io_logging_enabled",
        "is_observability_broadcast_enabled",
        "is_data_discount_logging_enabled",
    ] {
        fields.replacement(name, |value| match value.get() {
            "false" => Ok(()),
            _ => not_offered("false"),
        })?;
    }
    fields.replacement("io_logging_sampling_rate", |value| {
        match value.get().parse::<f64>() {
            Ok(rate) if (rate - 1.0).abs() < f64::EPSILON => Ok(()),
            _ => not_offered("1"),
        }
    })?;
    fields.optional(
        "disabled_server_tools",
        |value| match serde_json::from_str::<[(); 0]>(value.get()) {
            Ok([]) => Ok(()),
            Err(_) => not_offered("null"),
        },
    )?;
    fields.finish(OWNED)
}

fn not_offered(neutral: &str) -> Result<(), Problem> {
    Err(format!("is not offered yet: leave it out, or give {neutral}").into())
}

#[cfg(test)]
mod tests {
    use switchyard_domain::patch::Patch;

    use super::*;

    fn refused(body: &str) -> Option<String> {
        let outcome = Fields::of(body.as_bytes()).and_then(edit);
        outcome.err().map(|failure| {
            assert_eq!(failure.status, 400);
            failure.message
        })
    }

    #[test]
    fn what_nothing_heeds_is_taken_with_its_neutral_value_only() {
        for (field, neutral, other) in [
            ("default_text_model", "null", r#""acme/one""#),
            ("default_image_model", "null", r#""""#),
            ("io_logging_api_key_ids", "null", "[]"),
            ("io_logging_sampling_rate", "1", "0.5"),
            ("io_logging_sampling_rate", "1.0", r#""1""#),
            ("is_observability_io_logging_enabled", "false", "true"),
            ("is_observability_broadcast_enabled", "false", "0"),
            ("is_data_discount_logging_enabled", "false", "null"),
            ("disabled_server_tools", "[]", r#"["openrouter:bash"]"#),
            ("disabled_server_tools", "null", "{}"),
        ] {
            assert_eq!(refused(&format!(r#"{{"{field}":{neutral}}}"#)), None);
            let told = refused(&format!(r#"{{"{field}":{other}}}"#)).expect("refused");
            assert!(told.starts_with(&format!("`{field}` ")), "{told}");
        }
    }

    #[test]
    fn t16_nobody_sets_what_the_service_sets() {
        for field in OWNED {
            let told = refused(&format!(r#"{{"{field}":"x"}}"#)).expect("refused");
            assert!(told.contains("is set by the service"), "{told}");
        }
        for field in ["account_id", "is_default", "members", "deleted_at"] {
            let told = refused(&format!(r#"{{"{field}":"x"}}"#)).expect("refused");
            assert!(told.contains("is not known here"), "{told}");
        }
    }

    #[test]
    fn a_change_keeps_what_it_does_not_mention() {
        let body = br#"{"slug":"b","description":null}"#;
        let edit = Fields::of(body).and_then(edit).expect("a change");
        assert_eq!((edit.name, edit.slug.as_deref()), (None, Some("b")));
        assert_eq!(edit.description, Patch::Clear);
        assert_eq!(edit.default_provider_sort, Patch::Keep);
        for field in ["name", "slug"] {
            let told = refused(&format!(r#"{{"{field}":null}}"#)).expect("refused");
            assert!(told.contains("must not be null"), "{told}");
        }
        let missing = Fields::of(br#"{"name":"x"}"#).and_then(draft);
        let told = missing.expect_err("refused").message;
        assert!(told.contains("`slug` is missing"), "{told}");
    }
}
