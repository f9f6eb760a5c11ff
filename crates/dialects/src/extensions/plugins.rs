//! Plugins. None is offered yet, so only those that would change nothing are accepted.

use serde_json::value::RawValue;

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
    }
}

wire_object! {
    /// How `file-parser` should read PDF files.
    strict struct WirePdf<'a> {
        "engine" => engine: Text<'a>,
    }
}

/// Accepts plugins that are off or change nothing, and refuses the others by name.
///
/// `transforms: ["middle-out"]` is let through: clients send it by habit, and without it a prompt
/// that is too long is refused instead of shortened, which is the safer of the two.
pub(super) fn check(
    plugins: Option<&RawValue>,
    transforms: Option<&RawValue>,
) -> Result<(), DecodeError> {
    if let Some(transforms) = transforms {
        let names: Vec<Text<'_>> = json::parse_at("transforms", transforms)?;
        if let Some(index) = names.iter().position(|name| &**name != "middle-out") {
            return Err(DecodeError::unsupported(
                format!("transforms[{index}]"),
                "only \"middle-out\" is known",
            ));
        }
    }
    let Some(plugins) = plugins else {
        return Ok(());
    };
    let plugins: Vec<WirePlugin<'_>> = json::parse_at("plugins", plugins)?;
    if plugins.len() > PLUGINS_MAX {
        return Err(DecodeError::too_large(
            "plugins",
            format!("at most {PLUGINS_MAX} plugins"),
        ));
    }
    plugins
        .iter()
        .enumerate()
        .try_for_each(|(index, plugin)| check_one(index, plugin))
}

fn check_one(index: usize, plugin: &WirePlugin<'_>) -> Result<(), DecodeError> {
    let Some(id) = &plugin.id else {
        return Err(DecodeError::invalid(
            format!("plugins[{index}].id"),
            "is required",
        ));
    };
    // Files always reach the model as they are, which is what the native engine means.
    let native_files = &**id == "file-parser"
        && plugin
            .pdf
            .as_ref()
            .is_some_and(|pdf| pdf.engine.as_deref() == Some("native"));
    if plugin.enabled == Some(false) || native_files {
        return Ok(());
    }
    let id: String = id.chars().take(64).collect();
    Err(DecodeError::unsupported(
        format!("plugins[{index}]"),
        format!("the plugin `{id}` is not offered; leave it out or send \"enabled\": false"),
    ))
}
