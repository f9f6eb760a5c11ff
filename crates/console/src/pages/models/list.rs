//! The list of models.

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue},
    response::Response,
};

use super::{
    facets::{self, Group, Select, modality},
    offered,
    shelf::Row,
    sift::Sieve,
    wanted::{Facet, PER_PAGE, Sort, Wanted},
    why::{self, Why},
};
use crate::{
    Console,
    error::PageError,
    shell::{Nav, Shell, page},
    ui::{self, Markup},
    visit::Visit,
};

static HX_PUSH_URL: HeaderName = HeaderName::from_static("hx-push-url");
static HX_REPLACE_URL: HeaderName = HeaderName::from_static("hx-replace-url");

#[derive(Template)]
#[template(path = "pages/models.html")]
struct ListPage {
    shell: Shell,
    list: List,
}

/// What a search or a choice replaces.
#[derive(Template)]
#[template(path = "pages/models/part.html")]
struct ListPart {
    list: List,
}

struct List {
    search: String,
    total: usize,
    groups: Vec<Group>,
    selects: [Select; 2],
    sorts: Vec<(&'static str, &'static str, bool)>,
    sizes: Vec<(usize, bool)>,
    rows: Vec<RowView>,
    said: String,
    previous: String,
    next: String,
    chips: Vec<Chip>,
    /// What could be dropped where nothing is left, with how many models that would show.
    drops: Vec<Chip>,
    is_hidden: bool,
    /// Those that are not offered, or back.
    other: Option<Chip>,
    is_signed_in: bool,
}

/// A condition and where one gets without it.
struct Chip {
    label: String,
    href: String,
    count: usize,
}

struct RowView {
    href: String,
    name: String,
    id: String,
    context: Option<Markup>,
    reads: String,
    writes: String,
    input: Option<String>,
    output: Option<String>,
    endpoints: usize,
    is_free: bool,
    is_zdr: bool,
    is_own: bool,
    why: Option<Why>,
}

/// The whole page, or for htmx what changes of it.
pub(crate) async fn show(
    State(console): State<Console>,
    visit: Visit,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let wanted = Wanted::parse(query.as_deref().unwrap_or_default());
    let offer = offered(&console, &visit).await?;
    let shelf = console.shelf(&offer.catalog);
    let list = List::of(&Sieve::new(&shelf, &offer), &wanted, &visit);
    if !visit.is_partial {
        let shell = Shell::new(&visit, "Models", Nav::Models).public();
        return page(&ListPage { shell, list });
    }
    let mut response = page(&ListPart { list })?;
    // What is typed letter by letter is one step back.
    let is_search = headers
        .get("hx-source")
        .is_some_and(|source| source.as_bytes().ends_with(b"#q"));
    let name = if is_search {
        &HX_REPLACE_URL
    } else {
        &HX_PUSH_URL
    };
    if let Ok(value) = HeaderValue::try_from(wanted.address()) {
        response.headers_mut().insert(name.clone(), value);
    }
    Ok(response)
}

impl List {
    fn of(sieve: &Sieve<'_>, wanted: &Wanted, visit: &Visit) -> Self {
        let is_signed_in = visit.visitor.is_some();
        let rows = sieve.sorted(wanted);
        let (total, size) = (rows.len(), wanted.per_page());
        let page = wanted.page.min(total.saturating_sub(1) / size);
        let at = |page| {
            Wanted {
                page,
                ..wanted.clone()
            }
            .address()
        };
        let seen = rows.iter().skip(page * size).take(size);
        let seen: Vec<_> = seen
            .map(|row| RowView::of(row, sieve, wanted, visit))
            .collect();
        let to = page * size + seen.len();
        Self {
            search: wanted.search.clone(),
            total,
            groups: facets::groups(sieve, wanted, is_signed_in),
            selects: facets::selects(sieve, wanted),
            sorts: sorts(wanted),
            sizes: PER_PAGE.map(|count| (count, count == size)).to_vec(),
            said: format!("{}–{to} of {total}", (page * size + 1).min(total)),
            previous: if page > 0 {
                at(page - 1)
            } else {
                String::new()
            },
            next: if to < total {
                at(page + 1)
            } else {
                String::new()
            },
            chips: chips(sieve, wanted),
            drops: if total == 0 {
                drops(sieve, wanted)
            } else {
                Vec::new()
            },
            is_hidden: wanted.hidden,
            other: other_side(sieve, wanted),
            rows: seen,
            is_signed_in,
        }
    }
}

fn sorts(wanted: &Wanted) -> Vec<(&'static str, &'static str, bool)> {
    let sorts = Sort::ALL.iter();
    sorts
        .map(|(sort, name, words)| (*name, *words, *sort == wanted.sort))
        .collect()
}

fn chips(sieve: &Sieve<'_>, wanted: &Wanted) -> Vec<Chip> {
    let facets = wanted.facets();
    let chip = |facet: &Facet| Chip {
        label: facets::spoken(facet, sieve, wanted),
        href: wanted.without(facet).address(),
        count: 0,
    };
    facets.iter().map(chip).collect()
}

/// The conditions that stand alone in the way, those that would show the most first.
fn drops(sieve: &Sieve<'_>, wanted: &Wanted) -> Vec<Chip> {
    let facets = wanted.facets();
    let mut drops: Vec<_> = facets
        .iter()
        .map(|facet| {
            let without = wanted.without(facet);
            Chip {
                label: facets::spoken(facet, sieve, wanted),
                count: sieve.count(&without),
                href: without.address(),
            }
        })
        .filter(|chip| chip.count > 0)
        .collect();
    drops.sort_by_key(|chip| std::cmp::Reverse(chip.count));
    drops
}

/// The models that are asked for and not offered; from there, back to those that are.
fn other_side(sieve: &Sieve<'_>, wanted: &Wanted) -> Option<Chip> {
    let mut other = Wanted {
        hidden: !wanted.hidden,
        page: 0,
        ..wanted.clone()
    };
    // No credential of one's own is open to what is not offered.
    other.own = other.own && !other.hidden;
    let count = sieve.count(&other);
    (count > 0 || wanted.hidden).then(|| Chip {
        label: String::new(),
        href: other.address(),
        count,
    })
}

impl RowView {
    fn of(row: &Row, sieve: &Sieve<'_>, wanted: &Wanted, visit: &Visit) -> Self {
        let model = sieve.model(row);
        let offered = |cell: &&super::shelf::Cell| sieve.offer.whose(cell.endpoint).is_some();
        let shown = sieve.shown(row, wanted.hidden).and_then(|cell| cell.prices);
        let cells = || row.cells.iter().filter(offered);
        let words = |set: switchyard_domain::model::Modalities| {
            let names: Vec<_> = set.iter().map(modality).collect();
            names.join(", ")
        };
        let own = |cell: &super::shelf::Cell| {
            let whose = sieve.offer.whose(cell.endpoint);
            whose.is_some_and(|whose| whose.own)
        };
        Self {
            href: format!("/models/{}", model.id),
            name: model.name.clone(),
            id: model.id.to_string(),
            context: model.context_length.map(ui::tokens),
            reads: words(model.input_modalities),
            writes: words(model.output_modalities),
            input: shown.map(|(input, _)| ui::usd_per_million(input)),
            output: shown.map(|(_, output)| ui::usd_per_million(output)),
            endpoints: cells().count(),
            is_free: cells().any(|cell| cell.free),
            is_zdr: cells().any(|cell| cell.zero_data_retention),
            is_own: cells().any(own),
            why: wanted
                .hidden
                .then(|| why::of_nothing(sieve.offer, model, visit)),
        }
    }
}
