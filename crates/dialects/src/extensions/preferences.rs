//! The `provider` object.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use switchyard_domain::money::Price;
use switchyard_interchange::preferences::{
    Caching, DataCollection, MaxPrice, Partition, Percentiles, ProviderPreferences, Sort, SortKey,
    Sticky,
};

use super::{capabilities, decimal::floor_units};
use crate::{
    error::DecodeError,
    json::{self, RawObject, Text, in_brief, wire_object},
};

/// Entries each list may have.
pub(super) const LIST_MAX: usize = 256;
/// Weight formats a caller may filter by.
pub(super) const QUANTIZATIONS: [&str; 12] = [
    "int4", "int8", "fp4", "mxfp4", "nvfp4", "fp6", "fp8", "mxfp8", "fp16", "bf16", "fp32",
    "unknown",
];
/// Dollars per million tokens are micro-dollars per token: six digits make pico-dollars.
const PER_MILLION_DIGITS: i64 = 6;
/// Dollars per unit: twelve digits make pico-dollars.
const PER_UNIT_DIGITS: i64 = 12;
/// Throughput and latency are held in thousandths.
const THOUSANDTHS_DIGITS: i64 = 3;
/// Providers whose time to the first token one request may bound.
const TIMEOUTS_MAX: usize = 64;
/// The longest such bound, in milliseconds.
const TIMEOUT_MS_MAX: u64 = 789_000;
/// The longest deadline for the first token over all attempts, in milliseconds.
const DEADLINE_MS_MAX: u64 = 600_000;

wire_object! {
    /// `provider`, closed: a misspelt privacy switch must not be skipped in silence.
    closed struct WirePreferences<'a> {
        "order" => order: Vec<String>,
        "allow_fallbacks" => allow_fallbacks: bool,
        "require_parameters" => require_parameters: bool,
        "data_collection" => data_collection: Text<'a>,
        "zdr" => zdr: bool,
        "enforce_distillable_text" => enforce_distillable_text: bool,
        "only" => only: Vec<String>,
        "ignore" => ignore: Vec<String>,
        "quantizations" => quantizations: Vec<String>,
        "sort" => sort: &'a RawValue,
        "max_price" => max_price: WireMaxPrice<'a>,
        "preferred_min_throughput" => preferred_min_throughput: &'a RawValue,
        "preferred_max_latency" => preferred_max_latency: &'a RawValue,
        "has" => has: Vec<String>,
        "sticky" => sticky: Text<'a>,
        "caching" => caching: Text<'a>,
        "first_token_timeouts" => first_token_timeouts: &'a RawValue,
        "first_token_deadline_ms" => first_token_deadline_ms: &'a RawValue,
        "hedge" => hedge: bool,
    }
}

wire_object! {
    /// `provider.sort` in its long form.
    closed struct WireSort<'a> {
        "by" => by: Text<'a>,
        "partition" => partition: Text<'a>,
    }
}

wire_object! {
    /// `provider.max_price`: numbers or decimal strings.
    closed struct WireMaxPrice<'a> {
        "prompt" => prompt: &'a RawValue,
        "completion" => completion: &'a RawValue,
        "request" => request: &'a RawValue,
        "image" => image: &'a RawValue,
        "audio" => audio: &'a RawValue,
    }
}

wire_object! {
    /// Cut-offs by percentile.
    closed struct WirePercentiles<'a> {
        "p50" => p50: &'a RawValue,
        "p75" => p75: &'a RawValue,
        "p90" => p90: &'a RawValue,
        "p99" => p99: &'a RawValue,
    }
}

/// Reads `provider` and the deprecated `route`. `beside` is what was stated elsewhere: of privacy
/// the stricter word counts, of everything else the `provider` object's.
pub(super) fn decode(
    provider: Option<&RawValue>,
    route: Option<&RawValue>,
    beside: ProviderPreferences,
) -> Result<ProviderPreferences, DecodeError> {
    let route_partition = decode_route(route)?;
    let Some(provider) = provider else {
        return Ok(beside);
    };
    decode_object(provider, route_partition, beside).map_err(|error| error.within("provider"))
}

