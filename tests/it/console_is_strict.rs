//! Whatever page is asked for, by whomever: nothing inline, nothing from elsewhere, nothing kept but what
//! never changes.

use std::collections::{BTreeSet, VecDeque};

use crate::world::*;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// More pages than this, and the crawl is going round in circles.
const PAGES_MAX: usize = 150;

/// A session of the account's owner, as its cookie.
async fn signed_in(world: &World) -> String {
    let arguments = ["account", "sign-in-link", "--email", "ada@example.com"];
    let link = text(&world.deployment.run(&arguments).await, "url");
    let (_, path) = link.split_once("/sign-in/").expect("it is a link");
    let call = world.api().call(Method::POST, &format!("/sign-in/{path}"));
    let call = call.header("content-type", "application/x-www-form-urlencoded");
    let reply = call.send().await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    let cookie = reply.header("set-cookie").expect("a session began");
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{part}");
    }
    let (pair, _) = cookie.split_once(';').expect("it has attributes");
    assert!(pair.starts_with("__Host-session="));
    pair.to_owned()
}

async fn look(world: &World, path: &str, cookie: Option<&str>) -> Reply {
    let mut call = world.api().get(path);
    if let Some(cookie) = cookie {
        call = call.header("cookie", cookie);
    }
    call.send().await
}

fn is_page(reply: &Reply) -> bool {
    reply
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("text/html"))
}

/// What holds for every answer of the console.
fn is_strict(path: &str, reply: &Reply) {
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(reply.header(name), Some(value), "{name} of {path}");
    }
    assert!(reply.header("permissions-policy").is_some(), "{path}");
    assert!(
        reply.header("access-control-allow-origin").is_none(),
        "{path}"
    );
    let id = reply.header("x-request-id");
    assert!(id.is_some_and(|id| !id.is_empty()), "{path} has a name");
}

/// What the policy forbids is not even there.
fn has_nothing_inline(path: &str, html: &str) {
    let page = html.to_ascii_lowercase();
    for part in [
        " style=",
        "<style",
        "javascript:",
        "hx-on",
        "<iframe",
        "<base",
    ] {
        assert!(!page.contains(part), "{part} in {path}");
    }
    for tag in page.split("<script").skip(1) {
        let (attributes, rest) = tag.split_once('>').expect("a tag ends");
        assert!(attributes.contains("src=\"/assets/"), "a script in {path}");
        assert!(rest.starts_with("</script>"), "a script's text in {path}");
    }
    for tag in page.split('<').filter(|tag| tag.contains(" on")) {
        let (attributes, _) = tag.split_once('>').unwrap_or((tag, ""));
        let handles = attributes.split(" on").skip(1).any(|rest| {
            let (name, _) = rest.split_once('=').unwrap_or(("", ""));
            !name.is_empty() && name.chars().all(|letter| letter.is_ascii_lowercase())
        });
        assert!(!handles, "<{attributes}> in {path}");
    }
}

/// The addresses of this site that a page links to, without what stands behind `#`.
fn links(html: &str) -> impl Iterator<Item = String> + '_ {
    let addresses = html.split("href=\"").skip(1);
    addresses
        .filter_map(|rest| rest.split_once('"'))
        .map(|(address, _)| address.replace("&#38;", "&").replace("&amp;", "&"))
        .filter(|address| address.starts_with('/') && !address.starts_with("//"))
        .map(|address| address.split('#').next().unwrap_or_default().to_owned())
}

/// Every page that can be reached from the first, once for each path.
async fn crawl(world: &World, cookie: Option<&str>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut waiting: VecDeque<String> = ["/", "/kit", "/no/such/page"].map(str::to_owned).into();
    while let Some(address) = waiting.pop_front() {
        let path = address.split('?').next().unwrap_or_default().to_owned();
        let is_elsewhere = ["/assets/", "/api/", "/docs/"]
            .iter()
            .any(|start| path.starts_with(start));
        if is_elsewhere || !seen.insert(path.clone()) {
            continue;
        }
        assert!(seen.len() < PAGES_MAX, "{seen:?}");
        let reply = look(world, &address, cookie).await;
        assert!(reply.status.as_u16() < 500, "{} for {path}", reply.status);
        is_strict(&path, &reply);
        if is_page(&reply) {
            has_nothing_inline(&path, reply.text());
            waiting.extend(links(reply.text()));
        } else if let Some(next) = reply.header("location") {
            assert!(next.starts_with('/'), "{path} leads to {next}");
            waiting.push_back(next.to_owned());
        }
    }
    seen
}

