//! One content part, and the media and cache marks in it.

use switchyard_domain::{
    model::{Modalities, Modality},
    secret::Private,
};
use switchyard_interchange::message::{CacheLife, CacheMark, MediaSource, Part, Role};

use crate::{
    error::DecodeError,
    openai_chat::wire_request::{WireCacheControl, WirePart, WireUrl},
};

/// Sound formats that clients may send.
const AUDIO_FORMATS: [&str; 9] = [
    "wav", "mp3", "aiff", "aac", "ogg", "flac", "m4a", "pcm16", "pcm24",
];
/// How closely a model may be asked to look at an image.
const IMAGE_DETAILS: [&str; 4] = ["auto", "low", "high", "original"];

pub(super) fn decode(wire: WirePart<'_>, role: Role) -> Result<Part, DecodeError> {
    let cache = mark_of(&wire)?;
    let Some(kind) = wire.kind else {
        return Err(DecodeError::invalid("type", "is required"));
    };
    let text_only = matches!(role, Role::System | Role::Developer | Role::Assistant);
    match (&*kind, text_only) {
        ("text" | "input_text" | "output_text", _) => {
            let text = wire
                .text
                .ok_or_else(|| DecodeError::invalid("text", "is required"))?;
            Ok(Part::Text {
                text: text.into(),
                cache,
            })
        }
        ("refusal", _) if role == Role::Assistant => {
            let text = wire
                .refusal
                .ok_or_else(|| DecodeError::invalid("refusal", "is required"))?;
            Ok(Part::Refusal { text: text.into() })
        }
        ("image_url", false) => {
            let (url, detail) = url_of("image_url", wire.image_url)?;
            if detail
                .as_deref()
                .is_some_and(|detail| !IMAGE_DETAILS.contains(&detail))
            {
                return Err(DecodeError::invalid(
                    "image_url.detail",
                    format!("expected one of {}", IMAGE_DETAILS.join(", ")),
                ));
            }
            Ok(Part::Image {
                source: media_source("image_url.url", url)?,
                detail,
                cache,
            })
        }
        ("video_url" | "input_video", false) => {
            let (url, _) = url_of("video_url", wire.video_url)?;
            Ok(Part::Video {
                source: media_source("video_url.url", url)?,
            })
        }
        ("input_audio", false) => decode_audio(wire.input_audio),
        ("file", false) => decode_file(wire.file, cache),
        ("image_url" | "video_url" | "input_video" | "input_audio" | "file", true) => {
            Err(DecodeError::invalid(
                "type",
                "only text parts may stand in a message of this role",
            ))
        }
        _ => Err(DecodeError::invalid(
            "type",
            "expected text, image_url, input_audio, video_url or file",
        )),
    }
}

fn url_of(path: &str, url: Option<WireUrl>) -> Result<(String, Option<String>), DecodeError> {
    url.and_then(|url| url.url.map(|address| (address, url.detail)))
        .filter(|(address, _)| !address.is_empty())
        .ok_or_else(|| DecodeError::invalid(format!("{path}.url"), "is required"))
}

fn decode_audio(
    wire: Option<super::super::wire_request::WireAudio<'_>>,
) -> Result<Part, DecodeError> {
    let Some(audio) = wire else {
        return Err(DecodeError::invalid("input_audio", "is required"));
    };
    let Some(data) = audio.data.filter(|data| !data.is_empty()) else {
        return Err(DecodeError::invalid(
            "input_audio.data",
            "is required: base64 audio",
        ));
    };
    if data.starts_with("data:") || data.starts_with("http") {
        return Err(DecodeError::invalid(
            "input_audio.data",
            "expected base64, not an address",
        ));
    }
    match audio.format {
        Some(format) if AUDIO_FORMATS.contains(&&*format) => Ok(Part::Audio {
            data: data.into(),
            format: format.0.into_owned(),
        }),
        _ => Err(DecodeError::invalid(
            "input_audio.format",
            format!("expected one of {}", AUDIO_FORMATS.join(", ")),
        )),
    }
}

