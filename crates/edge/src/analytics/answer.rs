//! An answer: slices in order, the rest of many groups as "Other", ids by their names.

use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap, HashSet},
};

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::{RawValue, to_raw_value};
use switchyard_app::activity::{Dimension, Interval, Names, Slice, Sums, Value};
use switchyard_domain::{
    clock::Timestamp,
    id::{ApiKeyId, CredentialId, PersonId, WorkspaceId},
};

use super::{
    ask::{OrderBy, Question},
    words::Reach,
};
use crate::limits::ANALYTICS_SLICES_MAX;

/// What groups beyond the limit are put together as.
const OTHER: &str = "Other";

/// A row's cells, in order.
pub(super) struct Row(Vec<(String, Box<RawValue>)>);

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, cell) in &self.0 {
            map.serialize_entry(name, cell)?;
        }
        map.end()
    }
}

/// The rows of an answer.
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    /// There are more.
    pub(super) is_truncated: bool,
    pub(super) warnings: Vec<String>,
}

/// One group at one time, before it has its names.
struct Piece {
    at: Option<Timestamp>,
    /// `None` is the rest.
    values: Option<Vec<Option<Value>>>,
    sums: Sums,
}

/// The API keys that slices name.
pub(super) fn keys_in(question: &Question, slices: &[Slice]) -> Vec<ApiKeyId> {
    let dimensions = &question.breakdown.dimensions;
    let place = dimensions.iter().position(|one| *one == Dimension::ApiKey);
    let keys = slices
        .iter()
        .filter_map(|slice| match slice.values.get(place?)? {
            Some(Value::Id(id)) => Some(ApiKeyId::from_uuid(*id)),
            _ => None,
        });
    keys.collect::<BTreeSet<_>>().into_iter().collect()
}

pub(super) fn rows(question: &Question, mut slices: Vec<Slice>, names: &Names) -> Rows {
    let mut warnings = Vec::new();
    let most = ANALYTICS_SLICES_MAX as usize;
    let is_cut = slices.len() > most;
    if is_cut {
        slices.truncate(most);
        warnings.push(format!(
            "There are more than {most} combinations; the answer is made of some of them. Ask for \
             a shorter time range or fewer dimensions."
        ));
    }
    let mut pieces = grouped(question, slices);
    pieces.sort_by(|one, other| compare(question, one, other));
    let limit = question.limit as usize;
    let is_truncated = is_cut || pieces.len() > limit;
    pieces.truncate(limit);
    Rows {
        rows: pieces
            .iter()
            .map(|piece| row(question, piece, names))
            .collect(),
        is_truncated,
        warnings,
    }
}

/// With the groups beyond the limit put together, each time by itself.
fn grouped(question: &Question, slices: Vec<Slice>) -> Vec<Piece> {
    let kept = question
        .group_limit
        .map(|limit| largest(question, &slices, limit as usize));
    let mut rest = HashMap::<Option<Timestamp>, Sums>::new();
    let mut pieces = Vec::with_capacity(slices.len());
    for slice in slices {
        if kept
            .as_ref()
            .is_some_and(|kept| !kept.contains(&slice.values))
        {
            *rest.entry(slice.at).or_default() += &slice.sums;
            continue;
        }
        pieces.push(Piece {
            at: slice.at,
            values: Some(slice.values),
            sums: slice.sums,
        });
    }
    pieces.extend(rest.into_iter().map(|(at, sums)| Piece {
        at,
        values: None,
        sums,
    }));
    pieces
}

