//! Rate limits as each dialect's headers tell them.

use crate::{
    behaviour::{RateLimit, RateLimits},
    dialect::Dialect,
};

impl RateLimits {
    /// The headers for what is given.
    pub(crate) fn headers(&self, dialect: Dialect) -> Vec<(String, String)> {
        let both = [("requests", &self.requests), ("tokens", &self.tokens)];
        let anthropics = [
            ("input-tokens", &self.input_tokens),
            ("output-tokens", &self.output_tokens),
        ];
        let told: &[_] = match dialect {
            Dialect::OpenAiChat => &[],
            Dialect::AnthropicMessages => &anthropics,
        };
        both.iter()
            .chain(told)
            .filter_map(|(what, limit)| Some((*what, limit.as_ref()?)))
            .flat_map(|(what, limit)| one(dialect, what, limit))
            .collect()
    }
}

fn one(dialect: Dialect, what: &str, limit: &RateLimit) -> Vec<(String, String)> {
    let name = |figure: &str| match dialect {
        Dialect::OpenAiChat => format!("x-ratelimit-{figure}-{what}"),
        Dialect::AnthropicMessages => format!("anthropic-ratelimit-{what}-{figure}"),
    };
    let mut headers = vec![
        (name("limit"), limit.limit.to_string()),
        (name("remaining"), limit.remaining.to_string()),
    ];
    if let Some(reset) = &limit.reset {
        headers.push((name("reset"), reset.clone()));
    }
    headers
}
