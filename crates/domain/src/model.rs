//! What is asked for: model ids, the parameters a request may carry, and modalities.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// A model's public id: `author/slug`, with a variant suffix where the variant is a row of its
/// own (`author/slug:free`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelId(Arc<str>);

impl ModelId {
    /// Wraps an id. Whether such a model exists is the catalogue's to say.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ModelId {
    /// Lets maps keyed by the id be asked with a plain text.
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! define_set {
    ($(#[$set_doc:meta])* $set:ident of $(#[$item_doc:meta])* $item:ident($bits:ty) {
        $($(#[$doc:meta])* $variant:ident = $name:literal,)+
    }) => {
        $(#[$item_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $item {
            $($(#[$doc])* $variant,)+
        }

        impl $item {
            /// All of them, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The public name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The one with this public name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|item| item.as_str() == name)
            }
        }

        $(#[$set_doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $set($bits);

        impl $set {
            /// The empty set.
            pub const EMPTY: Self = Self(0);

            /// This set with `item` in it.
            #[must_use]
            pub const fn with(self, item: $item) -> Self {
                Self(self.0 | 1 << item as u32)
            }

            /// This set without `item`.
            #[must_use]
            pub const fn without(self, item: $item) -> Self {
                Self(self.0 & !(1 << item as u32))
            }

            /// Adds `item` where the condition holds.
            #[must_use]
            pub const fn with_if(self, condition: bool, item: $item) -> Self {
                if condition { self.with(item) } else { self }
            }

            /// Whether `item` is in it.
            pub const fn contains(self, item: $item) -> bool {
                self.0 & (1 << item as u32) != 0
            }

            /// Whether every member of `other` is in it.
            pub const fn contains_all(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// What is here and not in `other`.
            #[must_use]
            pub const fn minus(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }

            /// What is in either.
            #[must_use]
            pub const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// What is in both.
            #[must_use]
            pub const fn intersection(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }

            /// Whether nothing is in it.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// The members, in the order of declaration.
            pub fn iter(self) -> impl Iterator<Item = $item> {
                $item::ALL.iter().copied().filter(move |item| self.contains(*item))
            }
        }

        impl FromIterator<$item> for $set {
            fn from_iter<I: IntoIterator<Item = $item>>(items: I) -> Self {
                items.into_iter().fold(Self::EMPTY, Self::with)
            }
        }

        impl Serialize for $set {
            /// A list of public names.
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.iter().map($item::as_str))
            }
        }

        impl<'de> Deserialize<'de> for $set {
            /// Names nobody knows any more are left out.
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let names = Vec::<String>::deserialize(deserializer)?;
                Ok(names.iter().filter_map(|name| $item::from_name(name)).collect())
            }
        }

        impl fmt::Debug for $set {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_set().entries(self.iter().map($item::as_str)).finish()
            }
        }
    };
}

define_set! {
    /// A set of request parameters.
    Parameters of
    /// A request parameter by its public (OpenRouter) name, as endpoints declare support for it.
    Parameter(u64) {
        /// Sampling temperature.
        Temperature = "temperature",
        /// Nucleus sampling.
        TopP = "top_p",
        /// Top-k sampling.
        TopK = "top_k",
        /// Minimum probability sampling.
        MinP = "min_p",
        /// Top-a sampling.
        TopA = "top_a",
        /// Penalty by frequency.
        FrequencyPenalty = "frequency_penalty",
        /// Penalty by presence.
        PresencePenalty = "presence_penalty",
        /// Penalty by repetition.
        RepetitionPenalty = "repetition_penalty",
        /// Output limit, old name.
        MaxTokens = "max_tokens",
        /// Output limit, new name.
        MaxCompletionTokens = "max_completion_tokens",
        /// Per-token bias.
        LogitBias = "logit_bias",
        /// Log probabilities.
        Logprobs = "logprobs",
        /// Alternatives per position.
        TopLogprobs = "top_logprobs",
        /// Predicted output.
        Prediction = "prediction",
        /// Sampling seed.
        Seed = "seed",
        /// `response_format` other than text.
        ResponseFormat = "response_format",
        /// Strict JSON schema output.
        StructuredOutputs = "structured_outputs",
        /// Stop sequences.
        Stop = "stop",
        /// Function tools.
        Tools = "tools",
        /// Tool choice.
        ToolChoice = "tool_choice",
        /// Parallel tool calls switch.
        ParallelToolCalls = "parallel_tool_calls",
        /// Returning reasoning.
        IncludeReasoning = "include_reasoning",
        /// Reasoning control.
        Reasoning = "reasoning",
        /// Reasoning effort shorthand.
        ReasoningEffort = "reasoning_effort",
        /// Native web search options.
        WebSearchOptions = "web_search_options",
        /// Verbosity hint.
        Verbosity = "verbosity",
    }
}

define_set! {
    /// A set of modalities.
    Modalities of
    /// A kind of input or output.
    Modality(u16) {
        /// Text.
        Text = "text",
        /// Still images.
        Image = "image",
        /// Documents such as PDF.
        File = "file",
        /// Sound.
        Audio = "audio",
        /// Moving images.
        Video = "video",
        /// Vectors, an output only.
        Embeddings = "embeddings",
        /// Relevance scores, an output only.
        Rerank = "rerank",
        /// Spoken output.
        Speech = "speech",
        /// Transcribed input.
        Transcription = "transcription",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_was_put_in() {
        let set: Parameters = [Parameter::Tools, Parameter::Verbosity]
            .into_iter()
            .collect();
        assert!(set.contains(Parameter::Tools) && !set.contains(Parameter::Stop));
        assert!(set.contains_all(Parameters::EMPTY.with(Parameter::Verbosity)));
        assert_eq!(set.minus(set), Parameters::EMPTY);
        assert_eq!(format!("{set:?}"), r#"{"tools", "verbosity"}"#);
    }

    #[test]
    fn names_round_trip() {
        for parameter in Parameter::ALL {
            assert_eq!(Parameter::from_name(parameter.as_str()), Some(*parameter));
        }
    }
}
