//! The compared values of a refusal. Most refusals are never read, so the words are put together
//! only when somebody does.

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer};
use switchyard_domain::{
    model::{Modalities, Modality, Parameter, Parameters},
    money::Price,
};

use crate::{cost::per_million, slug::in_words};

/// The compared values, in words once it is displayed or serialised.
#[derive(Debug, Clone, PartialEq)]
pub enum Detail {
    /// Always the same words.
    Fixed(&'static str),
    /// Words that several refusals of one decision share.
    Shared(Arc<str>),
    /// Words around figures.
    Figures(Figures),
}

/// Compared figures, and the sentence they belong to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figures {
    /// Prompt and output exceed the context.
    Context {
        /// The prompt's tokens, as estimated.
        prompt: u64,
        /// The output's tokens, as asked for.
        output: u64,
        /// The tokens there is room for.
        context: u64,
    },
    /// The prompt exceeds a limit on prompts.
    Prompt {
        /// The prompt's tokens, as estimated.
        prompt: u64,
        /// The most there may be.
        most: u64,
    },
    /// The output exceeds a limit on outputs.
    Output {
        /// The output's tokens, as asked for.
        output: u64,
        /// The most there may be.
        most: u64,
    },
    /// A price per token exceeds a ceiling.
    TokenPrice {
        /// The price.
        price: Price,
        /// The most it may be.
        ceiling: Price,
    },
    /// A price per request or image exceeds a ceiling.
    PiecePrice {
        /// The price.
        price: Price,
        /// The most it may be.
        ceiling: Price,
    },
    /// Parameters that are not supported.
    Lacks(Parameters),
    /// Kinds of input that the model does not take.
    NoInput(Modalities),
    /// Kinds of output that the model does not give.
    NoOutput(Modalities),
    /// Kinds of output that belong to another API.
    Answers(Modalities),
    /// How long prompts are kept.
    KeptForDays(u32),
    /// The provider is not offered in this country.
    ProviderCountry([u8; 2]),
    /// The model is not offered in this country.
    ModelCountry([u8; 2]),
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(words) => f.write_str(words),
            Self::Shared(words) => f.write_str(words),
            Self::Figures(figures) => figures.fmt(f),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Context {
                prompt,
                output,
                context,
            } => write!(
                f,
                "about {prompt} prompt and {output} output tokens exceed the context of {context}"
            ),
            Self::Prompt { prompt, most } => {
                write!(f, "about {prompt} prompt tokens exceed its limit of {most}")
            }
            Self::Output { output, most } => {
                write!(f, "{output} output tokens exceed its limit of {most}")
            }
            Self::TokenPrice { price, ceiling } => write!(
                f,
                "${} per million tokens exceeds ${}",
                per_million(price),
                per_million(ceiling)
            ),
            Self::PiecePrice { price, ceiling } => write!(f, "${price} exceeds ${ceiling}"),
            Self::Lacks(missing) => write!(f, "it lacks {}", parameters(missing)),
            Self::NoInput(refused) => {
                write!(f, "the model does not take {} input", kinds(refused))
            }
            Self::NoOutput(missing) => {
                write!(f, "the model does not give {} output", kinds(missing))
            }
            Self::Answers(given) => write!(f, "the model answers with {}", kinds(given)),
            Self::KeptForDays(days) => write!(f, "it keeps prompts for {days} days"),
            Self::ProviderCountry(code) => {
                write!(f, "the provider is not offered in {}", country(&code))
            }
            Self::ModelCountry(code) => {
                write!(f, "the model is not offered in {}", country(&code))
            }
        }
    }
}

fn parameters(set: Parameters) -> String {
    in_words(&set.iter().map(Parameter::as_str).collect::<Vec<_>>())
}

fn kinds(set: Modalities) -> String {
    in_words(&set.iter().map(Modality::as_str).collect::<Vec<_>>())
}

fn country(code: &[u8; 2]) -> &str {
    std::str::from_utf8(code).unwrap_or("this country")
}

impl Serialize for Detail {
    /// As the words.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<&'static str> for Detail {
    fn from(words: &'static str) -> Self {
        Self::Fixed(words)
    }
}

impl From<Arc<str>> for Detail {
    fn from(words: Arc<str>) -> Self {
        Self::Shared(words)
    }
}

impl From<Figures> for Detail {
    fn from(figures: Figures) -> Self {
        Self::Figures(figures)
    }
}