fn decode_object(
    provider: &RawValue,
    route_partition: Option<Partition>,
    beside: ProviderPreferences,
) -> Result<ProviderPreferences, DecodeError> {
    let wire: WirePreferences<'_> = json::parse_at("", provider)?;
    let sort = match wire.sort {
        Some(sort) => decode_sort(sort, route_partition)?,
        None => None,
    };
    let data_collection = match wire.data_collection.as_deref() {
        Some(name) => Some(decode_data_collection(name)?),
        None => None,
    };
    let timeouts = first_token_timeouts(
        "first_token_timeouts",
        wire.first_token_timeouts,
        str::to_owned,
    )?;
    Ok(ProviderPreferences {
        order: slugs("order", wire.order)?.or(beside.order),
        allow_fallbacks: wire.allow_fallbacks,
        require_parameters: wire.require_parameters.unwrap_or(false),
        data_collection: stricter(data_collection, beside.data_collection),
        zdr: wire.zdr.unwrap_or(false) || beside.zdr,
        enforce_distillable_text: wire.enforce_distillable_text.unwrap_or(false),
        only: slugs("only", wire.only)?.or(beside.only),
        ignore: slugs("ignore", wire.ignore)?.unwrap_or_default(),
        quantizations: decode_quantizations(wire.quantizations)?,
        sort: sort.or(beside.sort),
        max_price: decode_max_price(wire.max_price)?,
        preferred_min_throughput: percentiles(
            "preferred_min_throughput",
            wire.preferred_min_throughput,
        )?,
        preferred_max_latency: percentiles("preferred_max_latency", wire.preferred_max_latency)?,
        has: non_empty(capabilities::decode("has", wire.has)?).unwrap_or(beside.has),
        sticky: decode_sticky(wire.sticky.as_deref())?,
        caching: decode_caching(wire.caching.as_deref())?.unwrap_or(beside.caching),
        first_token_timeouts_ms: if timeouts.is_empty() {
            beside.first_token_timeouts_ms
        } else {
            timeouts
        },
        first_token_deadline_ms: wire
            .first_token_deadline_ms
            .map(|value| milliseconds("first_token_deadline_ms", value, DEADLINE_MS_MAX))
            .transpose()?,
        hedge: wire.hedge.unwrap_or(false),
    })
}

fn non_empty<T>(list: Vec<T>) -> Option<Vec<T>> {
    Some(list).filter(|list| !list.is_empty())
}

fn stricter(one: Option<DataCollection>, other: Option<DataCollection>) -> Option<DataCollection> {
    if other == Some(DataCollection::Deny) {
        return other;
    }
    one.or(other)
}

fn decode_sticky(name: Option<&str>) -> Result<Sticky, DecodeError> {
    match name {
        None | Some("auto") => Ok(Sticky::Auto),
        Some("prefer") => Ok(Sticky::Prefer),
        Some("off") => Ok(Sticky::Off),
        Some(_) => Err(DecodeError::invalid(
            "sticky",
            "expected auto, prefer or off",
        )),
    }
}

fn decode_caching(name: Option<&str>) -> Result<Option<Caching>, DecodeError> {
    match name {
        None => Ok(None),
        Some("auto") => Ok(Some(Caching::Auto)),
        Some("as_marked") => Ok(Some(Caching::AsMarked)),
        Some(_) => Err(DecodeError::invalid(
            "caching",
            "expected auto or as_marked",
        )),
    }
}

/// Milliseconds by provider or tag, named as `named` says.
pub(super) fn first_token_timeouts(
    path: &str,
    value: Option<&RawValue>,
    named: impl Fn(&str) -> String,
) -> Result<BTreeMap<String, u64>, DecodeError> {
    let Some(value) = value else {
        return Ok(BTreeMap::new());
    };
    let object: RawObject<'_> = json::parse_at(path, value)?;
    if object.0.len() > TIMEOUTS_MAX {
        return Err(DecodeError::too_large(
            path,
            format!("at most {TIMEOUTS_MAX} providers"),
        ));
    }
    let mut timeouts = BTreeMap::new();
    for (name, value) in &object.0 {
        if name.trim().is_empty() {
            return Err(DecodeError::invalid(
                path,
                "expected providers' slugs or tags as keys",
            ));
        }
        if value.get() != "null" {
            let at = format!("{path}.{}", in_brief(name));
            timeouts.insert(named(name), milliseconds(&at, value, TIMEOUT_MS_MAX)?);
        }
    }
    Ok(timeouts)
}

fn milliseconds(path: &str, value: &RawValue, longest: u64) -> Result<u64, DecodeError> {
    let milliseconds: u64 = json::parse_at(path, value)?;
    if !(1..=longest).contains(&milliseconds) {
        return Err(DecodeError::invalid(
            path,
            format!("expected 1 to {longest} milliseconds"),
        ));
    }
    Ok(milliseconds)
}

/// An empty list states nothing, except in `only`, where it would leave nobody; clients that
/// build the object from form fields send empty lists throughout, so it counts as absent there too.
pub(super) fn slugs(
    path: &str,
    list: Option<Vec<String>>,
) -> Result<Option<Vec<String>>, DecodeError> {
    let Some(list) = list.filter(|list| !list.is_empty()) else {
        return Ok(None);
    };
    if list.len() > LIST_MAX {
        return Err(DecodeError::too_large(
            path,
            format!("at most {LIST_MAX} entries"),
        ));
    }
    if let Some(index) = list.iter().position(|slug| slug.trim().is_empty()) {
        return Err(DecodeError::invalid(
            format!("{path}[{index}]"),
            "must not be empty",
        ));
    }
    Ok(Some(list))
}

fn decode_data_collection(name: &str) -> Result<DataCollection, DecodeError> {
    match name {
        "allow" => Ok(DataCollection::Allow),
        "deny" => Ok(DataCollection::Deny),
        _ => Err(DecodeError::invalid(
            "data_collection",
            "expected allow or deny",
        )),
    }
}

