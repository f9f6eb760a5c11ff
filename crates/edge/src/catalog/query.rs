//! The query of the model list: its parameters, and how their texts become values. A wrong value
//! is an error that says what is right; an unknown parameter is nothing.

use axum::{extract::Query, http::Uri};
use serde::Deserialize;
use switchyard_domain::money::parse_decimal;
use switchyard_interchange::reply::PublicFailure;
use utoipa::IntoParams;

use crate::error;

/// Every parameter, as text.
#[derive(Deserialize, IntoParams, Default)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ModelsQuery {
    /// A use case. The catalogue has no such data, so that no model matches.
    pub(super) category: Option<String>,
    /// Comma-separated; models that support all of them.
    pub(super) supported_parameters: Option<String>,
    /// Comma-separated, or `all`; models that give any of them. Default: `text`.
    pub(super) output_modalities: Option<String>,
    /// Comma-separated; models that take all of them.
    pub(super) input_modalities: Option<String>,
    /// Text within id, name or description.
    pub(super) q: Option<String>,
    /// At least this context length, in tokens.
    #[param(value_type = Option<u64>)]
    pub(super) context: Option<String>,
    /// Prompt price, USD per million tokens.
    #[param(value_type = Option<f64>)]
    pub(super) min_price: Option<String>,
    /// Prompt price, USD per million tokens.
    #[param(value_type = Option<f64>)]
    pub(super) max_price: Option<String>,
    /// Completion price, USD per million tokens.
    #[param(value_type = Option<f64>)]
    pub(super) min_output_price: Option<String>,
    /// Completion price, USD per million tokens.
    #[param(value_type = Option<f64>)]
    pub(super) max_output_price: Option<String>,
    /// A model family, such as `Claude`.
    pub(super) arch: Option<String>,
    /// Comma-separated authors; any of them.
    pub(super) model_authors: Option<String>,
    /// Comma-separated slugs or names; models that any of them serves.
    pub(super) providers: Option<String>,
    /// Whether the author allows training on outputs; unknown is no.
    #[param(value_type = Option<bool>)]
    pub(super) distillable: Option<String>,
    /// `true`: models with an endpoint that neither keeps prompts nor trains on them.
    #[param(value_type = Option<bool>)]
    pub(super) zdr: Option<String>,
    /// `eu` or `us`: models with an endpoint that is tied to that region.
    pub(super) region: Option<String>,
    /// Days since publication; models of unknown age do not match.
    #[param(value_type = Option<u64>)]
    pub(super) min_age_days: Option<String>,
    /// Days since publication; models of unknown age do not match.
    #[param(value_type = Option<u64>)]
    pub(super) max_age_days: Option<String>,
    /// No model has a known score, so that no model matches; the same holds for the others.
    #[param(value_type = Option<f64>)]
    pub(super) min_intelligence_index: Option<String>,
    #[param(value_type = Option<f64>)]
    pub(super) max_intelligence_index: Option<String>,
    #[param(value_type = Option<f64>)]
    pub(super) min_coding_index: Option<String>,
    #[param(value_type = Option<f64>)]
    pub(super) max_coding_index: Option<String>,
    #[param(value_type = Option<f64>)]
    pub(super) min_agentic_index: Option<String>,
    #[param(value_type = Option<f64>)]
    pub(super) max_agentic_index: Option<String>,
    #[param(value_type = Option<f64>)]
    pub(super) min_tool_success_rate: Option<String>,
    #[param(value_type = Option<f64>)]
    pub(super) max_tool_success_rate: Option<String>,
    /// `newest` (also the default), `pricing-low-to-high`, `pricing-high-to-low` or
    /// `context-high-to-low`. Orders by popularity, speed or scores are accepted and leave the
    /// default, because no model's figure is known.
    pub(super) sort: Option<String>,
    /// Rows to skip.
    #[param(value_type = Option<u64>)]
    pub(super) offset: Option<String>,
    /// Rows to return, 1 to 1000; 500 where only `offset` is given. Without both: all.
    #[param(value_type = Option<u64>)]
    pub(super) limit: Option<String>,
}

