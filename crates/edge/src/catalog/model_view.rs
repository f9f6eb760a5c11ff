//! A model as clients read it: every key that any of the known clients requires.

use serde::Serialize;
use serde_json::value::RawValue;
use switchyard_catalog::snapshot::{Endpoint, Model, ReasoningSupport};
use switchyard_domain::model::{Modality, Parameter};
use utoipa::ToSchema;

use super::pricing_view::PricingView;

/// A model that can be asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = Model)]
pub(crate) struct ModelView<'a> {
    #[schema(example = "anthropic/claude-sonnet-5")]
    id: &'a str,
    /// `model`: what OpenAI's clients call a row.
    object: &'static str,
    /// The author, under the name that OpenAI's clients read.
    owned_by: &'a str,
    canonical_slug: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hugging_face_id: Option<&'a str>,
    name: &'a str,
    /// Unix seconds; 0 is unknown.
    created: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<&'a str>,
    #[schema(required = true)]
    context_length: Option<u64>,
    architecture: ArchitectureView<'a>,
    /// Of the cheapest endpoint that can be called.
    #[schema(value_type = PricingView)]
    pricing: Option<PricingView>,
    top_provider: TopProviderView,
    #[schema(required = true, value_type = Option<Object>)]
    per_request_limits: Option<()>,
    #[schema(value_type = Vec<String>)]
    supported_parameters: Vec<&'static str>,
    #[schema(required = true, value_type = Option<Object>)]
    default_parameters: Option<&'a RawValue>,
    #[schema(required = true, value_type = Option<Vec<String>>)]
    supported_voices: Option<()>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reasoning: Option<ReasoningView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    knowledge_cutoff: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expiration_date: Option<&'a str>,
    /// Set when the model was looked up by a moving name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) alias_target: Option<AliasTargetView<'a>>,
    links: LinksView,
}

/// What goes in and what comes out.
#[derive(Serialize, ToSchema)]
#[schema(as = Architecture)]
pub(crate) struct ArchitectureView<'a> {
    #[schema(required = true, example = "text+image->text")]
    modality: Option<&'a str>,
    #[schema(value_type = Vec<String>)]
    input_modalities: Vec<&'static str>,
    #[schema(value_type = Vec<String>)]
    output_modalities: Vec<&'static str>,
    #[schema(required = true)]
    tokenizer: Option<&'a str>,
    #[schema(required = true)]
    instruct_type: Option<&'a str>,
}

/// Limits at the endpoint whose prices are shown.
#[derive(Serialize, ToSchema)]
#[schema(as = TopProvider)]
struct TopProviderView {
    #[schema(required = true)]
    context_length: Option<u64>,
    #[schema(required = true)]
    max_completion_tokens: Option<u64>,
    is_moderated: bool,
}

/// What the model can do about reasoning.
#[derive(Serialize, ToSchema)]
#[schema(as = ModelReasoning)]
struct ReasoningView<'a> {
    /// It cannot be switched off.
    mandatory: bool,
    /// High to low; `null` is all.
    #[schema(required = true)]
    supported_efforts: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    default_effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    default_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    supports_max_tokens: Option<bool>,
}

/// Where a moving name points.
#[derive(Serialize, ToSchema)]
#[schema(as = AliasTarget)]
pub(crate) struct AliasTargetView<'a> {
    pub(crate) name: &'a str,
    pub(crate) slug: &'a str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ModelLinks)]
struct LinksView {
    /// The path of the model's endpoints.
    details: String,
}

impl<'a> ModelView<'a> {
    /// A model with the prices of one of its endpoints.
    pub(crate) fn new(model: &'a Model, shown: &Endpoint) -> Self {
        Self {
            id: model.id.as_str(),
            object: "model",
            owned_by: &model.author,
            canonical_slug: &model.canonical_slug,
            hugging_face_id: model.hugging_face_id.as_deref(),
            name: &model.name,
            created: model.created.unwrap_or(0),
            description: model.description.as_deref(),
            context_length: model.context_length,
            architecture: ArchitectureView::from(model),
            pricing: PricingView::new(shown),
            top_provider: TopProviderView {
                context_length: shown.context_length,
                max_completion_tokens: shown.max_completion_tokens,
                is_moderated: model.is_moderated,
            },
            per_request_limits: None,
            supported_parameters: model
                .supported_parameters
                .iter()
                .map(Parameter::as_str)
                .collect(),
            default_parameters: model.default_parameters.as_deref(),
            supported_voices: None,
            reasoning: model
                .reasoning
                .supported
                .then(|| ReasoningView::from(&model.reasoning)),
            knowledge_cutoff: model.knowledge_cutoff.as_deref(),
            expiration_date: model.expiration_date.as_deref(),
            alias_target: None,
            links: LinksView {
                details: format!("/api/v1/models/{}/endpoints", model.id),
            },
        }
    }
}

impl<'a> From<&'a Model> for ArchitectureView<'a> {
    fn from(model: &'a Model) -> Self {
        Self {
            modality: model.modality.as_deref(),
            input_modalities: model
                .input_modalities
                .iter()
                .map(Modality::as_str)
                .collect(),
            output_modalities: model
                .output_modalities
                .iter()
                .map(Modality::as_str)
                .collect(),
            tokenizer: model.tokenizer.as_deref(),
            instruct_type: model.instruct_type.as_deref(),
        }
    }
}

impl<'a> From<&'a ReasoningSupport> for ReasoningView<'a> {
    fn from(reasoning: &'a ReasoningSupport) -> Self {
        Self {
            mandatory: reasoning.mandatory,
            supported_efforts: reasoning.supported_efforts.as_deref(),
            default_effort: reasoning.default_effort.as_deref(),
            default_enabled: reasoning.default_enabled,
            supports_max_tokens: reasoning.supports_max_tokens,
        }
    }
}