story!(every_page_is_strict, |world| {
    let cookie = signed_in(&world).await;
    let own = crawl(&world, Some(&cookie)).await;
    for path in ["/", "/keys", "/models", "/settings", "/kit"] {
        assert!(own.contains(path), "{path} in {own:?}");
    }
    // Who did not sign in is led to one place from everywhere.
    let foreign = crawl(&world, None).await;
    assert!(foreign.contains("/login"), "{foreign:?}");
});

story!(unknown_addresses_say_so, |world| {
    let cookie = signed_in(&world).await;
    for path in [
        "/no/such/page",
        "/keys/../../etc/passwd",
        "/%00",
        "/kit/",
        "/assets",
        "/assets/",
        "/index.html",
    ] {
        for cookie in [None, Some(cookie.as_str())] {
            let reply = look(&world, path, cookie).await;
            assert_eq!(reply.status, 404, "{path}");
            is_strict(path, &reply);
            assert!(is_page(&reply), "{path}");
            assert!(reply.text().contains("<h1>Nothing here</h1>"), "{path}");
            let id = reply.header("x-request-id").expect("it has a name");
            assert!(reply.text().contains(id), "{path} tells its name");
            // Nothing of the address comes back.
            assert!(
                !reply.text().contains("passwd") || path.contains("keys"),
                "{path}"
            );
        }
    }
    // The API answers in its own way.
    world.api().get("/api/v1/nothing").send().await.error(404);
    let reply = world.api().call(Method::POST, "/kit").send().await;
    assert_eq!(reply.status, 405);
    is_strict("/kit", &reply);
});

story!(assets_are_kept_for_good, |world| {
    let page = look(&world, "/kit", None).await;
    let html = page.text();
    let starts = html.match_indices("/assets/").map(|(start, _)| start);
    let assets: BTreeSet<&str> = starts
        .map(|start| {
            let rest = &html[start..];
            let end = rest.find(['"', '#']).expect("an address ends");
            &rest[..end]
        })
        .collect();
    assert!(assets.len() >= 4, "{assets:?}");
    let mut transferred = page.body.len();
    for address in &assets {
        let call = || world.api().get(address);
        let plain = call().send().await;
        assert_eq!(plain.status, 200, "{address}");
        assert_eq!(
            plain.header("cache-control"),
            Some("public, max-age=31536000, immutable"),
            "{address}"
        );
        assert_eq!(plain.header("x-content-type-options"), Some("nosniff"));
        let small = call().header("accept-encoding", "gzip").send().await;
        assert_eq!(small.header("content-encoding"), Some("gzip"), "{address}");
        assert!(small.body.len() < plain.body.len() / 2, "{address}");
        transferred += small.body.len();

        let (folder, name) = address.rsplit_once('/').expect("it is in a folder");
        let older = format!("/assets/0123456789abcdef/{name}");
        let other = look(&world, &older, None).await;
        assert_eq!(other.status, 200, "an older page still finds {name}");
        assert_eq!(other.header("cache-control"), Some("no-cache"));
        let none = look(&world, &format!("{folder}/no{name}"), None).await;
        assert_eq!(none.status, 404);
        assert_ne!(
            none.header("cache-control"),
            Some("public, max-age=31536000, immutable")
        );
    }
    let icons = assets.iter().find(|address| address.ends_with(".svg"));
    let icons = look(&world, icons.expect("there are icons"), None).await;
    has_nothing_inline("icons", icons.text());
    assert!(
        transferred < 200_000,
        "{transferred} bytes with the page as it is"
    );
    let traversal = look(&world, "/assets/x/..%2f..%2fCargo.toml", None).await;
    assert_eq!(traversal.status, 404);
});
