//! Rows of `aliases.json`.

use switchyard_domain::model::ModelId;

use super::is_model_id;
use crate::{reader::Reader, snapshot::Alias};

pub(super) fn read(row: &Reader<'_>) -> Option<Alias> {
    let alias = row.required_text("alias");
    let model = row.required_text("model_id");
    let alias = alias?;
    if !is_model_id(alias.strip_prefix('~').unwrap_or(&alias)) {
        row.fault(
            "alias",
            "is not of the form `~author/name`",
            "use letters, digits, `.`, `-` and `_`",
        );
    }
    Some(Alias {
        alias,
        model: ModelId::new(model?),
    })
}
