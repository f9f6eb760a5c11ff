//! Pages of lists: `offset`, and `limit` of 1 to 100.

use switchyard_app::workspaces::Page;
use switchyard_interchange::reply::PublicFailure;

use crate::{
    error,
    limits::{MANAGEMENT_PAGE_ROWS_DEFAULT, MANAGEMENT_PAGE_ROWS_MAX},
};

/// The page that was asked for; an empty parameter states nothing.
pub(crate) fn page(offset: Option<&str>, limit: Option<&str>) -> Result<Page, PublicFailure> {
    let number = |name, text: Option<&str>| {
        let stated = text.map(str::trim).filter(|text| !text.is_empty());
        stated
            .map(|text| {
                let number = text.parse::<u32>();
                number.map_err(|_| error::bad_query(name, "must be a whole number"))
            })
            .transpose()
    };
    let limit = number("limit", limit)?.unwrap_or(MANAGEMENT_PAGE_ROWS_DEFAULT);
    if !(1..=MANAGEMENT_PAGE_ROWS_MAX).contains(&limit) {
        let problem = format!("must be 1 to {MANAGEMENT_PAGE_ROWS_MAX}");
        return Err(error::bad_query("limit", &problem));
    }
    Ok(Page {
        offset: number("offset", offset)?.unwrap_or(0),
        limit,
    })
}

/// The first so many rows.
pub(crate) const fn first(limit: u32) -> Page {
    Page { offset: 0, limit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_bounds() {
        for (offset, limit, expected) in [
            (None, None, Some((0, 50))),
            (Some("0"), Some("100"), Some((0, 100))),
            (Some("7"), Some(""), Some((7, 50))),
            (Some("4294967295"), Some("1"), Some((u32::MAX, 1))),
            (None, Some("0"), None),
            (None, Some("101"), None),
            (Some("-1"), None, None),
            (Some("4294967296"), None, None),
            (Some("x"), None, None),
        ] {
            let found = page(offset, limit).ok();
            let found = found.map(|page| (page.offset, page.limit));
            assert_eq!(found, expected, "{offset:?} {limit:?}");
        }
    }
}
