//! A question as it comes in, read strictly: what is wrong is told with its place.

use serde::Deserialize;
use serde_json::value::RawValue;
use switchyard_app::activity::{
    Bound, Breakdown, Condition, Detail, Filter, Interval, Range, Scope, Step, Value,
};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, ApiKeyId, CredentialId, PersonId, WorkspaceId},
};
use switchyard_interchange::reply::PublicFailure;

use super::words::{DIMENSIONS, GRANULARITIES, METRICS, Metric, NUMBERS, Reach, UNMEASURED, Word};
use crate::{
    error,
    limits::{
        ANALYTICS_FILTERS_MAX, ANALYTICS_METRICS_MAX, ANALYTICS_ROWS_DEFAULT, ANALYTICS_ROWS_MAX,
        ANALYTICS_SLICES_MAX, ANALYTICS_VALUES_MAX,
    },
    management::fields::{Fields, Problem, flag, instant_in_utc, list, one_of, usd},
};
use switchyard_app::activity::Dimension;

const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);
const WEEK_DAYS: u32 = 7;

/// A question that can be answered.
#[derive(Debug)]
pub(crate) struct Question {
    pub(super) metrics: Vec<&'static Metric>,
    pub(super) words: Vec<&'static Word>,
    pub(super) granularity: Option<(&'static str, Interval)>,
    pub(super) order: Order,
    pub(super) group_limit: Option<u32>,
    pub(super) limit: u32,
    pub(super) reach: Reach,
    pub(super) breakdown: Breakdown,
}

/// What rows are ordered by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub(super) by: OrderBy,
    pub(super) is_descending: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum OrderBy {
    Date,
    Metric(&'static Metric),
    /// The dimension with this place in the question.
    Dimension(usize),
}

/// An API key that a filter names by its hash, which only the database can tell.
#[derive(Debug)]
pub(crate) struct KeyByHash {
    pub(super) hash: String,
    /// Where it stands in the question.
    pub(super) path: String,
    condition: usize,
    value: usize,
}

impl Question {
    /// Reads a question. API keys that it names by hash are returned beside it, to be
    /// [`put in`](Self::put_key).
    pub(crate) fn read(
        mut fields: Fields<'_>,
        account: AccountId,
        now: Timestamp,
    ) -> Result<(Self, Vec<KeyByHash>), PublicFailure> {
        let metrics = metrics(&fields.required("metrics", list(1..=ANALYTICS_METRICS_MAX))?)?;
        let words = fields
            .optional("dimensions", list(0..=2))?
            .unwrap_or_default();
        let words = dimensions(&words)?;
        let granularity = fields.optional("granularity", granularity)?;
        let mut filter = FilterReader::default();
        for (index, one) in fields
            .optional("filters", items)?
            .unwrap_or_default()
            .into_iter()
            .enumerate()
        {
            filter.read(index, one)?;
        }
        let order = order(&mut fields, &metrics, &words, granularity)?;
        let group_limit = fields.optional("group_limit", whole(1..=ANALYTICS_ROWS_MAX))?;
        let limit = fields.optional("limit", whole(1..=ANALYTICS_ROWS_MAX))?;
        let reach = metrics
            .iter()
            .map(|metric| metric.reach)
            .chain(words.iter().map(|word| word.reach))
            .chain(filter.reach)
            .chain(
                granularity
                    .filter(|one| one.1 == Interval::Minute)
                    .map(|_| Reach::Month),
            )
            .min()
            .unwrap_or(Reach::Year);
        let range = range(&mut fields, reach, now)?;
        fields.finish(&[])?;
        let is_timed = metrics.iter().any(|metric| metric.is_timed());
        let question = Self {
            breakdown: Breakdown {
                scope: Scope {
                    account,
                    range,
                    filter: Filter {
                        conditions: filter.conditions,
                    },
                },
                step: granularity.map_or(Step::Whole, |(_, interval)| Step::Calendar(interval)),
                dimensions: words.iter().map(|word| word.dimension).collect(),
                detail: if is_timed {
                    Detail::Timed
                } else {
                    Detail::Counts
                },
                limit: ANALYTICS_SLICES_MAX,
            },
            metrics,
            words,
            granularity,
            order,
            group_limit,
            limit: limit.unwrap_or(ANALYTICS_ROWS_DEFAULT),
            reach,
        };
        Ok((question, filter.keys))
    }

    /// Says which key it is that was named by its hash.
    pub(super) fn put_key(&mut self, named: &KeyByHash, key: ApiKeyId) {
        let condition = self
            .breakdown
            .scope
            .filter
            .conditions
            .get_mut(named.condition);
        if let Some(Condition::AnyOf(_, values) | Condition::NoneOf(_, values)) = condition
            && let Some(value) = values.get_mut(named.value)
        {
            *value = Some(Value::Id(key.as_uuid()));
        }
    }
}

fn unknown(path: &str, name: &str, what: &str) -> PublicFailure {
    let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    let problem = if UNMEASURED.contains(&name.as_str()) {
        format!("is `{name}`, which this service does not measure")
    } else {
        format!("is no {what}; GET /analytics/meta lists them")
    };
    error::bad_field(path, &problem)
}

fn metrics(names: &[String]) -> Result<Vec<&'static Metric>, PublicFailure> {
    let metric = |(index, name): (usize, &String)| {
        let found = METRICS.iter().find(|metric| metric.name == name);
        found.ok_or_else(|| unknown(&format!("metrics[{index}]"), name, "metric"))
    };
    names.iter().enumerate().map(metric).collect()
}

fn dimensions(names: &[String]) -> Result<Vec<&'static Word>, PublicFailure> {
    let mut words = Vec::<&'static Word>::new();
    for (index, name) in names.iter().enumerate() {
        let path = format!("dimensions[{index}]");
        let found = DIMENSIONS.iter().find(|word| word.name == name);
        let word = found.ok_or_else(|| unknown(&path, name, "dimension"))?;
        if words.iter().any(|other| other.dimension == word.dimension) {
            return Err(error::bad_field(&path, "is there twice"));
        }
        words.push(word);
    }
    Ok(words)
}