fn decode_file(
    wire: Option<super::super::wire_request::WireFile<'_>>,
    cache: Option<CacheMark>,
) -> Result<Part, DecodeError> {
    let Some(file) = wire else {
        return Err(DecodeError::invalid("file", "is required"));
    };
    let source = match (file.file_data, file.file_id) {
        (Some(data), None) if data.starts_with("data:") || data.starts_with("http") => {
            media_source("file.file_data", data)?
        }
        // Bare base64, as the older documents have it: a PDF.
        (Some(data), None) if !data.is_empty() => MediaSource::Inline {
            media_type: "application/pdf".to_owned(),
            data: data.into(),
        },
        (None, Some(id)) if !id.is_empty() => MediaSource::ProviderFile(id),
        _ => {
            return Err(DecodeError::invalid(
                "file",
                "expected either file_data or file_id",
            ));
        }
    };
    Ok(Part::File {
        source,
        filename: file.filename,
        cache,
    })
}

/// An `http(s)` address or a `data:` URL with base64.
fn media_source(path: &str, mut url: String) -> Result<MediaSource, DecodeError> {
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(MediaSource::Url(Private::new(url)));
    }
    let split = url
        .strip_prefix("data:")
        .and_then(|rest| rest.split_once(','));
    let Some((header, data)) = split else {
        return Err(DecodeError::invalid(
            path,
            "expected an https address or a data URL",
        ));
    };
    // `image/png;charset=…;base64`: only the first and the last piece matter.
    let (media_type, encoding) = match header.split_once(';') {
        Some((media_type, parameters)) => (media_type, parameters.rsplit(';').next()),
        None => (header, None),
    };
    if encoding != Some("base64") || media_type.is_empty() || data.is_empty() {
        return Err(DecodeError::invalid(
            path,
            "expected a data URL of the form data:<media type>;base64,<data>",
        ));
    }
    let media_type = media_type.to_ascii_lowercase();
    let data_start = url.len() - data.len();
    // In place: media are the largest part of any request.
    url.drain(..data_start);
    Ok(MediaSource::Inline {
        media_type,
        data: url.into(),
    })
}

/// A part's mark in either spelling. OpenAI's states no life, so it means the shortest.
fn mark_of(wire: &WirePart<'_>) -> Result<Option<CacheMark>, DecodeError> {
    if let Some(mark) = &wire.cache_control {
        return cache_mark(mark)
            .map(Some)
            .map_err(|error| error.within("cache_control"));
    }
    let Some(breakpoint) = &wire.prompt_cache_breakpoint else {
        return Ok(None);
    };
    match breakpoint.mode.as_deref() {
        None | Some("explicit") => Ok(Some(CacheMark {
            life: CacheLife::Short,
        })),
        Some(_) => Err(DecodeError::invalid(
            "prompt_cache_breakpoint.mode",
            "expected explicit",
        )),
    }
}

pub(super) fn cache_mark(wire: &WireCacheControl<'_>) -> Result<CacheMark, DecodeError> {
    if wire.kind.as_deref() != Some("ephemeral") {
        return Err(DecodeError::invalid("type", "expected ephemeral"));
    }
    match wire.ttl.as_deref() {
        None | Some("5m") => Ok(CacheMark {
            life: CacheLife::Short,
        }),
        Some("1h") => Ok(CacheMark {
            life: CacheLife::OneHour,
        }),
        Some(_) => Err(DecodeError::invalid("ttl", "expected 5m or 1h")),
    }
}

/// Which kinds of input the parts hold.
pub(super) fn modalities_of(parts: &[Part]) -> Modalities {
    parts
        .iter()
        .fold(Modalities::EMPTY, |modalities, part| match part {
            Part::Image { .. } => modalities.with(Modality::Image),
            Part::File { .. } => modalities.with(Modality::File),
            Part::Audio { .. } => modalities.with(Modality::Audio),
            Part::Video { .. } => modalities.with(Modality::Video),
            Part::ToolResult(result) => modalities
                .with(Modality::Text)
                .union(modalities_of(&result.content)),
            Part::Text { .. } | Part::ToolCall(_) | Part::Reasoning(_) | Part::Refusal { .. } => {
                modalities.with(Modality::Text)
            }
        })
}
