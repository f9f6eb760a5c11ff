//! The same figures as a file for a spreadsheet.

use std::fmt::Write as _;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use switchyard_app::activity::{Names, Slice};

use super::{Asked, SLICES_MAX, field_of, named, names_of};
use crate::{Console, error::PageError, pages::logs::push_cell, visit::SignedIn};

const COLUMNS: &str = "requests,errors,cancelled,prompt_tokens,cached_tokens,cache_write_tokens,\
    completion_tokens,reasoning_tokens,spend_usd,list_price_usd,cache_savings_usd";

/// One line for each piece of time and each group.
pub(crate) async fn download(
    State(console): State<Console>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    let asked = Asked::of(&console, &signed_in);
    let mut slices = console.app.activity().breakdown(&asked.breakdown()).await?;
    let is_cut = slices.len() > SLICES_MAX as usize;
    slices.truncate(SLICES_MAX as usize);
    slices.sort_by(|one, other| (one.at, &one.values).cmp(&(other.at, &other.values)));
    let names = names_of(&console, &asked, &slices).await?;
    let mut response = file(&asked, &slices, &names, is_cut).into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    let name = format!(
        "attachment; filename=\"switchyard-activity-{}.csv\"",
        asked.now.seconds()
    );
    if let Ok(name) = HeaderValue::try_from(name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

fn file(asked: &Asked, slices: &[Slice], names: &Names, is_cut: bool) -> String {
    let mut text = format!(
        "# rows: {}{}\r\ntime",
        slices.len(),
        if is_cut { ", cut" } else { "" }
    );
    for dimension in &asked.dimensions {
        text.push(',');
        text.push_str(field_of(*dimension).0);
    }
    let is_spend_only = asked.lens.is_spend_only;
    let columns = if is_spend_only { "spend_usd" } else { COLUMNS };
    let _ = write!(text, ",{columns}\r\n");
    for slice in slices {
        text.push_str(&slice.at.map_or_else(String::new, |at| at.to_rfc3339()));
        for (dimension, value) in asked.dimensions.iter().zip(&slice.values) {
            text.push(',');
            push_cell(&mut text, &named(*dimension, value.as_ref(), names));
        }
        let sums = &slice.sums;
        let _ = if is_spend_only {
            write!(text, ",{}\r\n", sums.charge)
        } else {
            write!(
                text,
                ",{},{},{},{},{},{},{},{},{},{},{}\r\n",
                sums.requests,
                sums.errors,
                sums.cancelled,
                sums.prompt_tokens,
                sums.cached_tokens,
                sums.cache_write_tokens,
                sums.completion_tokens,
                sums.reasoning_tokens,
                sums.charge,
                sums.list_price,
                sums.cache_discount,
            )
        };
    }
    text
}
