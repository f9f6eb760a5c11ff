//! A fault, and the traffic around it: away within a second, back on probation, never all at once.

use std::time::Duration;

use super::*;

/// Requests a second.
const RATE: u64 = 200;
const PREFERRED: &str = "m|cheap";
const OTHER: &str = "m|dear";

/// Requests that prefer one endpoint and fall back on another, as routing ranks them, beside a job
/// that takes a turn four times a second.
struct Traffic {
    scene: Scene,
    sent: u64,
    /// Ends of attempts under way, 20 ms after they began.
    under_way: Vec<(Timestamp, &'static str, Permit)>,
}

/// What a stretch of traffic did at the preferred endpoint.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    requests: u64,
    asked: u64,
    failed: u64,
    /// The most attempts within any 100 milliseconds.
    burst: u64,
}

impl Traffic {
    fn new() -> Self {
        Self {
            scene: Scene::default(),
            sent: 0,
            under_way: Vec::new(),
        }
    }

    fn run(&mut self, time: Duration, is_broken: bool) -> Tally {
        let mut tally = Tally::default();
        let tick = Duration::from_millis(1_000 / RATE);
        let ticks = time.as_millis() / tick.as_millis();
        let mut in_slice = 0;
        for number in 0..ticks {
            if (number * tick.as_millis()).is_multiple_of(250) {
                self.scene.board.take_turn(self.scene.now);
            }
            if (number * tick.as_millis()).is_multiple_of(100) {
                in_slice = 0;
            }
            tally.requests += 1;
            if self.send() {
                tally.asked += 1;
                in_slice += 1;
                tally.burst = tally.burst.max(in_slice);
            }
            self.scene.pass(tick);
            tally.failed += self.end_due(is_broken);
        }
        tally
    }

    /// Sends one request; says whether the preferred endpoint was asked.
    fn send(&mut self) -> bool {
        self.sent += 1;
        // An even spread stands in for the draw.
        let draw = u32::try_from(self.sent * 618_034 % 1_000_000).expect("below a million");
        let health = self.scene.told(PREFERRED, SHARED);
        let is_first = match health.rank {
            HealthRank::Stable => health.probation_ppm.is_none_or(|ppm| draw < ppm),
            HealthRank::Outage | HealthRank::Degraded | HealthRank::Down => false,
        };
        let begun = is_first
            .then(|| self.scene.begin(PREFERRED))
            .flatten()
            .map(|permit| (PREFERRED, permit));
        let was_preferred = begun.is_some();
        let (endpoint, permit) =
            begun.unwrap_or_else(|| (OTHER, self.scene.begin(OTHER).expect("it is well")));
        let ends_at = self.scene.now.plus(Duration::from_millis(20));
        self.under_way.push((ends_at, endpoint, permit));
        was_preferred
    }

