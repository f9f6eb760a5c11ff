//! A browser without scripts: cookies, forms, and where they lead.

use std::collections::BTreeMap;

use http::{HeaderMap, Method, header};
use serde_json::Value;

use crate::http_client::HttpClient;

/// A browser with one window.
#[derive(Debug, Clone)]
pub struct Browser {
    client: HttpClient,
    cookies: BTreeMap<String, String>,
    csrf: String,
    /// What it says of the page that a form is on; `None` is nothing, as programs do.
    pub origin: Option<String>,
}

/// What it shows.
#[derive(Debug, Clone)]
pub struct Page {
    /// The status of the answer.
    pub status: u16,
    /// Where it leads.
    pub location: Option<String>,
    /// Cookies that came with it, whole lines.
    pub cookies: Vec<String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub html: String,
}

impl Page {
    /// The texts between two marks.
    pub fn between<'a>(&'a self, before: &str, after: &str) -> Vec<&'a str> {
        let pieces = self.html.split(before).skip(1);
        pieces
            .filter_map(|piece| Some(piece.split_once(after)?.0))
            .collect()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.html).unwrap_or_else(|_| panic!("no JSON: {}", self.html))
    }

    /// The same page, which leads to `location`.
    ///
    /// # Panics
    /// When it does not.
    pub fn leads_to(self, location: &str) -> Self {
        assert_eq!(
            (self.status, self.location.as_deref()),
            (303, Some(location)),
            "{}",
            self.html
        );
        self
    }

    /// The same page, with this status.
    ///
    /// # Panics
    /// When it has another one.
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?} {}", self.location, self.html);
        self
    }

    /// Seconds since 1970 when it was served.
    ///
    /// # Panics
    /// When it does not say.
    pub fn served_at(&self) -> u64 {
        let date = self
            .headers
            .get(header::DATE)
            .and_then(|date| date.to_str().ok());
        let date = date.expect("servers say when they answer");
        seconds(date).unwrap_or_else(|| panic!("{date} is no date"))
    }
}

impl Browser {
    /// A fresh one that visits the server of `client`.
    pub fn new(client: &HttpClient) -> Self {
        Self {
            origin: Some(client.base().to_owned()),
            client: client.clone(),
            cookies: BTreeMap::new(),
            csrf: String::new(),
        }
    }

    /// A cookie that it holds.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Puts a cookie in, as somebody else on the same network might try to.
    pub fn plant(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Every cookie that it holds.
    pub fn cookies(&self) -> impl Iterator<Item = &str> {
        self.cookies.values().map(String::as_str)
    }

    /// Opens a page.
    pub async fn get(&mut self, path: &str) -> Page {
        self.go(Method::GET, path, None).await
    }

    /// Opens the page that `page` leads to.
    ///
    /// # Panics
    /// When it leads nowhere.
    pub async fn follow(&mut self, page: &Page) -> Page {
        let location = page.location.clone().expect("it leads somewhere");
        self.get(&location).await
    }

    /// Sends a form of the last page that had one.
    pub async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.csrf.clone();
        let fields = [("csrf", csrf.as_str())]
            .into_iter()
            .chain(fields.iter().copied());
        let pairs = fields.map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        self.go(Method::POST, path, Some(body)).await
    }

    async fn go(&mut self, method: Method, path: &str, form: Option<String>) -> Page {
        let mut call = self.client.call(method, path);
        if !self.cookies.is_empty() {
            let pairs = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"));
            call = call.header("cookie", &pairs.collect::<Vec<_>>().join("; "));
        }
        if let Some(body) = form {
            if let Some(origin) = &self.origin {
                call = call.header("origin", origin);
            }
            call = call
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body);
        }
        let reply = call.send().await;
        let lines = reply.headers.get_all(header::SET_COOKIE).iter();
        let cookies: Vec<String> = lines
            .filter_map(|line| Some(line.to_str().ok()?.to_owned()))
            .collect();
        for line in &cookies {
            self.keep(line);
        }
        let location = reply.headers.get(header::LOCATION);
        let page = Page {
            status: reply.status.as_u16(),
            location: location.and_then(|value| Some(value.to_str().ok()?.to_owned())),
            cookies,
            headers: reply.headers.clone(),
            html: reply.text().to_owned(),
        };
        if let Some(csrf) = page.between("name=\"csrf\" value=\"", "\"").first() {
            (*csrf).clone_into(&mut self.csrf);
        }
        page
    }

    fn keep(&mut self, line: &str) {
        let pair = line.split(';').next().unwrap_or_default();
        let Some((name, value)) = pair.split_once('=') else {
            return;
        };
        if line.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// Reads `Tue, 24 Nov 2026 06:00:00 GMT`.
fn seconds(date: &str) -> Option<u64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut parts = date.split_whitespace().skip(1);
    let day: u64 = parts.next()?.parse().ok()?;
    let month = u64::try_from(MONTHS.find(parts.next()?)? / 3 + 1).ok()?;
    let year: u64 = parts.next()?.parse().ok()?;
    let mut clock = parts.next()?.split(':').map(str::parse::<u64>);
    let (hour, minute, second) = (
        clock.next()?.ok()?,
        clock.next()?.ok()?,
        clock.next()?.ok()?,
    );
    // Years that begin in March, so that leap days come last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    Some((days - 719_468) * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_forms_are_those_of_the_web() {
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(
            seconds("Tue, 24 Nov 2026 06:00:00 GMT"),
            Some(1_795_500_000)
        );
        assert_eq!(
            seconds("Tue, 29 Feb 2028 23:59:59 GMT"),
            Some(1_835_481_599)
        );
        assert_eq!(escaped("a b&c=é"), "a%20b%26c%3D%C3%A9");
    }
}