impl ModelsQuery {
    pub(super) fn parse(uri: &Uri) -> Result<Self, PublicFailure> {
        let parsed = Query::try_from_uri(uri).map(|Query(query): Query<Self>| query);
        parsed
            .map(Self::without_blanks)
            .map_err(|_| error::unreadable_query())
    }

    /// `?q=&zdr=` states nothing.
    fn without_blanks(mut self) -> Self {
        for value in self.values_mut() {
            if value.as_ref().is_some_and(|text| text.trim().is_empty()) {
                *value = None;
            }
        }
        self
    }

    fn values_mut(&mut self) -> impl Iterator<Item = &mut Option<String>> {
        [
            &mut self.category,
            &mut self.supported_parameters,
            &mut self.output_modalities,
            &mut self.input_modalities,
            &mut self.q,
            &mut self.context,
            &mut self.min_price,
            &mut self.max_price,
            &mut self.min_output_price,
            &mut self.max_output_price,
            &mut self.arch,
            &mut self.model_authors,
            &mut self.providers,
            &mut self.distillable,
            &mut self.zdr,
            &mut self.region,
            &mut self.min_age_days,
            &mut self.max_age_days,
            &mut self.min_intelligence_index,
            &mut self.max_intelligence_index,
            &mut self.min_coding_index,
            &mut self.max_coding_index,
            &mut self.min_agentic_index,
            &mut self.max_agentic_index,
            &mut self.min_tool_success_rate,
            &mut self.max_tool_success_rate,
            &mut self.sort,
            &mut self.offset,
            &mut self.limit,
        ]
        .into_iter()
    }

    /// Bounds on scores, which no model of the catalogue has.
    pub(super) fn score_bounds(&self) -> [(&'static str, Option<&str>); 8] {
        [
            (
                "min_intelligence_index",
                self.min_intelligence_index.as_deref(),
            ),
            (
                "max_intelligence_index",
                self.max_intelligence_index.as_deref(),
            ),
            ("min_coding_index", self.min_coding_index.as_deref()),
            ("max_coding_index", self.max_coding_index.as_deref()),
            ("min_agentic_index", self.min_agentic_index.as_deref()),
            ("max_agentic_index", self.max_agentic_index.as_deref()),
            (
                "min_tool_success_rate",
                self.min_tool_success_rate.as_deref(),
            ),
            (
                "max_tool_success_rate",
                self.max_tool_success_rate.as_deref(),
            ),
        ]
    }
}

/// The entries of a comma-separated list.
pub(super) fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
}

/// The value with this name.
pub(super) fn one_of<T: Copy>(
    parameter: &str,
    name: &str,
    allowed: &[(&str, T)],
) -> Result<T, PublicFailure> {
    match allowed
        .iter()
        .find(|(allowed, _)| allowed.eq_ignore_ascii_case(name.trim()))
    {
        Some((_, value)) => Ok(*value),
        None => {
            let names: Vec<&str> = allowed.iter().map(|(name, _)| *name).collect();
            Err(unknown(parameter, name, &names.join(", ")))
        }
    }
}

/// A value that is none of the allowed ones.
pub(super) fn unknown(parameter: &str, value: &str, allowed: &str) -> PublicFailure {
    let shown: String = value.chars().filter(|c| !c.is_control()).take(60).collect();
    error::bad_query(
        parameter,
        &format!("`{shown}` is not known; use one of {allowed}"),
    )
}

pub(super) fn whole_number(parameter: &str, text: &str) -> Result<u64, PublicFailure> {
    text.trim()
        .parse()
        .map_err(|_| error::bad_query(parameter, "must be a whole number"))
}

/// USD per million tokens as pico-dollars per token; what is finer than a pico-dollar is refused.
pub(super) fn price_picos(parameter: &str, text: &str) -> Result<i128, PublicFailure> {
    parse_decimal(text.trim(), 6).map_err(|_| {
        let problem = "must be USD per million tokens as a decimal number with at most 6 decimals";
        error::bad_query(parameter, problem)
    })
}

pub(super) fn flag(parameter: &str, text: &str) -> Result<bool, PublicFailure> {
    one_of(parameter, text, &[("true", true), ("false", false)])
}