/// The groups that are largest over the whole time, by what rows are ordered by or else by the first
/// metric.
fn largest(question: &Question, slices: &[Slice], limit: usize) -> HashSet<Vec<Option<Value>>> {
    let metric = match question.order.by {
        OrderBy::Metric(metric) => Some(metric),
        OrderBy::Date | OrderBy::Dimension(_) => question.metrics.first().copied(),
    };
    let mut groups = HashMap::<&Vec<Option<Value>>, Sums>::new();
    for slice in slices {
        *groups.entry(&slice.values).or_default() += &slice.sums;
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by(|(one_values, one), (other_values, other)| {
        let rank = |sums| metric.map_or(0, |metric| metric.rank(sums));
        rank(other)
            .cmp(&rank(one))
            .then_with(|| one_values.cmp(other_values))
    });
    let largest = groups.into_iter().take(limit);
    largest.map(|(values, _)| values.clone()).collect()
}

/// In the order asked for; then by time, by the first metric, by value, so that it is the same each time.
fn compare(question: &Question, one: &Piece, other: &Piece) -> Ordering {
    let order = question.order;
    let asked = match order.by {
        OrderBy::Date => one.at.cmp(&other.at),
        OrderBy::Metric(metric) => metric.rank(&one.sums).cmp(&metric.rank(&other.sums)),
        OrderBy::Dimension(place) => {
            let value = |piece: &Piece| piece.values.as_ref().and_then(|all| all[place].clone());
            value(one).cmp(&value(other))
        }
    };
    let asked = if order.is_descending {
        asked.reverse()
    } else {
        asked
    };
    let first = |piece: &Piece| {
        question
            .metrics
            .first()
            .map(|metric| metric.rank(&piece.sums))
    };
    asked
        .then_with(|| one.at.cmp(&other.at))
        .then_with(|| one.values.is_none().cmp(&other.values.is_none()))
        .then_with(|| first(other).cmp(&first(one)))
        .then_with(|| one.values.cmp(&other.values))
}

fn row(question: &Question, piece: &Piece, names: &Names) -> Row {
    let mut cells = Vec::new();
    if let (Some((word, interval)), Some(at)) = (question.granularity, piece.at) {
        cells.push(time_cell(question.reach, word, interval, at));
    }
    for (place, word) in question.words.iter().enumerate() {
        let name = match &piece.values {
            None => Some(OTHER.to_owned()),
            Some(values) => values[place]
                .as_ref()
                .map(|value| name_of(word.name, word.dimension, value, names)),
        };
        cells.push((word.name.to_owned(), cell(&name)));
        if word.dimension == Dimension::User {
            let email = piece
                .values
                .as_ref()
                .and_then(|values| email_of(&values[place], names));
            cells.push(("user_email".to_owned(), cell(&email)));
        }
    }
    for metric in &question.metrics {
        cells.push((metric.name.to_owned(), metric.told(&piece.sums)));
    }
    Row(cells)
}

/// Whole days of what can be asked for over a year have dates, everything else has instants.
fn time_cell(
    reach: Reach,
    word: &str,
    interval: Interval,
    at: Timestamp,
) -> (String, Box<RawValue>) {
    let at = at.to_rfc3339();
    let is_fine = matches!(interval, Interval::Minute | Interval::Hour);
    if reach == Reach::Year && !is_fine {
        return (format!("date__{word}"), cell(&at.get(..10)));
    }
    (format!("created_at__{word}"), cell(&at))
}

fn cell(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("text can be written as JSON")
}

/// What a value is called; its id where nothing is known of it any more.
fn name_of(word: &str, dimension: Dimension, value: &Value, names: &Names) -> String {
    match (dimension, value) {
        (Dimension::ApiKey, Value::Id(id)) => {
            let id = ApiKeyId::from_uuid(*id);
            let known = names.keys.get(&id).map(|key| &key.name);
            known.cloned().unwrap_or_else(|| id.to_string())
        }
        (Dimension::Workspace, Value::Id(id)) => {
            let id = WorkspaceId::from_uuid(*id);
            let known = names.workspaces.get(&id).map(|workspace| &workspace.name);
            known.cloned().unwrap_or_else(|| id.to_string())
        }
        (Dimension::User, Value::Id(id)) => {
            let id = PersonId::from_uuid(*id);
            let known = names.people.get(&id).map(|person| &person.name);
            known.cloned().unwrap_or_else(|| id.to_string())
        }
        (_, Value::Id(id)) => CredentialId::from_uuid(*id).to_string(),
        (Dimension::App, Value::Text(id)) if word == "app" => {
            names.apps.get(id).unwrap_or(id).clone()
        }
        (_, Value::Text(text)) => text.clone(),
    }
}

fn email_of(value: &Option<Value>, names: &Names) -> Option<String> {
    match value {
        Some(Value::Id(id)) => {
            let person = names.people.get(&PersonId::from_uuid(*id))?;
            Some(person.email.clone())
        }
        _ => None,
    }
}
