//! How well endpoints handle tools, compared with others of the same model.
//!
//! Live traffic decides; scores of public benchmarks, which could as well, are not at hand.

use switchyard_coordination::health::ToolCounts;
use switchyard_routing::health::ToolQuality;

/// Requests in half an hour ...
const REQUESTS_MIN: u32 = 100;
/// ... and requests with tool calls in two hours that are enough to tell.
const TOOL_REQUESTS_MIN: u32 = 200;
/// Comparison takes so many providers of the model.
const PROVIDERS_MIN: usize = 4;
/// How many robust deviations below the median the cutoffs lie, in hundredths.
const SOUND_CALLS_DEVIATIONS: u64 = 200;
const THROUGHPUT_DEVIATIONS: u64 = 150;
/// A robust deviation is the median distance from the median, times this (in ten-thousandths): for
/// a normal distribution it equals the standard deviation.
const DEVIATION_PER_MEDIAN_DISTANCE: u64 = 14_826;
/// Where all are alike, a deviation counts as at least a percentage point of sound calls ...
const SOUND_CALLS_DEVIATION_MIN_PPM: u64 = 10_000;
/// ... and a twentieth of the median throughput.
const THROUGHPUT_DEVIATION_MIN_SHARE: u64 = 20;

/// What one endpoint of a model showed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample<'a> {
    pub(super) provider: &'a str,
    pub(super) requests: u32,
    pub(super) tools: ToolCounts,
    /// The median.
    pub(super) throughput_milli_tps: Option<u64>,
}

impl Sample<'_> {
    fn is_enough(&self) -> bool {
        self.requests >= REQUESTS_MIN && self.tools.requests >= TOOL_REQUESTS_MIN
    }

    /// Answers whose tool calls were all sound, in parts per million.
    fn sound_ppm(&self) -> u64 {
        let sound = self.tools.requests.saturating_sub(self.tools.broken);
        u64::from(sound) * 1_000_000 / u64::from(self.tools.requests.max(1))
    }
}

/// Judges the endpoints of one model, in the order given.
pub(super) fn judge(samples: &[Sample<'_>]) -> Vec<ToolQuality> {
    let told: Vec<&Sample<'_>> = samples.iter().filter(|sample| sample.is_enough()).collect();
    let mut providers: Vec<&str> = told.iter().map(|sample| sample.provider).collect();
    providers.sort_unstable();
    providers.dedup();
    let is_comparable = providers.len() >= PROVIDERS_MIN;
    let sound = told.iter().map(|sample| sample.sound_ppm()).collect();
    let sound_cutoff = cutoff(sound, SOUND_CALLS_DEVIATIONS, |_| {
        SOUND_CALLS_DEVIATION_MIN_PPM
    });
    let throughput = told
        .iter()
        .filter_map(|sample| sample.throughput_milli_tps)
        .collect();
    let throughput_cutoff = cutoff(throughput, THROUGHPUT_DEVIATIONS, |median| {
        median / THROUGHPUT_DEVIATION_MIN_SHARE
    });
    samples
        .iter()
        .map(|sample| {
            if !sample.is_enough() {
                return ToolQuality::Unknown;
            }
            let is_slow = sample
                .throughput_milli_tps
                .is_some_and(|milli_tps| milli_tps < throughput_cutoff);
            if is_comparable && (is_slow || sample.sound_ppm() < sound_cutoff) {
                ToolQuality::Demoted
            } else {
                ToolQuality::Good
            }
        })
        .collect()
}

/// What lies `deviations` (in hundredths) below the median; 0 where there are no values.
fn cutoff(values: Vec<u64>, deviations: u64, deviation_min: impl FnOnce(u64) -> u64) -> u64 {
    let Some(middle) = median(values.clone()) else {
        return 0;
    };
    let distances = values.iter().map(|value| value.abs_diff(middle)).collect();
    let deviation = median(distances)
        .unwrap_or(0)
        .saturating_mul(DEVIATION_PER_MEDIAN_DISTANCE)
        / 10_000;
    let deviation = deviation.max(deviation_min(middle));
    middle.saturating_sub(deviation.saturating_mul(deviations) / 100)
}

fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    let upper = values.get(values.len() / 2)?;
    let lower = values.get(values.len().saturating_sub(1) / 2)?;
    Some(lower.midpoint(*upper))
}

/// The model and the provider that an endpoint's id names.
pub(super) fn model_and_provider(endpoint: &str) -> (&str, &str) {
    let (model, tag) = endpoint.split_once('|').unwrap_or((endpoint, ""));
    (model, tag.split('/').next().unwrap_or(tag))
}
