//! What counts against whom, and over which time.

use std::time::Duration;

use switchyard_interchange::failure::{Failure, FailureKind};

use super::*;

/// Of a hundred attempts that end in `end`, beside a hundred successes: uptime, and rate limits.
fn uptime_percent(credential: CredentialUse, end: AttemptEnd<'_>) -> Option<u32> {
    let mut scene = Scene::default();
    for number in 0..200 {
        // Far enough apart that no breaker opens and no bench is left.
        scene.pass(Duration::from_secs(1));
        let end = if number % 2 == 0 {
            AttemptEnd::Finished
        } else {
            end
        };
        scene.attempt("m|a", credential, end);
    }
    let figures = scene.board.figures(&id("m|a"), scene.now);
    figures.uptime_30m_ppm.map(|ppm| ppm / 10_000)
}

#[test]
fn the_table_of_what_counts() {
    for code in [401, 402, 404, 500, 502, 503, 529] {
        let failure = status(code);
        let end = AttemptEnd::Failed(&failure);
        assert_eq!(uptime_percent(SHARED, end), Some(50), "{code}");
    }
    for kind in [
        FailureKind::Timeout,
        FailureKind::Connect,
        FailureKind::Protocol,
    ] {
        let failure = Failure::new(kind, "no");
        let end = AttemptEnd::Failed(&failure);
        assert_eq!(uptime_percent(SHARED, end), Some(50), "{kind:?}");
    }
    assert_eq!(
        uptime_percent(SHARED, AttemptEnd::FinishedInError),
        Some(50)
    );
    for code in [400, 413, 403, 429] {
        let failure = status(code);
        let end = AttemptEnd::Failed(&failure);
        assert_eq!(uptime_percent(SHARED, end), Some(100), "{code}");
    }
    for kind in [
        FailureKind::ContextLength,
        FailureKind::ContentPolicy,
        FailureKind::Unsupported,
        FailureKind::Cancelled,
        // Found in our own catalogue or vault: the provider was not asked.
        FailureKind::EgressBlocked,
        FailureKind::Auth,
        FailureKind::QuotaBilling,
    ] {
        let failure = Failure::new(kind, "no");
        let end = AttemptEnd::Failed(&failure);
        assert_eq!(uptime_percent(SHARED, end), Some(100), "{kind:?}");
    }
    assert_eq!(uptime_percent(SHARED, AttemptEnd::Withdrawn), Some(100));
    assert_eq!(
        uptime_percent(own(1), AttemptEnd::Finished),
        None,
        "a customer's own credential tells nothing of the endpoint"
    );
}

#[test]
fn two_failures_flag_and_a_success_or_time_clears() {
    let mut scene = Scene::default();
    scene.fail("m|a", &status(500));
    assert_eq!(scene.rank("m|a"), HealthRank::Stable);
    scene.seconds(1);
    scene.fail("m|a", &status(500));
    assert_eq!(
        scene.told("m|a", SHARED).rank,
        HealthRank::Outage,
        "at once, without a turn"
    );
    scene.seconds(1);
    scene.succeed("m|a");
    assert_eq!(scene.rank("m|a"), HealthRank::Stable);

    scene.fail("m|a", &status(500));
    scene.fail("m|a", &status(500));
    scene.seconds(28);
    assert_eq!(scene.rank("m|a"), HealthRank::Outage);
    scene.seconds(2);
    assert_eq!(scene.rank("m|a"), HealthRank::Stable);
}

#[test]
fn fewer_than_half_is_no_outage() {
    let scene = Scene::default();
    for _ in 0..3 {
        scene.succeed("m|a");
    }
    scene.fail("m|a", &status(500));
    scene.fail("m|a", &status(500));
    assert_eq!(scene.rank("m|a"), HealthRank::Stable, "2 of 5");
    scene.fail("m|a", &status(500));
    assert_eq!(scene.rank("m|a"), HealthRank::Outage, "3 of 6");
}

