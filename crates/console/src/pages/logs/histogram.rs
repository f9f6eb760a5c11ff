//! Requests over time, by how they ended.

use switchyard_app::activity::{LogSummary, Slice, Sums};
use switchyard_domain::clock::Timestamp;

use super::{
    address::Address,
    filter::start_of,
    window::{Cut, Window},
};
use crate::ui::{
    Markup,
    chart::{Chart, Series, Tick, Unit},
    count,
};

pub(super) fn of(summary: &LogSummary, cut: &Cut, address: &Address, window: &Window) -> Markup {
    let sums = in_pieces(&summary.histogram, cut);
    let start = start_of(address);
    let series = |name: &str, raw: &str, count: fn(&Sums) -> u64| {
        let values = sums.iter().map(|sums| Some(count(sums))).collect();
        let href = start.and("status", raw).to_string();
        Series::other(values).called(name).linked(href)
    };
    let served = |sums: &Sums| sums.requests.saturating_sub(sums.errors + sums.cancelled);
    let ok = sums.iter().map(|sums| Some(served(sums))).collect();
    let failed = sums.iter().map(|sums| Some(sums.errors)).collect();
    let title = format!(
        "{} requests, {} failed \u{b7} {}",
        count(summary.totals.requests),
        count(summary.totals.errors),
        window.words,
    );
    Chart::bars(title, Unit::Count, ticks(cut, address))
        .with(Series::new("OK", ok).linked(start.and("status", "ok").to_string()))
        .with(Series::new("Error", failed).linked(start.and("status", "error").to_string()))
        .with(series("Cancelled", "cancelled", |sums| sums.cancelled))
        .zoomed_by(zoom(address))
        .headed(format!("Begin of {} (UTC)", cut.words))
        .low()
        .draw()
}

/// The sums of each piece of a stretch.
pub(crate) fn in_pieces(slices: &[Slice], cut: &Cut) -> Vec<Sums> {
    let mut sums = vec![Sums::default(); cut.starts.len()];
    for slice in slices {
        let place = slice.at.and_then(|at| cut.piece_of(at));
        if let Some(sum) = place.and_then(|place| sums.get_mut(place)) {
            *sum += &slice.sums;
        }
    }
    sums
}

/// The pieces, each leading to itself.
pub(crate) fn ticks(cut: &Cut, address: &Address) -> Vec<Tick> {
    let pieces = cut.starts.iter().enumerate();
    let tick = |(place, at): (usize, &Timestamp)| {
        let end = cut.end_of(place);
        Tick::new(cut.label(*at))
            .lasting(at.to_rfc3339(), end.to_rfc3339())
            .linked(zoomed(address, *at, end))
    };
    pieces.map(tick).collect()
}

/// The same page about another stretch, for a script to fill in.
pub(crate) fn zoom(address: &Address) -> String {
    let start = start_of(address)
        .without(&["range", "from", "until"])
        .to_string();
    let mark = if start.contains('?') { '&' } else { '?' };
    format!("{start}{mark}from={{from}}&until={{to}}")
}

/// The same page about one piece alone.
fn zoomed(address: &Address, from: Timestamp, until: Timestamp) -> String {
    let start = start_of(address).without(&["range"]);
    let start = start.with("from", &from.to_rfc3339());
    start.with("until", &until.to_rfc3339()).to_string()
}