fn decode_quantizations(list: Option<Vec<String>>) -> Result<Option<Vec<String>>, DecodeError> {
    let Some(list) = list.filter(|list| !list.is_empty()) else {
        return Ok(None);
    };
    match list
        .iter()
        .position(|name| !QUANTIZATIONS.contains(&name.as_str()))
    {
        Some(index) => Err(DecodeError::invalid(
            format!("quantizations[{index}]"),
            format!("expected one of {}", QUANTIZATIONS.join(", ")),
        )),
        None => Ok(Some(list)),
    }
}

fn decode_route(route: Option<&RawValue>) -> Result<Option<Partition>, DecodeError> {
    let Some(route) = route else { return Ok(None) };
    let name: Text<'_> = json::parse_at("route", route)?;
    match &*name {
        "fallback" => Ok(Some(Partition::Model)),
        "sort" => Ok(Some(Partition::None)),
        _ => Err(DecodeError::invalid("route", "expected fallback or sort")),
    }
}

fn decode_sort(
    value: &RawValue,
    route_partition: Option<Partition>,
) -> Result<Option<Sort>, DecodeError> {
    let wire = if value.get().starts_with('"') {
        WireSort {
            by: Some(json::parse_at("sort", value)?),
            ..WireSort::default()
        }
    } else {
        json::parse_at("sort", value)?
    };
    let partition = match wire.partition.as_deref() {
        None => route_partition,
        Some("model") => Some(Partition::Model),
        Some("none") => Some(Partition::None),
        Some(_) => {
            return Err(DecodeError::invalid(
                "sort.partition",
                "expected model or none",
            ));
        }
    };
    let by = match wire.by.as_deref() {
        Some("price") => SortKey::Price,
        Some("throughput") => SortKey::Throughput,
        Some("latency") => SortKey::Latency,
        Some("exacto") => SortKey::Exacto,
        Some("expected_cost") => SortKey::ExpectedCost,
        Some(_) => {
            return Err(DecodeError::invalid(
                "sort",
                "expected price, throughput, latency, exacto or expected_cost",
            ));
        }
        None if wire.partition.is_some() && partition == Some(Partition::None) => {
            return Err(DecodeError::unsupported(
                "sort.by",
                "is needed beside \"partition\": \"none\"",
            ));
        }
        None => return Ok(None),
    };
    Ok(Some(Sort {
        by,
        partition: partition.unwrap_or_default(),
    }))
}

fn decode_max_price(wire: Option<WireMaxPrice<'_>>) -> Result<MaxPrice, DecodeError> {
    let Some(wire) = wire else {
        return Ok(MaxPrice::default());
    };
    let price = |path, value: Option<&RawValue>, digits| {
        value.map(|value| ceiling(path, value, digits)).transpose()
    };
    Ok(MaxPrice {
        prompt: price("max_price.prompt", wire.prompt, PER_MILLION_DIGITS)?,
        completion: price("max_price.completion", wire.completion, PER_MILLION_DIGITS)?,
        request: price("max_price.request", wire.request, PER_UNIT_DIGITS)?,
        image: price("max_price.image", wire.image, PER_UNIT_DIGITS)?,
        audio: price("max_price.audio", wire.audio, PER_MILLION_DIGITS)?,
    })
}

/// A ceiling in whole pico-dollars. Prices are whole pico-dollars too, so rounding down admits
/// exactly the same ones.
fn ceiling(path: &str, value: &RawValue, digits: i64) -> Result<Price, DecodeError> {
    units(path, value, digits)?
        .and_then(Price::from_picos)
        .ok_or_else(|| DecodeError::invalid(path, "expected a non-negative decimal in US dollars"))
}

fn percentiles(path: &str, value: Option<&RawValue>) -> Result<Option<Percentiles>, DecodeError> {
    let Some(value) = value else { return Ok(None) };
    if !value.get().starts_with('{') {
        return Ok(Some(Percentiles {
            p50: Some(thousandths(path, value)?),
            ..Percentiles::default()
        }));
    }
    let wire: WirePercentiles<'_> = json::parse_at(path, value)?;
    let cut = |name: &str, value: Option<&RawValue>| {
        value
            .map(|value| thousandths(&format!("{path}.{name}"), value))
            .transpose()
    };
    let percentiles = Percentiles {
        p50: cut("p50", wire.p50)?,
        p75: cut("p75", wire.p75)?,
        p90: cut("p90", wire.p90)?,
        p99: cut("p99", wire.p99)?,
    };
    Ok(Some(percentiles).filter(|percentiles| *percentiles != Percentiles::default()))
}

fn thousandths(path: &str, value: &RawValue) -> Result<u64, DecodeError> {
    units(path, value, THOUSANDTHS_DIGITS)?
        .and_then(|units| u64::try_from(units).ok())
        .ok_or_else(|| DecodeError::invalid(path, "expected a non-negative number"))
}

/// A number, or a string that holds one, in units of `10^-digits`.
fn units(path: &str, value: &RawValue, digits: i64) -> Result<Option<i64>, DecodeError> {
    let raw = value.get();
    if raw.starts_with('"') {
        let text: Text<'_> = json::parse_at(path, value)?;
        return Ok(floor_units(text.trim(), digits));
    }
    // Anything but a number fails on its first character.
    Ok(floor_units(raw, digits))
}