#[test]
fn below_95_percent_over_five_minutes_is_degraded() {
    let mut scene = Scene::default();
    for number in 0..19 {
        let failure = status(500);
        let end = if number % 9 == 4 {
            AttemptEnd::Failed(&failure)
        } else {
            AttemptEnd::Finished
        };
        scene.attempt("m|a", SHARED, end);
        scene.seconds(3);
    }
    assert_eq!(scene.rank("m|a"), HealthRank::Stable, "too few to tell");
    assert_eq!(scene.health("m|a").failure_ppm, None);
    scene.succeed("m|a");
    assert_eq!(scene.rank("m|a"), HealthRank::Degraded, "90 % of 20");
    assert_eq!(scene.health("m|a").failure_ppm, Some(100_000));
    for _ in 0..20 {
        scene.succeed("m|a");
    }
    assert_eq!(scene.rank("m|a"), HealthRank::Stable, "95 % of 40");
    scene.fail("m|a", &status(500));
    assert_eq!(scene.rank("m|a"), HealthRank::Degraded);
    scene.seconds(300);
    assert_eq!(scene.rank("m|a"), HealthRank::Stable);
}

#[test]
fn a_bench_lasts_as_long_as_the_provider_asked() {
    let mut scene = Scene::default();
    scene.fail("m|a", &asking_to_wait(429, 20));
    assert_eq!(scene.told("m|a", SHARED).rank, HealthRank::Down);
    assert!(scene.begin("m|a").is_none());
    scene.seconds(10);
    // A shorter wish does not shorten a longer one.
    scene.fail("m|a", &asking_to_wait(503, 3));
    scene.seconds(9);
    assert_eq!(scene.rank("m|a"), HealthRank::Down);
    scene.seconds(1);
    assert_eq!(scene.rank("m|a"), HealthRank::Stable);
    assert!(scene.begin("m|a").is_some());

    scene.fail("m|a", &asking_to_wait(429, 86_400));
    scene.seconds(299);
    assert!(scene.begin("m|a").is_none());
    scene.seconds(1);
    assert!(
        scene.begin("m|a").is_some(),
        "no hint is believed for longer"
    );
}

#[test]
fn a_used_up_rate_limit_benches_beside_a_success() {
    let mut scene = Scene::default();
    let permit = scene.begin("m|a").expect("it is well");
    scene
        .board
        .bench(&permit, Duration::from_secs(12), scene.now);
    scene.end(permit, AttemptEnd::Finished);
    assert_eq!(scene.told("m|a", SHARED).rank, HealthRank::Down);
    scene.seconds(12);
    assert!(scene.begin("m|a").is_some());
}

#[test]
fn speeds_are_the_endpoints_and_windows_roll() {
    let mut scene = Scene::default();
    for number in 1..=100 {
        let permit = scene.begin("m|a").expect("it is well");
        let outcome = Outcome {
            first_token_ms: Some(number * 10),
            duration_ms: 2_000,
            output_tokens: number * 2,
            ..Outcome::unmeasured(AttemptEnd::Finished)
        };
        scene.board.finish(permit, &outcome, scene.now);
    }
    let health = scene.health("m|a");
    let near = |found: Option<u64>, exact: u64| {
        found.is_some_and(|found| found.abs_diff(exact) * 100 <= exact * 5)
    };
    assert!(near(health.latency_ms.p50, 500), "{health:?}");
    assert!(near(health.latency_ms.p90, 900), "{health:?}");
    assert!(near(health.throughput_milli_tps.p50, 51_000), "{health:?}");
    assert!(
        near(health.throughput_milli_tps.p90, 11_000),
        "nine of ten reach 11 a second: {health:?}"
    );
    let with_own = scene.told("m|a", own(1));
    assert_eq!(with_own.latency_ms, health.latency_ms);

    scene.seconds(6 * 60);
    assert_eq!(scene.health("m|a").latency_ms.p50, None);
    let figures = |scene: &Scene| scene.board.figures(&id("m|a"), scene.now);
    assert!(near(figures(&scene).latency_ms.p50, 500));
    assert_eq!(figures(&scene).uptime_5m_ppm, None);
    assert_eq!(figures(&scene).uptime_30m_ppm, Some(1_000_000));
    scene.seconds(25 * 60);
    assert_eq!(figures(&scene).latency_ms.p50, None);
    assert_eq!(figures(&scene).uptime_30m_ppm, None);
    assert_eq!(figures(&scene).uptime_1d_ppm, Some(1_000_000));
    scene.seconds(24 * 3_600);
    assert_eq!(figures(&scene), super::super::EndpointFigures::default());
}

