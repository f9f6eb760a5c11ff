//! A provider's answer as it stands on the wire. Providers deviate in types, so everything here
//! takes what it finds and treats the unexpected as absent.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::json::wire_object;

wire_object! {
    /// A completion, or one chunk of it.
    lenient struct WireAnswer<'a> {
        "id" => id: Soft<'a>,
        "model" => model: Soft<'a>,
        "choices" => choices: WireChoices<'a>,
        "usage" => usage: &'a RawValue,
        "x_groq" => x_groq: &'a RawValue,
        "service_tier" => service_tier: Soft<'a>,
        "error" => error: &'a RawValue,
        "citations" => citations: &'a RawValue,
        "search_results" => search_results: &'a RawValue,
    }
}

wire_object! {
    /// One of `choices`.
    lenient struct WireChoice<'a> {
        "index" => index: Count,
        "delta" => delta: WireSaid<'a>,
        "message" => message: WireSaid<'a>,
        "finish_reason" => finish_reason: Soft<'a>,
        "native_finish_reason" => native_finish_reason: Soft<'a>,
        "error" => error: &'a RawValue,
        "usage" => usage: &'a RawValue,
    }
}

wire_object! {
    /// A `message`, or a `delta` of one.
    lenient struct WireSaid<'a> {
        "content" => content: WireText<'a>,
        "reasoning" => reasoning: Soft<'a>,
        "reasoning_content" => reasoning_content: Soft<'a>,
        "reasoning_details" => reasoning_details: &'a RawValue,
        "tool_calls" => tool_calls: Vec<WireCall<'a>>,
        "refusal" => refusal: Soft<'a>,
        "annotations" => annotations: &'a RawValue,
    }
}

wire_object! {
    /// A tool call, or a fragment of one.
    lenient struct WireCall<'a> {
        "index" => index: Count,
        "id" => id: Soft<'a>,
        "function" => function: WireFunctionCall<'a>,
    }
}

wire_object! {
    /// The function of a call. Arguments are a string, or an object where hosts err.
    lenient struct WireFunctionCall<'a> {
        "name" => name: Soft<'a>,
        "arguments" => arguments: &'a RawValue,
    }
}

wire_object! {
    /// A piece of content where content is a list.
    lenient struct WireItem<'a> {
        "text" => text: Soft<'a>,
        "thinking" => thinking: WireText<'a>,
    }
}

wire_object! {
    /// One of `annotations`.
    lenient struct WireAnnotation<'a> {
        "url_citation" => url_citation: WireCitation<'a>,
    }
}

wire_object! {
    /// A cited source, also as an entry of `search_results`.
    lenient struct WireCitation<'a> {
        "url" => url: Soft<'a>,
        "title" => title: Soft<'a>,
        "content" => content: Soft<'a>,
        "start_index" => start_index: Count,
        "end_index" => end_index: Count,
    }
}

/// The first choice, and how many there were; we never ask for more than one.
#[derive(Default)]
pub(crate) struct WireChoices<'a> {
    pub(crate) first: Option<WireChoice<'a>>,
    pub(crate) count: usize,
}

impl<'de> Deserialize<'de> for WireChoices<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ChoicesVisitor;

        impl<'de> Visitor<'de> for ChoicesVisitor {
            type Value = WireChoices<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of choices")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut choices = WireChoices::default();
                while let Some(choice) = items.next_element::<WireChoice<'de>>()? {
                    choices.count += 1;
                    let is_first =
                        choice.index.as_ref().and_then(|index| index.0).unwrap_or(0) == 0;
                    if is_first && choices.first.is_none() {
                        choices.first = Some(choice);
                    }
                }
                Ok(choices)
            }
        }

        deserializer.deserialize_seq(ChoicesVisitor)
    }
}

/// Content: a string, a list of items, or nothing of use.
pub(crate) enum WireText<'a> {
    Nothing,
    Text(Cow<'a, str>),
    Items(Vec<WireItem<'a>>),
}

/// A string; anything else counts as absent.
#[derive(Default)]
pub(crate) struct Soft<'a>(pub(crate) Option<Cow<'a, str>>);

/// A count: a number of any kind, or a string that holds one. Anything else counts as absent.
#[derive(Default, Clone, Copy)]
pub(crate) struct Count(pub(crate) Option<u64>);