fn granularity(value: &RawValue) -> Result<(&'static str, Interval), Problem> {
    let name: String = serde_json::from_str(value.get()).map_err(|_| "must be a string")?;
    let found = GRANULARITIES.iter().find(|(word, ..)| *word == name);
    found
        .map(|(word, _, interval)| (*word, *interval))
        .ok_or_else(|| "must be minute, hour, day, week or month".into())
}

fn items(value: &RawValue) -> Result<Vec<&RawValue>, Problem> {
    let items: Vec<&RawValue> =
        serde_json::from_str(value.get()).map_err(|_| "must be a list of objects")?;
    if items.len() > ANALYTICS_FILTERS_MAX {
        return Err(format!("must have at most {ANALYTICS_FILTERS_MAX} entries").into());
    }
    Ok(items)
}

fn whole(bounds: std::ops::RangeInclusive<u32>) -> impl FnOnce(&RawValue) -> Result<u32, Problem> {
    move |value| {
        let number = serde_json::from_str::<u32>(value.get()).ok();
        number
            .filter(|number| bounds.contains(number))
            .ok_or_else(|| {
                format!(
                    "must be a whole number from {} to {}",
                    bounds.start(),
                    bounds.end()
                )
                .into()
            })
    }
}

fn order(
    fields: &mut Fields<'_>,
    metrics: &[&'static Metric],
    words: &[&'static Word],
    granularity: Option<(&'static str, Interval)>,
) -> Result<Order, PublicFailure> {
    let Some(mut asked) = fields.object("order_by")?.given() else {
        let by = match (granularity, metrics.first()) {
            (None, Some(metric)) => OrderBy::Metric(metric),
            _ => OrderBy::Date,
        };
        let is_descending = granularity.is_none();
        return Ok(Order { by, is_descending });
    };
    let name: String = asked.required("field", |value| {
        serde_json::from_str(value.get()).map_err(|_| Problem::from("must be a string"))
    })?;
    let dimension = words.iter().position(|word| word.name == name);
    let metric = metrics.iter().find(|metric| metric.name == name);
    let by = match (metric, dimension) {
        (Some(metric), _) => OrderBy::Metric(metric),
        (None, Some(place)) => OrderBy::Dimension(place),
        (None, None) if name == "date" => OrderBy::Date,
        (None, None) => {
            let problem = "must be `date`, or a metric or dimension that is asked for";
            return Err(asked.bad("field", problem));
        }
    };
    let direction = asked.optional("direction", one_of(&[("asc", false), ("desc", true)]))?;
    asked.finish(&[])?;
    Ok(Order {
        by,
        is_descending: direction.unwrap_or(true),
    })
}

fn range(fields: &mut Fields<'_>, reach: Reach, now: Timestamp) -> Result<Range, PublicFailure> {
    let Some(mut asked) = fields.object("time_range")?.given() else {
        return Ok(Range {
            from: now.minus(WEEK_DAYS * DAY),
            until: now,
        });
    };
    let from = asked.required("start", instant_in_utc)?;
    let until = asked.optional("end", instant_in_utc)?.unwrap_or(now);
    if until <= from {
        return Err(asked.bad("end", "must be after `time_range.start`"));
    }
    // To the end of its first day, so that "the last 31 days" may be asked for at any hour.
    let longest = (reach.days() + 1) * DAY;
    if until.since(from) > longest {
        let problem = format!(
            "must be at most {} days before its end, because of what is asked for",
            reach.days()
        );
        return Err(asked.bad("start", &problem));
    }
    asked.finish(&[])?;
    Ok(Range { from, until })
}

/// Reads conditions.
#[derive(Default)]
struct FilterReader {
    conditions: Vec<Condition>,
    keys: Vec<KeyByHash>,
    reach: Option<Reach>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Among { is_negated: bool, is_list: bool },
    Compared(Bound),
}

const OPERATORS: &[(&str, Operator)] = &[
    (
        "eq",
        Operator::Among {
            is_negated: false,
            is_list: false,
        },
    ),
    (
        "neq",
        Operator::Among {
            is_negated: true,
            is_list: false,
        },
    ),
    (
        "in",
        Operator::Among {
            is_negated: false,
            is_list: true,
        },
    ),
    (
        "not_in",
        Operator::Among {
            is_negated: true,
            is_list: true,
        },
    ),
    ("gt", Operator::Compared(Bound::Above)),
    ("gte", Operator::Compared(Bound::AtLeast)),
    ("lt", Operator::Compared(Bound::Below)),
    ("lte", Operator::Compared(Bound::AtMost)),
];

impl FilterReader {
    fn read(&mut self, index: usize, value: &RawValue) -> Result<(), PublicFailure> {
        let path = format!("filters[{index}]");
        let mut fields = Fields::at(path.clone(), value)?;
        let field: String = fields.required("field", |value| {
            serde_json::from_str(value.get()).map_err(|_| Problem::from("must be a string"))
        })?;
        let operator = fields.required("operator", one_of(OPERATORS))?;
        let includes_unset = fields.optional("include_unset", flag)?.unwrap_or(false);
        if let Some(word) = DIMENSIONS.iter().find(|word| word.name == field) {
            self.reach = self.reach.into_iter().chain([word.reach]).min();
            let Operator::Among {
                is_negated,
                is_list,
            } = operator
            else {
                return Err(fields.bad("operator", "compares numbers, and this field is none"));
            };
            let texts = fields.required("value", |value| texts(value, is_list))?;
            fields.finish(&[])?;
            return self.among(word, &path, &texts, is_negated, includes_unset);
        }
        let Some((_, measure, is_money)) = NUMBERS.iter().find(|(name, ..)| *name == field) else {
            return Err(unknown(
                &format!("{path}.field"),
                &field,
                "field to filter by",
            ));
        };
        self.reach = Some(Reach::Month);
        let bound = match operator {
            Operator::Compared(bound) => bound,
            Operator::Among {
                is_negated: false,
                is_list: false,
            } => Bound::Exactly,
            Operator::Among {
                is_negated: true,
                is_list: false,
            } => Bound::Not,
            Operator::Among { is_list: true, .. } => {
                return Err(fields.bad("operator", "takes a list, and this field is a number"));
            }
        };
        let number = fields.required("value", |value| number(value, *is_money))?;
        fields.finish(&[])?;
        self.conditions
            .push(Condition::Bounded(*measure, bound, number));
        Ok(())
    }

    /// Having no value is named by `include_unset`, on either side.
    fn among(
        &mut self,
        word: &Word,
        path: &str,
        texts: &[String],
        is_negated: bool,
        includes_unset: bool,
    ) -> Result<(), PublicFailure> {
        let mut values = Vec::with_capacity(texts.len() + 1);
        for text in texts {
            let path = format!("{path}.value");
            match value_of(word.dimension, text) {
                Ok(value) => values.push(Some(value)),
                Err(_) if word.dimension == Dimension::ApiKey && is_hash(text) => {
                    self.keys.push(KeyByHash {
                        hash: text.clone(),
                        path,
                        condition: self.conditions.len(),
                        value: values.len(),
                    });
                    values.push(None);
                }
                Err(problem) => return Err(error::bad_field(&path, &problem)),
            }
        }
        if includes_unset != is_negated {
            values.push(None);
        }
        self.conditions.push(if is_negated {
            Condition::NoneOf(word.dimension, values)
        } else {
            Condition::AnyOf(word.dimension, values)
        });
        Ok(())
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn value_of(dimension: Dimension, text: &str) -> Result<Value, Problem> {
    let id = match dimension {
        Dimension::Workspace => text.parse().map(WorkspaceId::as_uuid),
        Dimension::ApiKey => text.parse().map(ApiKeyId::as_uuid),
        Dimension::User => text.parse().map(PersonId::as_uuid),
        Dimension::Credential => text.parse().map(CredentialId::as_uuid),
        _ => return Ok(Value::from(text)),
    };
    let problem = "must be an id; names are told in answers, and filters take ids";
    id.map(Value::Id).map_err(|_| Problem::from(problem))
}

/// One value, or a list of them. What is true or false is said in words as well.
fn texts(value: &RawValue, is_list: bool) -> Result<Vec<String>, Problem> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Text {
        Text(String),
        Flag(bool),
    }
    let in_words = |text: Text| match text {
        Text::Text(text) => text,
        Text::Flag(flag) => flag.to_string(),
    };
    if !is_list {
        let text = serde_json::from_str(value.get()).map_err(|_| "must be a string")?;
        return Ok(vec![in_words(text)]);
    }
    let texts: Vec<Text> =
        serde_json::from_str(value.get()).map_err(|_| "must be a list of strings")?;
    if !(1..=ANALYTICS_VALUES_MAX).contains(&texts.len()) {
        return Err(format!("must have 1 to {ANALYTICS_VALUES_MAX} entries").into());
    }
    Ok(texts.into_iter().map(in_words).collect())
}

fn number(value: &RawValue, is_money: bool) -> Result<i64, Problem> {
    if is_money {
        return usd(value).map(|usd| usd.get());
    }
    serde_json::from_str(value.get()).map_err(|_| "must be a whole number".into())
}
