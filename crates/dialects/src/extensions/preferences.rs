//! The `provider` object.

use serde_json::value::RawValue;
use switchyard_domain::money::Price;
use switchyard_interchange::preferences::{
    DataCollection, MaxPrice, Partition, Percentiles, ProviderPreferences, Sort, SortKey,
};

use super::decimal::floor_units;
use crate::{
    error::DecodeError,
    json::{self, Text, wire_object},
};

/// Entries each list of providers may have.
const LIST_MAX: usize = 256;
/// Weight formats a caller may filter by.
const QUANTIZATIONS: [&str; 12] = [
    "int4", "int8", "fp4", "mxfp4", "nvfp4", "fp6", "fp8", "mxfp8", "fp16", "bf16", "fp32",
    "unknown",
];
/// Dollars per million tokens are micro-dollars per token: six digits make pico-dollars.
const PER_MILLION_DIGITS: i64 = 6;
/// Dollars per unit: twelve digits make pico-dollars.
const PER_UNIT_DIGITS: i64 = 12;
/// Throughput and latency are held in thousandths.
const THOUSANDTHS_DIGITS: i64 = 3;

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

/// Reads `provider` and the deprecated `route`.
pub(super) fn decode(
    provider: Option<&RawValue>,
    route: Option<&RawValue>,
) -> Result<ProviderPreferences, DecodeError> {
    let route_partition = decode_route(route)?;
    let Some(provider) = provider else {
        return Ok(ProviderPreferences::default());
    };
    decode_object(provider, route_partition).map_err(|error| error.within("provider"))
}

fn decode_object(
    provider: &RawValue,
    route_partition: Option<Partition>,
) -> Result<ProviderPreferences, DecodeError> {
    let wire: WirePreferences<'_> = json::parse_at("", provider)?;
    Ok(ProviderPreferences {
        order: slugs("order", wire.order)?,
        allow_fallbacks: wire.allow_fallbacks,
        require_parameters: wire.require_parameters.unwrap_or(false),
        data_collection: wire
            .data_collection
            .as_deref()
            .map(decode_data_collection)
            .transpose()?,
        zdr: wire.zdr.unwrap_or(false),
        enforce_distillable_text: wire.enforce_distillable_text.unwrap_or(false),
        only: slugs("only", wire.only)?,
        ignore: slugs("ignore", wire.ignore)?.unwrap_or_default(),
        quantizations: decode_quantizations(wire.quantizations)?,
        sort: wire
            .sort
            .map(|sort| decode_sort(sort, route_partition))
            .transpose()?
            .flatten(),
        max_price: decode_max_price(wire.max_price)?,
        preferred_min_throughput: percentiles(
            "preferred_min_throughput",
            wire.preferred_min_throughput,
        )?,
        preferred_max_latency: percentiles("preferred_max_latency", wire.preferred_max_latency)?,
        ..ProviderPreferences::default()
    })
}

/// An empty list states nothing, except in `only`, where it would leave nobody; clients that
/// build the object from form fields send empty lists throughout, so it counts as absent there too.
fn slugs(path: &str, list: Option<Vec<String>>) -> Result<Option<Vec<String>>, DecodeError> {
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
        Some(_) => {
            return Err(DecodeError::invalid(
                "sort",
                "expected price, throughput, latency or exacto",
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
