//! An endpoint as clients read it.

use std::collections::BTreeMap;

use serde::Serialize;
use switchyard_app::health::{EndpointFigures, EndpointState};
use switchyard_catalog::snapshot::{Catalog, Endpoint};
use switchyard_domain::{
    endpoint::ServiceTier,
    model::{Parameter, Parameters},
};
use switchyard_interchange::preferences::Percentiles as Figures;
use utoipa::ToSchema;

use super::pricing_view::PricingView;

/// One model served by one provider at one price.
#[derive(Serialize, ToSchema)]
#[schema(as = Endpoint)]
pub(crate) struct EndpointView<'a> {
    /// The provider's name and the model's dated slug.
    name: String,
    model_id: &'a str,
    model_name: &'a str,
    provider_name: &'a str,
    /// The provider's slug and what sets the endpoint apart; preference lists may name it.
    #[schema(example = "deepinfra/fp8")]
    tag: &'a str,
    /// Tokens; 0 is unknown.
    context_length: u64,
    #[schema(required = true)]
    max_completion_tokens: Option<u64>,
    #[schema(required = true)]
    max_prompt_tokens: Option<u64>,
    #[schema(required = true)]
    quantization: Option<&'a str>,
    pricing: PricingView,
    #[schema(value_type = Vec<String>)]
    supported_parameters: Vec<&'static str>,
    supports_implicit_caching: bool,
    supports_tool_choice: ToolChoiceSupport,
    supports_diarization: bool,
    /// Tools that the provider runs itself; none are offered.
    #[schema(value_type = Object)]
    native_tools: BTreeMap<&'static str, ()>,
    /// `flex` or `priority`; `null` is the ordinary tier.
    #[schema(required = true, value_type = Option<String>)]
    service_tier: Option<&'static str>,
    /// 0 is healthy; lower is worse: -1 comes back after trouble, -2 fails at the moment, -3 failed too
    /// often over the last minutes, -5 is left alone for a while.
    status: i32,
    /// Percent of the attempts of the last five minutes that succeeded, rate limits aside; `null` for
    /// fewer than 20.
    #[schema(required = true)]
    uptime_last_5m: Option<f64>,
    /// The same over half an hour; `null` for fewer than 100.
    #[schema(required = true)]
    uptime_last_30m: Option<f64>,
    /// The same over a day; `null` for fewer than 100.
    #[schema(required = true)]
    uptime_last_1d: Option<f64>,
    /// Milliseconds to the first token of a stream; `null` where nothing was measured.
    #[schema(required = true)]
    latency_last_30m: Option<Percentiles>,
    /// Output tokens per second, queueing included; `null` where nothing was measured.
    #[schema(required = true)]
    throughput_last_30m: Option<Percentiles>,
}

/// Which values of `tool_choice` are supported.
#[derive(Serialize, ToSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the wire format has four flags"
)]
pub(crate) struct ToolChoiceSupport {
    auto: bool,
    none: bool,
    required: bool,
    function: bool,
}

/// A distribution, to within 5 %. Of times, pN is what N % stay within; of rates, what N % reach or
/// beat.
#[derive(Serialize, ToSchema)]
pub(crate) struct Percentiles {
    p50: f64,
    p75: f64,
    p90: f64,
    p99: f64,
}

impl<'a> EndpointView<'a> {
    /// `None` where the price is unknown: such an endpoint cannot be called and is not shown.
    pub(crate) fn new(catalog: &'a Catalog, endpoint: &'a Endpoint) -> Option<Self> {
        let model = catalog.model_of(endpoint);
        let provider = catalog.provider_of(endpoint);
        Some(Self {
            name: format!("{} | {}", provider.name, model.canonical_slug),
            model_id: model.id.as_str(),
            model_name: &model.name,
            provider_name: &provider.name,
            tag: &endpoint.tag,
            context_length: endpoint
                .context_length
                .or(model.context_length)
                .unwrap_or(0),
            max_completion_tokens: endpoint.max_completion_tokens,
            max_prompt_tokens: endpoint.max_prompt_tokens,
            quantization: endpoint.quantization.as_deref(),
            pricing: PricingView::new(endpoint)?,
            supported_parameters: endpoint
                .supported_parameters
                .iter()
                .map(Parameter::as_str)
                .collect(),
            supports_implicit_caching: endpoint.supports_implicit_caching.unwrap_or(false),
            supports_tool_choice: endpoint.supported_parameters.into(),
            supports_diarization: false,
            native_tools: BTreeMap::new(),
            service_tier: match endpoint.service_tier {
                ServiceTier::Default => None,
                ServiceTier::Flex | ServiceTier::Priority => Some(endpoint.service_tier.as_str()),
            },
            status: endpoint.status,
            uptime_last_5m: None,
            uptime_last_30m: None,
            uptime_last_1d: None,
            latency_last_30m: None,
            throughput_last_30m: None,
        })
    }

    /// With how the endpoint has been doing.
    pub(crate) fn measured(mut self, figures: &EndpointFigures) -> Self {
        self.status = self.status.min(status_of(figures.state));
        self.uptime_last_5m = percent(figures.uptime_5m_ppm);
        self.uptime_last_30m = percent(figures.uptime_30m_ppm);
        self.uptime_last_1d = percent(figures.uptime_1d_ppm);
        self.latency_last_30m = Percentiles::of(&figures.latency_ms, 1.0);
        self.throughput_last_30m = Percentiles::of(&figures.throughput_milli_tps, 1_000.0);
        self
    }
}

/// Clients know these numbers without a meaning, only that lower is worse; ours are in the API's
/// description.
const fn status_of(state: EndpointState) -> i32 {
    match state {
        EndpointState::Stable => 0,
        EndpointState::Returning => -1,
        EndpointState::Outage => -2,
        EndpointState::Degraded => -3,
        EndpointState::Down => -5,
    }
}

fn percent(ppm: Option<u32>) -> Option<f64> {
    ppm.map(|ppm| f64::from(ppm) / 10_000.0)
}

impl Percentiles {
    /// `None` where nothing was measured.
    fn of(figures: &Figures, per_unit: f64) -> Option<Self> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "no figure is anywhere near 2^53"
        )]
        let shown = |figure: Option<u64>| figure.map(|figure| figure as f64 / per_unit);
        Some(Self {
            p50: shown(figures.p50)?,
            p75: shown(figures.p75)?,
            p90: shown(figures.p90)?,
            p99: shown(figures.p99)?,
        })
    }
}

impl From<Parameters> for ToolChoiceSupport {
    /// The catalogue knows whether `tool_choice` is taken, not which of its values. Tools without
    /// it are used as the model likes, which is `auto`.
    fn from(parameters: Parameters) -> Self {
        let chooses = parameters.contains(Parameter::ToolChoice);
        Self {
            auto: chooses || parameters.contains(Parameter::Tools),
            none: chooses,
            required: chooses,
            function: chooses,
        }
    }
}