    fn end_due(&mut self, is_broken: bool) -> u64 {
        let now = self.scene.now;
        let (due, later) = std::mem::take(&mut self.under_way)
            .into_iter()
            .partition(|(ends_at, ..)| *ends_at <= now);
        self.under_way = later;
        let mut failed = 0;
        let failure = status(500);
        for (_, endpoint, permit) in due {
            if endpoint == PREFERRED && is_broken {
                failed += 1;
                self.scene.end(permit, AttemptEnd::Failed(&failure));
            } else {
                self.scene.end(permit, AttemptEnd::Finished);
            }
        }
        failed
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn traffic_leaves_within_a_second_and_comes_back_by_and_by() {
    let mut traffic = Traffic::new();
    let well = traffic.run(10 * SECOND, false);
    assert_eq!(well.asked, well.requests, "all prefer it");

    let first_second = traffic.run(SECOND, true);
    assert!(first_second.failed < 20, "{first_second:?}");
    let next = traffic.run(3 * SECOND, true);
    assert_eq!(next.asked, 0, "nobody asks any more: {next:?}");

    // Over ten minutes of outage, only probes reach it.
    let outage = traffic.run(600 * SECOND, true);
    assert!((3..=10).contains(&outage.asked), "{outage:?}");
    assert_eq!(outage.burst, 1, "one at a time: {outage:?}");

    // It mends; the breaker has been open for up to five minutes by now.
    let mut shares = Vec::new();
    while shares.len() < 400 {
        let tally = traffic.run(SECOND, false);
        shares.push(tally.asked * 100 / RATE);
        if shares.last() == Some(&100) {
            break;
        }
    }
    let back: Vec<u64> = shares
        .iter()
        .copied()
        .skip_while(|share| *share == 0)
        .collect();
    assert_eq!(back.last(), Some(&100), "it came back: {shares:?}");
    assert!(
        back.len() >= 4,
        "a hundredth, a tenth, a half, all, each for a second at least: {back:?}"
    );
    let mut before = 0;
    for share in &back {
        assert!(*share <= 10 * before.max(1) + 2, "no stampede: {back:?}");
        before = *share;
    }
    assert_eq!(traffic.scene.state(PREFERRED), EndpointState::Stable);
    // And what happened is no reason to rank it low.
    assert_eq!(traffic.scene.rank(PREFERRED), HealthRank::Stable);
}

#[test]
fn a_relapse_on_probation_costs_little_and_lasts_longer() {
    let mut traffic = Traffic::new();
    traffic.run(5 * SECOND, false);
    traffic.run(SECOND, true);
    // It seems well just long enough for probes to succeed.
    let mut waited = 0;
    while traffic.scene.state(PREFERRED) != EndpointState::Returning
        || traffic.scene.told(PREFERRED, SHARED).probation_ppm == Some(1_000_000)
    {
        traffic.run(SECOND / 4, false);
        waited += 1;
        assert!(waited < 60, "no probe came");
    }
    let relapse = traffic.run(3 * SECOND, true);
    assert!(relapse.failed <= 5, "{relapse:?}");
    let until = traffic.scene.health(PREFERRED).benched_until;
    let left = until.expect("it is open again").since(traffic.scene.now);
    assert!(left > 4 * SECOND, "{left:?}");
}

#[test]
fn probation_passes_with_time_where_few_ask_and_bears_a_rare_failure() {
    let mut scene = Scene::default();
    for _ in 0..5 {
        scene.fail("m|a", &status(500));
    }
    scene.seconds(7);
    scene.succeed("m|a");
    let mut shares = Vec::new();
    for _ in 0..4 {
        shares.push(scene.health("m|a").probation_ppm);
        scene.seconds(10);
    }
    assert_eq!(
        shares,
        [Some(10_000), Some(100_000), Some(500_000), None],
        "a step each ten seconds"
    );

    for _ in 0..5 {
        scene.fail("m|a", &status(500));
    }
    scene.seconds(7);
    scene.succeed("m|a");
    for _ in 0..9 {
        scene.succeed("m|a");
    }
    scene.fail("m|a", &status(500));
    assert_eq!(scene.state("m|a"), EndpointState::Returning, "1 of 10");
    scene.fail("m|a", &status(500));
    assert_eq!(scene.state("m|a"), EndpointState::Returning, "2 of 11");
    scene.fail("m|a", &status(500));
    assert_eq!(scene.state("m|a"), EndpointState::Down, "3 of 12");
}

#[test]
fn a_storm_of_refusals_costs_few_extra_attempts() {
    for failure in [status(500), status(529), asking_to_wait(429, 2)] {
        let mut scene = Scene::default();
        let (mut requests, mut extra) = (0_u32, 0_u32);
        for tick in 0..12_000 {
            if tick % 50 == 0 {
                scene.board.take_turn(scene.now);
            }
            let is_warm = tick > 2_000;
            requests += u32::from(is_warm);
            if let Some(permit) = scene.begin("m|a") {
                extra += u32::from(is_warm);
                scene.end(permit, AttemptEnd::Failed(&failure));
            }
            scene.pass(Duration::from_millis(5));
        }
        assert!(extra * 5 <= requests, "{failure}: {extra} of {requests}");
    }
}
