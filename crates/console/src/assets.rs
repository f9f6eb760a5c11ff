//! Styles, scripts and icons: part of the binary, named by their content, kept by browsers for good.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest as _, Sha256};

struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

/// One file for browsers, several for people; later ones have the last word.
const STYLES: &str = concat!(
    include_str!("../assets/styles/tokens.css"),
    include_str!("../assets/styles/ground.css"),
    include_str!("../assets/styles/frame.css"),
    include_str!("../assets/styles/controls.css"),
    include_str!("../assets/styles/tables.css"),
    include_str!("../assets/styles/pieces.css"),
    include_str!("../assets/styles/layers.css"),
    include_str!("../assets/styles/charts.css"),
    include_str!("../assets/styles/traffic.css"),
    include_str!("../assets/styles/explore.css"),
    include_str!("../assets/styles/owned.css"),
    include_str!("../assets/styles/endings.css"),
);

const SCRIPTS: &str = concat!(
    "\"use strict\";\n",
    include_str!("../assets/scripts/pieces.js"),
    include_str!("../assets/scripts/charts.js"),
    include_str!("../assets/scripts/keys.js"),
    include_str!("../assets/scripts/tail.js"),
);

static ASSETS: &[Asset] = &[
    Asset {
        name: "app.css",
        kind: "text/css; charset=utf-8",
        bytes: STYLES.as_bytes(),
    },
    Asset {
        name: "app.js",
        kind: "text/javascript; charset=utf-8",
        bytes: SCRIPTS.as_bytes(),
    },
    Asset {
        name: "chat.js",
        kind: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../assets/chat.js"),
    },
    Asset {
        name: "htmx.js",
        kind: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../assets/vendor/htmx.min.js"),
    },
    Asset {
        name: "passkey.js",
        kind: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../assets/scripts/passkey.js"),
    },
    Asset {
        name: "icons.svg",
        kind: "image/svg+xml",
        bytes: include_bytes!("../assets/icons.svg"),
    },
];

/// One name for all of them: the digest of everything.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut digest = Sha256::new();
    for asset in ASSETS {
        digest.update(asset.bytes);
    }
    digest.finalize()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
});

/// Where pages find an asset.
pub(crate) fn address(name: &str) -> String {
    format!("/assets/{}/{name}", *HASH)
}

/// An asset. An old page may ask for one of an older binary: it gets today's, and keeps it for no time.
pub(crate) async fn one(Path((hash, name)): Path<(String, String)>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let keep = if hash == *HASH {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let headers = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, keep),
    ];
    (headers, asset.bytes).into_response()
}
