//! Addresses in rows: where a provider is called, and where its pages are.

use http::Uri;

use crate::{findings::shorten, reader::Reader, snapshot::Family};

/// The row's `base_url`, without a slash at the end. `{placeholders}` may stand in it.
pub(crate) fn base_url(row: &Reader<'_>) -> Option<String> {
    let url = row.text("base_url")?;
    let checked = fill(&url).and_then(|filled| check(&filled)).and_then(|()| {
        if url.contains(['?', '#']) {
            Err("has a query or fragment, and paths are put behind it")
        } else {
            Ok(())
        }
    });
    match checked {
        Ok(()) => Some(url.trim_end_matches('/').to_owned()),
        Err(problem) => {
            row.fault(
                "base_url",
                format!("`{}` {problem}", shorten(&without_credentials(&url))),
                "write http:// or https://, a host, and the path that the provider's calls share",
            );
            None
        }
    }
}

/// A link to one of the provider's pages.
pub(crate) fn link(row: &Reader<'_>, field: &str) -> Option<String> {
    let url = row.text(field)?;
    if let Err(problem) = check(&url) {
        row.fault(
            field,
            format!("`{}` {problem}", shorten(&without_credentials(&url))),
            "write a whole http:// or https:// address",
        );
    }
    Some(url)
}

/// The address as calls are built from it, which includes the version. Anthropic's own clients
/// start from the bare host and put `/v1` before every path, other clients expect it in the
/// address; both forms are accepted and become the second, so that no call says it twice.
pub(crate) fn for_family(url: String, family: Option<Family>) -> String {
    match family {
        Some(Family::Anthropic) if !url.ends_with("/v1") => url + "/v1",
        // Each of its dialects has a path of its own, from the bare host on.
        Some(Family::Azure) => match url.strip_suffix("/openai/v1") {
            Some(host) => host.to_owned(),
            None => url,
        },
        Some(Family::Anthropic | Family::OpenAiCompatible | Family::Bedrock | Family::Vertex)
        | None => url,
    }
}

/// The names that stand in braces in an address.
pub(crate) fn placeholders(url: &str) -> impl Iterator<Item = &str> {
    let behind_braces = url.split('{').skip(1);
    behind_braces.map(|behind| behind.split('}').next().unwrap_or_default())
}

/// Puts something in the place of every `{placeholder}`, so that the rest can be parsed.
fn fill(url: &str) -> Result<String, &'static str> {
    let mut filled = String::with_capacity(url.len());
    let mut rest = url;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after
            .split_once('}')
            .ok_or("has a `{` that is not closed")?;
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
            return Err("has a placeholder whose name is not in lower-case letters");
        }
        filled.push_str(before);
        filled.push('x');
        rest = behind;
    }
    if rest.contains('}') {
        return Err("has a `}` that nothing opened");
    }
    filled.push_str(rest);
    Ok(filled)
}

fn check(url: &str) -> Result<(), &'static str> {
    let uri: Uri = url.parse().map_err(|_| "is not an address")?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("does not begin with http:// or https://");
    }
    let Some(authority) = uri.authority() else {
        return Err("has no host");
    };
    if authority.as_str().contains('@') {
        return Err("has a name or password in it, and the catalogue is public");
    }
    if authority.host().is_empty() {
        return Err("has no host");
    }
    Ok(())
}

/// The address as it may be shown in a message.
fn without_credentials(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(url: &str) -> Result<(), &'static str> {
        fill(url).and_then(|filled| check(&filled))
    }

    #[test]
    fn addresses_may_have_placeholders_and_ports() {
        for url in [
            "https://api.acme.example/v1",
            "http://127.0.0.1:4010/p/acme/v1",
            "https://{resource}.acme.example",
            "https://acme.example/accounts/{account_id}/ai/v1",
            "http://[::1]:8080/v1",
        ] {
            assert_eq!(verdict(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_called_is_refused() {
        for url in [
            "acme.example/v1",
            "ftp://acme.example",
            "https://",
            "https:///v1",
            "https://user:word@acme.example",
            "https://{Region}.acme.example",
            "https://{.acme.example",
            "https://}.acme.example",
            "https://acme example",
            "/v1",
            "*",
        ] {
            assert!(verdict(url).is_err(), "{url}");
        }
    }

    #[test]
    fn addresses_include_the_version_where_the_family_has_one() {
        let anthropic = Some(Family::Anthropic);
        for url in ["https://acme.example", "https://acme.example/v1"] {
            let versioned = for_family(url.to_owned(), anthropic);
            assert_eq!(versioned, "https://acme.example/v1");
        }
        for url in ["https://acme.example", "https://acme.example/openai/v1"] {
            let bare = for_family(url.to_owned(), Some(Family::Azure));
            assert_eq!(bare, "https://acme.example");
        }
        let url = "https://acme.example".to_owned();
        assert_eq!(for_family(url.clone(), Some(Family::OpenAiCompatible)), url);
    }
}
