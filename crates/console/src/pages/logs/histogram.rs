//! Requests over time, by how they ended.

use switchyard_app::activity::{LogSummary, Sums};
use switchyard_domain::clock::Timestamp;

use super::{
    address::Address,
    chart::{Chart, Kind, Piece, Series},
    filter::start_of,
    window::{Cut, Window},
};
use crate::ui::count;

pub(super) fn of(summary: &LogSummary, cut: Cut, address: &Address, window: &Window) -> Chart {
    let starts = cut.pieces();
    let mut sums = vec![Sums::default(); starts.len()];
    for slice in &summary.histogram {
        let place = slice.at.and_then(|at| cut.piece_of(at));
        if let Some(sum) = place.and_then(|place| sums.get_mut(place)) {
            *sum += &slice.sums;
        }
    }
    let pieces: Vec<_> = starts
        .iter()
        .zip(&sums)
        .map(|(at, sums)| {
            let values = by_status(sums);
            Piece {
                label: cut.label(*at),
                href: zoomed(address, *at, cut.end_of(*at)),
                values: values.map(Some).to_vec(),
                texts: values.map(count).to_vec(),
                sum: format!("{} requests", count(sums.requests)),
            }
        })
        .collect();
    let totals = by_status(&summary.totals);
    let names = [("OK", 3), ("Cancelled", 2), ("Error", 6)];
    let start = start_of(address);
    let series = names.iter().zip(totals).zip(["ok", "cancelled", "error"]);
    let series = series.map(|(((name, colour), total), raw)| Series {
        name: (*name).to_owned(),
        colour: *colour,
        is_dashed: false,
        href: Some(start.and("status", raw).to_string()),
        total: count(total),
    });
    Chart {
        title: format!(
            "{} requests, {} failed \u{b7} {}",
            count(summary.totals.requests),
            count(summary.totals.errors),
            window.words,
        ),
        measure: "Requests".to_owned(),
        kind: Kind::Stacked,
        series: series.collect(),
        top: count(Chart::greatest(Kind::Stacked, &pieces)),
        pieces,
    }
}

fn by_status(sums: &Sums) -> [u64; 3] {
    let failed = sums.errors.saturating_add(sums.cancelled);
    [sums.requests.saturating_sub(failed), sums.cancelled, sums.errors]
}

/// The same page about one piece alone.
pub(crate) fn zoomed(address: &Address, from: Timestamp, until: Timestamp) -> String {
    let start = start_of(address).without(&["range"]);
    let start = start.with("from", &from.to_rfc3339());
    start.with("until", &until.to_rfc3339()).to_string()
}
