//! Who runs the model. Clouds speak the dialect with a few members less.

/// Where a request goes. In a cloud the address names the model, and the body the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    Anthropic,
    /// Amazon Bedrock's invocation of a model, where the address also says whether to stream.
    Bedrock,
    /// Google Vertex AI's raw prediction.
    Vertex,
}

impl Host {
    /// What `anthropic_version` says, where it stands in the body.
    pub(super) const fn version(self) -> Option<&'static str> {
        match self {
            Self::Anthropic => None,
            Self::Bedrock => Some("bedrock-2023-05-31"),
            Self::Vertex => Some("vertex-2023-10-16"),
        }
    }

    /// Whether the body names the model.
    pub(super) const fn names_model(self) -> bool {
        matches!(self, Self::Anthropic)
    }

    /// Whether the body says that the answer is to be streamed.
    pub(super) const fn names_stream(self) -> bool {
        matches!(self, Self::Anthropic | Self::Vertex)
    }

    /// Whether it places the cache mark itself when the whole prompt is to be kept.
    pub(super) const fn marks_by_itself(self) -> bool {
        matches!(self, Self::Anthropic)
    }

    /// Whether it knows service tiers by the dialect's names.
    pub(super) const fn takes_service_tier(self) -> bool {
        matches!(self, Self::Anthropic)
    }

    /// Whether a member of a caller's body may travel. Clouds refuse the whole request for a
    /// member they do not know.
    pub(super) fn takes(self, member: &str) -> bool {
        match self {
            Self::Anthropic => true,
            Self::Bedrock | Self::Vertex => !matches!(
                member,
                "anthropic_version" | "cache_control" | "service_tier" | "inference_geo"
            ),
        }
    }
}
