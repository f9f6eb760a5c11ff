//! Rows of `models.json`.

use std::sync::Arc;

use serde_json::value::{RawValue, to_raw_value};
use switchyard_domain::{
    clock::Timestamp,
    model::{Modalities, Modality, ModelId, Parameter, Parameters},
};

use super::{blocked_countries, is_model_id, known_names};
use crate::{
    document::parse_day,
    findings::shorten,
    reader::Reader,
    snapshot::{Model, ReasoningSupport},
};

/// Unix seconds that no model's publication reaches: the year 5138. Milliseconds do.
const CREATED_MAX: i64 = 99_999_999_999;

pub(super) fn read(row: &Reader<'_>) -> Option<Model> {
    let id = row.required_text("id")?;
    if !is_model_id(&id) {
        row.fault(
            "id",
            "is not of the form `author/slug` or `author/slug:variant`",
            "use letters, digits, `.`, `-` and `_`",
        );
    }
    let expiration_date = row.text("expiration_date");
    let architecture = row.object("architecture");
    let architecture = architecture.as_ref();
    Some(Model {
        canonical_slug: row.text("canonical_slug").unwrap_or_else(|| id.clone()),
        name: row.text("name").unwrap_or_else(|| id.clone()),
        author: author(row, &id),
        free: free(row, &id),
        description: row.text("description"),
        created: created(row),
        context_length: row.limit("context_length"),
        max_completion_tokens: row.limit("max_completion_tokens"),
        modality: architecture.and_then(|object| object.text("modality")),
        input_modalities: modalities(architecture, "input_modalities"),
        output_modalities: modalities(architecture, "output_modalities"),
        tokenizer: architecture.and_then(|object| object.text("tokenizer")),
        instruct_type: architecture.and_then(|object| object.text("instruct_type")),
        supported_parameters: parameters(row).unwrap_or_default(),
        default_parameters: default_parameters(row),
        reasoning: reasoning(row),
        knowledge_cutoff: row
            .text("knowledge_cutoff")
            .inspect(|cutoff| check_cutoff(row, cutoff)),
        expired_from: expiration_date
            .as_deref()
            .and_then(|day| day_after(row, day)),
        expiration_date,
        hugging_face_id: row.text("hugging_face_id"),
        is_moderated: row.flag("is_moderated").unwrap_or(false),
        is_distillable: row.flag("is_distillable").unwrap_or(false),
        blocked_countries: blocked_countries(row),
        endpoints: Vec::new(),
        id: ModelId::new(id),
    })
}

/// The parameters a row supports; `None` where it does not say.
pub(super) fn parameters(row: &Reader<'_>) -> Option<Parameters> {
    let known = known_names(
        row,
        "supported_parameters",
        "parameter",
        Parameter::from_name,
    );
    known.map(Parameters::from_iter)
}

fn author(row: &Reader<'_>, id: &str) -> String {
    let from_id = id.split('/').next().unwrap_or(id);
    if let Some(stated) = row.text("author").filter(|stated| stated != from_id) {
        row.fault(
            "author",
            format!("is `{}`", shorten(&stated)),
            "write the part of the id before the slash",
        );
    }
    from_id.to_owned()
}

/// Free is a matter of money and of privacy, so the two places that say it must agree.
fn free(row: &Reader<'_>, id: &str) -> bool {
    let by_id = id.ends_with(":free");
    let by_variant = row.text("variant").map(|variant| variant == "free");
    if by_variant.is_some_and(|by_variant| by_variant != by_id) {
        row.fault(
            "variant",
            "and the id disagree on whether the model is free",
            "a free model has an id that ends in `:free` and the variant `free`",
        );
    }
    by_id
}

fn created(row: &Reader<'_>) -> Option<i64> {
    let created = row.integer("created")?;
    if !(0..=CREATED_MAX).contains(&created) {
        row.fault(
            "created",
            format!("is {created}"),
            "write seconds since 1970, not milliseconds",
        );
    }
    Some(created)
}

fn modalities(architecture: Option<&Reader<'_>>, field: &str) -> Modalities {
    architecture
        .and_then(|object| known_names(object, field, "modality", Modality::from_name))
        .unwrap_or_default()
        .into_iter()
        .collect()
}

fn default_parameters(row: &Reader<'_>) -> Option<Arc<RawValue>> {
    row.object("default_parameters")?;
    let raw = to_raw_value(row.known("default_parameters")?);
    raw.ok().map(Arc::from)
}

fn reasoning(row: &Reader<'_>) -> ReasoningSupport {
    let Some(reasoning) = row.object("reasoning") else {
        return ReasoningSupport::default();
    };
    ReasoningSupport {
        supported: reasoning.flag("supported").unwrap_or(false),
        mandatory: reasoning.flag("mandatory").unwrap_or(false),
        default_enabled: reasoning.flag("default_enabled"),
        supported_efforts: reasoning.texts("supported_efforts"),
        default_effort: reasoning.text("default_effort"),
        supports_max_tokens: reasoning.flag("supports_max_tokens"),
    }
}

/// A cutoff is a year, a month or a day.
fn check_cutoff(row: &Reader<'_>, cutoff: &str) {
    let as_day = match cutoff.len() {
        4 => format!("{cutoff}-01-01"),
        7 => format!("{cutoff}-01"),
        _ => cutoff.to_owned(),
    };
    if parse_day(&as_day).is_none() {
        row.fault(
            "knowledge_cutoff",
            format!("is `{}`", shorten(cutoff)),
            "write YYYY, YYYY-MM or YYYY-MM-DD",
        );
    }
}

/// The first instant after a day in UTC: from then on the model has expired.
fn day_after(row: &Reader<'_>, day: &str) -> Option<Timestamp> {
    let after = parse_day(day).and_then(time::Date::next_day);
    if after.is_none() {
        row.fault(
            "expiration_date",
            format!("is `{}`, which is not a day", shorten(day)),
            "write it as YYYY-MM-DD",
        );
    }
    after.map(|date| Timestamp::from_utc(date.midnight().assume_utc()))
}
