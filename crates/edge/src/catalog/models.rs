//! `GET /models`, `/models/count` and `/model/{author}/{slug}`.

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use serde::Serialize;
use switchyard_interchange::reply::PublicFailure;
use utoipa::ToSchema;

use super::{
    filter::ModelFilter,
    model_view::{AliasTargetView, ModelView},
    names::{NamePath, find, name_in},
    page::Page,
    query::ModelsQuery,
    shelf::{Rendered, Row, Shelf, shown_endpoint},
    sort::Sort,
};
use crate::{
    error,
    openapi::schemas::{ErrorBody, ModelList},
    reply::{Refusal, json, json_bytes},
};

#[derive(Serialize, ToSchema)]
pub(crate) struct ModelAnswer<'a> {
    data: ModelView<'a>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ModelCount {
    data: Count,
}

#[derive(Serialize, ToSchema)]
struct Count {
    count: usize,
}

#[utoipa::path(
    get,
    path = "/api/v1/models",
    operation_id = "listModels",
    tag = "Catalogue",
    summary = "Models that can be asked for",
    description = "Models with at least one endpoint of known price that their authors have not \
                   withdrawn. All conditions must hold. Prices are those of the model's cheapest \
                   endpoint; the others are under `links.details`.",
    params(ModelsQuery),
    responses(
        (status = 200, description = "The models.", body = ModelList),
        (status = 400, description = "A parameter has a wrong value.", body = ErrorBody)
    ),
    security(())
)]
pub(crate) async fn list(State(shelf): State<Shelf>, uri: Uri) -> Result<Response, Refusal> {
    let query = ModelsQuery::parse(&uri)?;
    let page = Page::parse(query.offset.as_deref(), query.limit.as_deref())?;
    let rendered = shelf.rendered();
    let rows = matching(&shelf, &rendered, &query)?;
    let write = || {
        let next = page.next(rows.len(), &uri);
        written(&rendered, page.of(&rows), rows.len(), next)
    };
    let body = match uri.query() {
        None | Some("") => rendered.plain(write),
        Some(_) => write().into(),
    };
    Ok(json_bytes(StatusCode::OK, body))
}

#[utoipa::path(
    get,
    path = "/api/v1/models/count",
    operation_id = "countModels",
    tag = "Catalogue",
    summary = "How many models there are",
    description = "Takes the same conditions as the list.",
    params(ModelsQuery),
    responses(
        (status = 200, description = "The number.", body = ModelCount),
        (status = 400, description = "A parameter has a wrong value.", body = ErrorBody)
    ),
    security(())
)]
pub(crate) async fn count(State(shelf): State<Shelf>, uri: Uri) -> Result<Response, Refusal> {
    let query = ModelsQuery::parse(&uri)?;
    let rendered = shelf.rendered();
    let count = matching(&shelf, &rendered, &query)?.len();
    Ok(json(
        StatusCode::OK,
        &ModelCount {
            data: Count { count },
        },
    ))
}

#[utoipa::path(
    get,
    path = "/api/v1/model/{author}/{slug}",
    operation_id = "getModel",
    tag = "Catalogue",
    summary = "One model",
    description = "Also under its dated slug, under a moving name (`~author/family-latest`) and \
                   with a routing suffix (`:nitro`, `:floor`).",
    params(
        ("author" = String, Path, description = "The part of the model's id before the slash."),
        ("slug" = String, Path, description = "The part after it, with a variant if any.")
    ),
    responses(
        (status = 200, description = "The model.", body = ModelAnswer),
        (status = 404, description = "No such model.", body = ErrorBody)
    ),
    security(())
)]
pub(crate) async fn one(State(shelf): State<Shelf>, path: NamePath) -> Result<Response, Refusal> {
    let name = name_in(path)?;
    let catalog = shelf.catalog();
    let named = find(&catalog, &name)?;
    let Some(shown) = shown_endpoint(&catalog, named.model) else {
        return Err(error::not_found("A priced endpoint of this model").into());
    };
    let mut data = ModelView::new(named.model, &catalog.endpoints[shown]);
    if named.by_alias {
        let slug = named.model.id.as_str();
        data.alias_target = Some(AliasTargetView {
            name: &named.model.name,
            slug,
        });
    }
    Ok(json(StatusCode::OK, &ModelAnswer { data }))
}

fn matching<'a>(
    shelf: &Shelf,
    rendered: &'a Rendered,
    query: &ModelsQuery,
) -> Result<Vec<&'a Row>, PublicFailure> {
    let catalog = &rendered.catalog;
    let filter = ModelFilter::parse(query, catalog)?;
    let sort = Sort::parse(query.sort.as_deref())?;
    let now = shelf.now();
    let admitted = rendered
        .rows
        .iter()
        .filter(|row| filter.admits(catalog, row, now));
    let mut rows: Vec<&Row> = admitted.collect();
    sort.apply(catalog, &mut rows);
    Ok(rows)
}

#[derive(Serialize)]
struct Links {
    next: Option<String>,
}

/// The list from rows that are rendered already.
fn written(rendered: &Rendered, rows: &[&Row], total: usize, next: Option<String>) -> Vec<u8> {
    const ENVELOPE_BYTES: usize = 256;
    let bytes: usize = rows.iter().map(|row| rendered.json(row).len() + 1).sum();
    let mut out = Vec::with_capacity(bytes + ENVELOPE_BYTES);
    out.extend_from_slice(br#"{"object":"list","data":["#);
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(rendered.json(row));
    }
    out.extend_from_slice(format!(r#"],"total_count":{total},"links":"#).as_bytes());
    let links = serde_json::to_vec(&Links { next }).expect("one text key cannot fail");
    out.extend_from_slice(&links);
    out.push(b'}');
    out
}
