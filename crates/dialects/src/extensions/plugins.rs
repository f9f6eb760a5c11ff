//! Plugins. Those of the auto router bound its choice; of the others none is offered yet, so only
//! those that would change nothing are accepted.

use serde_json::value::RawValue;
use switchyard_interchange::preferences::{CostTier, RouterOptions};

use super::preferences::LIST_MAX;
use crate::{
    error::DecodeError,
    json::{self, Text, wire_object},
};

/// Plugins one request may list.
const PLUGINS_MAX: usize = 32;

wire_object! {
    /// One entry of `plugins`.
    strict struct WirePlugin<'a> {
        "id" => id: Text<'a>,
        "enabled" => enabled: bool,
        "pdf" => pdf: WirePdf<'a>,
        "allowed_models" => allowed_models: Vec<String>,
        "excluded_models" => excluded_models: Vec<String>,
        "cost_tier" => cost_tier: Text<'a>,
        "pin_model" => pin_model: String,
    }
}

wire_object! {
    /// How `file-parser` should read PDF files.
    strict struct WirePdf<'a> {
        "engine" => engine: Text<'a>,
    }
}

/// The settings of the router model among those asked for: `model`, then `models`.
///
/// Either router's plugin is understood, and only the one of the router asked for counts. A plugin
/// that is off or changes nothing is accepted, any other refused by name.
pub(super) fn decode(
    plugins: Option<&RawValue>,
    model: Option<&str>,
    models: &[String],
) -> Result<Option<RouterOptions>, DecodeError> {
    let Some(plugins) = plugins else {
        return Ok(None);
    };
    let plugins: Vec<WirePlugin<'_>> = json::parse_at("plugins", plugins)?;
    if plugins.len() > PLUGINS_MAX {
        return Err(DecodeError::too_large(
            "plugins",
            format!("at most {PLUGINS_MAX} plugins"),
        ));
    }
    let counts = model
        .into_iter()
        .chain(models.iter().map(String::as_str))
        .find_map(plugin_of);
    let mut router = None;
    for (index, plugin) in plugins.into_iter().enumerate() {
        let at = format!("plugins[{index}]");
        let Some(id) = plugin.id.as_deref() else {
            return Err(DecodeError::invalid(format!("{at}.id"), "is required"));
        };
        if !ROUTERS.contains(&id) || plugin.enabled == Some(false) {
            check_other(&at, id, &plugin)?;
            continue;
        }
        let is_counted = counts == Some(id);
        if is_counted && router.is_some() {
            return Err(DecodeError::invalid(format!("{at}.id"), "is listed twice"));
        }
        let options = router_options(plugin).map_err(|error| error.within(&at))?;
        if is_counted {
            router = Some(options);
        }
    }
    Ok(router)
}

/// The plugins that the auto router reads.
const ROUTERS: [&str; 2] = [AUTO, AUTO_BETA];
const AUTO: &str = "auto-router";
const AUTO_BETA: &str = "auto-beta-router";

/// The plugin that a router model reads; its variant does not matter.
fn plugin_of(model: &str) -> Option<&'static str> {
    match model.split([':', '@']).next()? {
        "switchyard/auto" | "openrouter/auto" => Some(AUTO),
        "switchyard/auto-beta" | "openrouter/auto-beta" => Some(AUTO_BETA),
        _ => None,
    }
}

fn router_options(plugin: WirePlugin<'_>) -> Result<RouterOptions, DecodeError> {
    let cost_tier = match plugin.cost_tier.as_deref() {
        None => None,
        Some("low") => Some(CostTier::Low),
        Some("medium") => Some(CostTier::Medium),
        Some("high") => Some(CostTier::High),
        Some("max") => Some(CostTier::Max),
        Some(_) => {
            return Err(DecodeError::invalid(
                "cost_tier",
                "expected low, medium, high or max",
            ));
        }
    };
    if plugin.pin_model.as_deref() == Some("") {
        return Err(DecodeError::invalid("pin_model", "must not be empty"));
    }
    Ok(RouterOptions {
        allowed_models: patterns("allowed_models", plugin.allowed_models)?,
        excluded_models: patterns("excluded_models", plugin.excluded_models)?,
        cost_tier,
        pin_model: plugin.pin_model,
    })
}

fn patterns(path: &str, list: Option<Vec<String>>) -> Result<Vec<String>, DecodeError> {
    let list = list.unwrap_or_default();
    if list.len() > LIST_MAX {
        return Err(DecodeError::too_large(
            path,
            format!("at most {LIST_MAX} entries"),
        ));
    }
    match list.iter().position(|pattern| pattern.trim().is_empty()) {
        Some(index) => Err(DecodeError::invalid(
            format!("{path}[{index}]"),
            "must not be empty",
        )),
        None => Ok(list),
    }
}

/// `transforms: ["middle-out"]` is let through: clients send it by habit, and without it a prompt
/// that is too long is refused instead of shortened, which is the safer of the two.
pub(super) fn check_transforms(transforms: Option<&RawValue>) -> Result<(), DecodeError> {
    let Some(transforms) = transforms else {
        return Ok(());
    };
    let names: Vec<Text<'_>> = json::parse_at("transforms", transforms)?;
    match names.iter().position(|name| &**name != "middle-out") {
        Some(index) => Err(DecodeError::unsupported(
            format!("transforms[{index}]"),
            "only \"middle-out\" is known",
        )),
        None => Ok(()),
    }
}

fn check_other(at: &str, id: &str, plugin: &WirePlugin<'_>) -> Result<(), DecodeError> {
    // Files always reach the model as they are, which is what the native engine means.
    let native_files = id == "file-parser"
        && plugin
            .pdf
            .as_ref()
            .is_some_and(|pdf| pdf.engine.as_deref() == Some("native"));
    if plugin.enabled == Some(false) || native_files {
        return Ok(());
    }
    let id = json::in_brief(id);
    Err(DecodeError::unsupported(
        at,
        format!("the plugin `{id}` is not offered; leave it out or send \"enabled\": false"),
    ))
}