#[test]
fn an_uptime_needs_a_hundred_attempts_and_the_latest_twenty() {
    let scene = Scene::default();
    let uptimes = || {
        let figures = scene.board.figures(&id("m|a"), scene.now);
        [
            figures.uptime_5m_ppm,
            figures.uptime_30m_ppm,
            figures.uptime_1d_ppm,
        ]
    };
    for _ in 0..19 {
        scene.succeed("m|a");
    }
    assert_eq!(uptimes(), [None; 3]);
    scene.fail("m|a", &status(500));
    assert_eq!(uptimes(), [Some(950_000), None, None]);
    for _ in 0..79 {
        scene.succeed("m|a");
    }
    assert_eq!(uptimes()[1..], [None, None]);
    scene.succeed("m|a");
    assert_eq!(uptimes(), [Some(990_000); 3]);
}

#[test]
fn a_customers_credential_never_speaks_of_the_endpoint() {
    let scene = Scene::default();
    let before = scene.health("m|a");
    for code in [401, 402, 403, 429, 500, 529] {
        for _ in 0..50 {
            let failure = asking_to_wait(code, 60);
            scene.attempt("m|a", own(1), AttemptEnd::Failed(&failure));
        }
    }
    assert_eq!(scene.health("m|a"), before, "shared capacity is as it was");
    assert!(scene.begin("m|a").is_some());
    assert_eq!(
        scene.told("m|a", own(2)),
        before,
        "and so is another customer's credential"
    );
    assert_eq!(scene.told("m|a", own(1)).rank, HealthRank::Down);
    assert_eq!(
        scene.told("m|b", own(1)),
        before,
        "and this one at another endpoint"
    );

    // Nor does shared capacity's trouble hold back a customer's credential.
    for _ in 0..5 {
        scene.fail("m|b", &status(500));
    }
    assert_eq!(scene.told("m|b", SHARED).rank, HealthRank::Down);
    assert_eq!(scene.told("m|b", own(1)).rank, HealthRank::Stable);
}

#[test]
fn every_refusal_of_a_customers_credential_counts_against_it() {
    for code in [401, 402, 403] {
        let scene = Scene::default();
        for _ in 0..5 {
            scene.attempt("m|a", own(1), AttemptEnd::Failed(&status(code)));
        }
        let ask = scene.board.begin(&id("m|a"), own(1), scene.now);
        assert!(ask.is_none(), "{code}");
    }
}

#[test]
fn a_clock_that_goes_back_loses_nothing() {
    let mut scene = Scene::default();
    scene.fail("m|a", &status(500));
    scene.now = scene.now.minus(Duration::from_secs(3_600));
    scene.fail("m|a", &status(500));
    assert_eq!(scene.rank("m|a"), HealthRank::Outage);
}

#[test]
fn what_is_long_past_is_forgotten() {
    let mut scene = Scene::default();
    scene.succeed("m|a");
    scene.attempt("m|a", own(1), AttemptEnd::Finished);
    scene.board.take_turn(scene.now);
    assert_eq!(scene.board.records.all().len(), 2);
    scene.seconds(16 * 60);
    scene.board.take_turn(scene.now);
    assert_eq!(scene.board.records.all().len(), 1);
    scene.seconds(25 * 3_600);
    scene.board.take_turn(scene.now);
    assert_eq!(scene.board.records.all().len(), 0);
}
