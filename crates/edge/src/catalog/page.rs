//! Pages of the model list. Paging is opt-in: without `offset` and `limit` all rows come at once.

use axum::http::Uri;
use switchyard_interchange::reply::PublicFailure;

use super::query::whole_number;
use crate::{
    error,
    limits::{PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX},
};

/// The stretch of rows that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) offset: usize,
    /// `None`: all.
    limit: Option<usize>,
}

impl Page {
    pub(super) fn parse(offset: Option<&str>, limit: Option<&str>) -> Result<Self, PublicFailure> {
        let number = |name, text: Option<&str>| -> Result<Option<usize>, PublicFailure> {
            let number = text.map(|text| whole_number(name, text)).transpose()?;
            Ok(number.map(|number| usize::try_from(number).unwrap_or(usize::MAX)))
        };
        let offset = number("offset", offset)?;
        let limit = match number("limit", limit)? {
            Some(limit) if !(1..=PAGE_ROWS_MAX).contains(&limit) => {
                return Err(error::bad_query(
                    "limit",
                    &format!("must be 1 to {PAGE_ROWS_MAX}"),
                ));
            }
            None if offset.is_some() => Some(PAGE_ROWS_DEFAULT),
            limit => limit,
        };
        Ok(Self {
            offset: offset.unwrap_or(0),
            limit,
        })
    }

    /// The rows on this page; none past the end.
    pub(super) fn of<'a, T>(&self, rows: &'a [T]) -> &'a [T] {
        let rest = rows.get(self.offset..).unwrap_or_default();
        &rest[..rest.len().min(self.limit.unwrap_or(usize::MAX))]
    }

    /// The path and query of the next page, where there is one.
    pub(super) fn next(&self, total: usize, uri: &Uri) -> Option<String> {
        let limit = self.limit?;
        let offset = self
            .offset
            .checked_add(limit)
            .filter(|offset| *offset < total)?;
        let others = uri.query().unwrap_or_default().split('&').filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !name.is_empty() && name != "offset" && name != "limit"
        });
        let mut next = format!("{}?offset={offset}&limit={limit}", uri.path());
        for pair in others {
            next.push('&');
            next.push_str(pair);
        }
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paging_is_opt_in_and_ends_quietly() {
        let rows: Vec<usize> = (0..1_200).collect();
        for (offset, limit, first, count, next) in [
            (None, None, Some(0), 1_200, None),
            (
                Some("0"),
                None,
                Some(0),
                500,
                Some("/m?offset=500&limit=500&q=a%20b"),
            ),
            (Some("1000"), None, Some(1_000), 200, None),
            (Some("1200"), Some("1"), None, 0, None),
            (
                None,
                Some("1"),
                Some(0),
                1,
                Some("/m?offset=1&limit=1&q=a%20b"),
            ),
            (Some("1199"), Some("1"), Some(1_199), 1, None),
        ] {
            let uri: Uri = "/m?offset=7&q=a%20b&limit=9".parse().expect("an address");
            let page = Page::parse(offset, limit).expect("a page");
            let found = page.of(&rows);
            assert_eq!(
                (found.first().copied(), found.len()),
                (first, count),
                "{offset:?} {limit:?}"
            );
            assert_eq!(
                page.next(rows.len(), &uri).as_deref(),
                next,
                "{offset:?} {limit:?}"
            );
        }
    }

    #[test]
    fn impossible_pages_are_refused() {
        for (offset, limit) in [
            (None, Some("0")),
            (None, Some("1001")),
            (None, Some("-1")),
            (Some("-1"), None),
            (Some("x"), None),
            (Some("1.5"), None),
        ] {
            let error = Page::parse(offset, limit).expect_err("no such page");
            assert_eq!(error.status, 400, "{offset:?} {limit:?}");
        }
    }
}