impl<'a> Soft<'a> {
    /// The string, unless it is empty.
    pub(crate) fn filled(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }
}

/// The string of an optional field, unless it is empty.
pub(crate) fn filled<'s>(field: &'s Option<Soft<'_>>) -> Option<&'s str> {
    field.as_ref().and_then(Soft::filled)
}

/// Implements the visits of every JSON type that a visitor takes for nothing.
macro_rules! nothing_of {
    ($lt:lifetime, $nothing:expr, $($kind:ident)*) => {
        $(nothing_of!(@one $lt, $nothing, $kind);)*
    };
    (@one $lt:lifetime, $nothing:expr, bool) => {
        fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok($nothing)
        }
    };
    (@one $lt:lifetime, $nothing:expr, number) => {
        fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok($nothing)
        }

        fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok($nothing)
        }

        fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok($nothing)
        }
    };
    (@one $lt:lifetime, $nothing:expr, null) => {
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok($nothing)
        }
    };
    (@one $lt:lifetime, $nothing:expr, array) => {
        fn visit_seq<A: SeqAccess<$lt>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            Ok($nothing)
        }
    };
    (@one $lt:lifetime, $nothing:expr, object) => {
        fn visit_map<A: MapAccess<$lt>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
            while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok($nothing)
        }
    };
}

impl<'de> Deserialize<'de> for Soft<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SoftVisitor;

        impl<'de> Visitor<'de> for SoftVisitor {
            type Value = Soft<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Soft(Some(Cow::Borrowed(text))))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Soft(Some(Cow::Owned(text.to_owned()))))
            }

            nothing_of! { 'de, Soft(None), bool number null array object }
        }

        deserializer.deserialize_any(SoftVisitor)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountVisitor;

        impl<'de> Visitor<'de> for CountVisitor {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_u64<E: de::Error>(self, count: u64) -> Result<Self::Value, E> {
                Ok(Count(Some(count)))
            }

            fn visit_i64<E: de::Error>(self, count: i64) -> Result<Self::Value, E> {
                Ok(Count(u64::try_from(count).ok()))
            }

            fn visit_f64<E: de::Error>(self, count: f64) -> Result<Self::Value, E> {
                // Doubles hold every whole number below 2^53 exactly, and no count is larger.
                let whole = (0.0..9_007_199_254_740_992.0).contains(&count);
                Ok(Count(whole.then_some(count as u64)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Count(text.trim().parse().ok()))
            }

            nothing_of! { 'de, Count(None), bool null array object }
        }

        deserializer.deserialize_any(CountVisitor)
    }
}

impl<'de> Deserialize<'de> for WireText<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = WireText<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(WireText::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(WireText::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut read = Vec::new();
                while let Some(item) = items.next_element()? {
                    read.push(item);
                }
                Ok(WireText::Items(read))
            }

            nothing_of! { 'de, WireText::Nothing, bool number null object }
        }

        deserializer.deserialize_any(TextVisitor)
    }
}

impl WireSaid<'_> {
    /// Whether every text stands there as a string, so that it may be passed on.
    pub(crate) fn is_plain(&self) -> bool {
        let texts = [&self.reasoning, &self.reasoning_content, &self.refusal];
        matches!(self.content, None | Some(WireText::Text(_)))
            && texts.into_iter().flatten().all(|text| text.0.is_some())
    }
}

impl WireFunctionCall<'_> {
    /// The arguments as JSON text. `None` where they are absent, or break off in a way that only
    /// a broken host produces.
    pub(crate) fn arguments_text(&self) -> Option<Cow<'_, str>> {
        let raw = self.arguments?.get();
        if !raw.starts_with('"') {
            return Some(Cow::Borrowed(raw));
        }
        let text: Soft<'_> = serde_json::from_str(raw).ok()?;
        text.0
    }

    /// Whether the arguments stand there as the format demands.
    pub(crate) fn arguments_are_text(&self) -> bool {
        self.arguments.is_some_and(|raw| raw.get().starts_with('"'))
    }
}

/// Whether an `error` field reports one: some hosts send an empty one with every answer.
pub(crate) fn is_error(value: Option<&RawValue>) -> Option<&RawValue> {
    value.filter(|value| !matches!(value.get(), "null" | "false" | "\"\"" | "{}" | "0" | "[]"))
}
