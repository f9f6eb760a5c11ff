//! Filters as they stand in addresses: `model=a` is, `not.model=b` is not, several of one are any of them.

use switchyard_app::activity::{Bound, Condition, Dimension, Filter, Names, RowMeasure, Value};
use switchyard_domain::{
    id::{ApiKeyId, CredentialId, PersonId, WorkspaceId},
    money::UsdNanos,
};

use super::address::Address;

/// Something that can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    /// In addresses.
    pub(crate) name: &'static str,
    /// On pages.
    pub(crate) words: &'static str,
    pub(crate) dimension: Dimension,
}

const fn field(name: &'static str, words: &'static str, dimension: Dimension) -> Field {
    Field {
        name,
        words,
        dimension,
    }
}

/// All of them.
pub(crate) const FIELDS: [Field; 16] = [
    field("model", "Model", Dimension::Model),
    field("provider", "Provider", Dimension::Provider),
    field("status", "Status", Dimension::Status),
    field("key", "API key", Dimension::ApiKey),
    field("app", "App", Dimension::App),
    field("session", "Session", Dimension::Session),
    field("endpoint", "Endpoint", Dimension::Endpoint),
    field("finish", "Finish reason", Dimension::FinishReason),
    field("byok", "Own credential", Dimension::Byok),
    field("credential", "Credential", Dimension::Credential),
    field("user", "Member", Dimension::User),
    field("workspace", "Workspace", Dimension::Workspace),
    field("variant", "Variant", Dimension::Variant),
    field("external_user", "End user", Dimension::ExternalUser),
    field("context", "Prompt length", Dimension::ContextLength),
    field("id", "Generation", Dimension::Generation),
];

/// Having no value, in addresses.
pub(crate) const NONE: &str = "~";
const NOT: &str = "not.";
/// Least charge in US dollars, and least milliseconds to the first token, in addresses.
const BOUNDS: [(&str, &str, RowMeasure); 2] = [
    ("min_cost", "Cost at least", RowMeasure::Charge),
    (
        "min_first_token_ms",
        "First token at least",
        RowMeasure::FirstToken,
    ),
];

/// One chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    /// In addresses, `not.` included.
    pub(crate) name: String,
    /// On pages.
    pub(crate) words: &'static str,
    pub(crate) is_not: bool,
    /// Whether it can be turned around.
    pub(crate) can_flip: bool,
    /// As written in the address.
    pub(crate) raw: String,
    meaning: Meaning,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Meaning {
    Value(Dimension, Option<Value>),
    AtLeast(RowMeasure, i64),
}

/// Every filter of an address.
pub(crate) fn terms(address: &Address) -> Vec<Term> {
    let mut terms = Vec::new();
    for (name, raw) in address.pairs() {
        let (bare, is_not) = match name.strip_prefix(NOT) {
            Some(bare) => (bare, true),
            None => (name.as_str(), false),
        };
        if let Some(field) = FIELDS.iter().find(|field| field.name == bare) {
            terms.push(Term {
                name: name.clone(),
                words: field.words,
                is_not,
                can_flip: true,
                raw: raw.clone(),
                meaning: Meaning::Value(field.dimension, value(field.dimension, raw)),
            });
        } else if let Some((_, words, measure)) = BOUNDS.iter().find(|bound| bound.0 == name)
            && let Some(least) = least(*measure, raw)
        {
            terms.push(Term {
                name: name.clone(),
                words,
                is_not: false,
                can_flip: false,
                raw: raw.clone(),
                meaning: Meaning::AtLeast(*measure, least),
            });
        }
    }
    terms
}

fn least(measure: RowMeasure, raw: &str) -> Option<i64> {
    match measure {
        RowMeasure::Charge => raw.parse::<UsdNanos>().ok().map(UsdNanos::get),
        _ => raw.parse().ok(),
    }
}

/// What cannot be an id is nobody's.
fn value(dimension: Dimension, raw: &str) -> Option<Value> {
    if raw == NONE {
        return None;
    }
    const NOBODY: &str = "00000000000000000000000000000000";
    macro_rules! id {
        ($kind:ty) => {{
            let nobody = format!("{}{NOBODY}", <$kind>::PREFIX);
            let id = raw.parse::<$kind>().or_else(|_| nobody.parse::<$kind>());
            id.ok().map(|id| Value::Id(id.as_uuid()))
        }};
    }
    match dimension {
        Dimension::Workspace => id!(WorkspaceId),
        Dimension::ApiKey => id!(ApiKeyId),
        Dimension::User => id!(PersonId),
        Dimension::Credential => id!(CredentialId),
        _ => Some(Value::from(raw)),
    }
}

/// What holds of the generations that all of these are about.
pub(crate) fn filter(terms: &[Term]) -> Filter {
    let mut filter = Filter::default();
    for term in terms {
        let (dimension, value) = match &term.meaning {
            Meaning::AtLeast(measure, least) => {
                filter = filter.and(Condition::Bounded(*measure, Bound::AtLeast, *least));
                continue;
            }
            Meaning::Value(dimension, value) => (*dimension, value.clone()),
        };
        let known = filter.conditions.iter_mut().find_map(|one| match one {
            Condition::AnyOf(of, values) if *of == dimension && !term.is_not => Some(values),
            Condition::NoneOf(of, values) if *of == dimension && term.is_not => Some(values),
            _ => None,
        });
        match known {
            Some(values) => values.push(value),
            None if term.is_not => {
                filter = filter.and(Condition::NoneOf(dimension, vec![value]));
            }
            None => filter = filter.and(Condition::AnyOf(dimension, vec![value])),
        }
    }
    filter
}

/// A filter on a page, with where taking it away or turning it around leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chip {
    pub(crate) field: &'static str,
    pub(crate) is_not: bool,
    pub(crate) value: String,
    pub(crate) remove: String,
    pub(crate) flip: Option<String>,
}

/// The chips of an address. Places in the list are no longer true once a filter changes.
pub(crate) fn chips(terms: &[Term], address: &Address, names: &Names) -> Vec<Chip> {
    let start = start_of(address);
    let chip = |term: &Term| {
        let without = start.without_pair(&term.name, &term.raw);
        let flipped = match term.name.strip_prefix(NOT) {
            Some(bare) => bare.to_owned(),
            None => format!("{NOT}{}", term.name),
        };
        Chip {
            field: term.words,
            is_not: term.is_not,
            value: match &term.meaning {
                Meaning::Value(dimension, value) => named(*dimension, value.as_ref(), names),
                Meaning::AtLeast(RowMeasure::Charge, _) => format!("${}", term.raw),
                Meaning::AtLeast(..) => format!("{} ms", term.raw),
            },
            remove: without.to_string(),
            flip: term
                .can_flip
                .then(|| without.and(&flipped, &term.raw).to_string()),
        }
    };
    terms.iter().map(chip).collect()
}

/// The same list from its beginning.
pub(crate) fn start_of(address: &Address) -> Address {
    address.without(&["before", "after", "end"])
}

/// What to call a value.
pub(crate) fn named(dimension: Dimension, value: Option<&Value>, names: &Names) -> String {
    let Some(value) = value else {
        return "(none)".to_owned();
    };
    let id = match value {
        Value::Text(text) if dimension == Dimension::Byok => {
            return if text == "true" { "own" } else { "shared" }.to_owned();
        }
        Value::Text(text) => return text.clone(),
        Value::Id(id) => *id,
    };
    let known = match dimension {
        Dimension::Workspace => names
            .workspaces
            .get(&WorkspaceId::from_uuid(id))
            .map(|one| one.name.clone()),
        Dimension::ApiKey => names
            .keys
            .get(&ApiKeyId::from_uuid(id))
            .map(|one| one.name.clone()),
        Dimension::User => names
            .people
            .get(&PersonId::from_uuid(id))
            .map(|one| one.name.clone()),
        _ => None,
    };
    known.unwrap_or_else(|| raw_of(dimension, Some(value)))
}

/// A value as it stands in addresses.
pub(crate) fn raw_of(dimension: Dimension, value: Option<&Value>) -> String {
    match (value, dimension) {
        (None, _) => NONE.to_owned(),
        (Some(Value::Text(text)), _) => text.clone(),
        (Some(Value::Id(id)), Dimension::Workspace) => WorkspaceId::from_uuid(*id).to_string(),
        (Some(Value::Id(id)), Dimension::ApiKey) => ApiKeyId::from_uuid(*id).to_string(),
        (Some(Value::Id(id)), Dimension::User) => PersonId::from_uuid(*id).to_string(),
        (Some(Value::Id(id)), _) => CredentialId::from_uuid(*id).to_string(),
    }
}

/// The keys that some values name, so that what they are called can be asked for.
pub(crate) fn keys_in<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<ApiKeyId> {
    let ids = values.filter_map(|value| match value {
        Value::Id(id) => Some(ApiKeyId::from_uuid(*id)),
        Value::Text(_) => None,
    });
    ids.collect()
}

/// The keys that the terms name.
pub(crate) fn keys_of(terms: &[Term]) -> Vec<ApiKeyId> {
    keys_in(terms.iter().filter_map(|term| match &term.meaning {
        Meaning::Value(Dimension::ApiKey, Some(value)) => Some(value),
        _ => None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> (Address, Vec<Term>) {
        let address = Address::parse(&format!("/logs?{query}"));
        let terms = terms(&address);
        (address, terms)
    }

    #[test]
    fn values_of_one_field_are_any_of_them() {
        let (_, terms) = read("model=a&model=b&not.model=c&status=~&range=1h&before=1");
        let text = |text: &str| Some(Value::from(text));
        assert_eq!(
            filter(&terms).conditions,
            [
                Condition::AnyOf(Dimension::Model, vec![text("a"), text("b")]),
                Condition::NoneOf(Dimension::Model, vec![text("c")]),
                Condition::AnyOf(Dimension::Status, vec![None]),
            ]
        );
    }

    #[test]
    fn chips_lead_to_the_list_without_them_and_around() {
        let (address, terms) = read("model=a%2Fb&not.status=ok&before=7&range=1h");
        let chips = chips(&terms, &address, &Names::default());
        let told: Vec<_> = chips
            .iter()
            .map(|chip| (chip.is_not, chip.remove.as_str(), chip.flip.as_deref()))
            .collect();
        let expected = [
            (
                false,
                "/logs?not.status=ok&range=1h",
                Some("/logs?not.status=ok&range=1h&not.model=a%2Fb"),
            ),
            (
                true,
                "/logs?model=a%2Fb&range=1h",
                Some("/logs?model=a%2Fb&range=1h&status=ok"),
            ),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_no_id_is_nobody() {
        let (_, terms) = read("key=robert%27);drop");
        let [Condition::AnyOf(Dimension::ApiKey, values)] = &filter(&terms).conditions[..] else {
            panic!("one condition");
        };
        assert!(matches!(&values[..], [Some(Value::Id(id))] if id.is_nil()));
    }

    #[test]
    fn bounds_are_exact() {
        let (_, terms) = read("min_cost=0.000000001&min_first_token_ms=12&min_cost=abc");
        assert_eq!(
            filter(&terms).conditions,
            [
                Condition::Bounded(RowMeasure::Charge, Bound::AtLeast, 1),
                Condition::Bounded(RowMeasure::FirstToken, Bound::AtLeast, 12),
            ]
        );
    }
}
