//! When breakers open, for how long, and who may look whether an endpoint is back.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use super::*;

fn open(scene: &Scene) {
    for _ in 0..5 {
        scene.fail("m|a", &status(500));
    }
    assert!(scene.begin("m|a").is_none(), "it is open");
}

/// Lets time pass until the breaker lets a probe through, and hands out its permit.
fn await_probe(scene: &mut Scene) -> (Permit, Duration) {
    let start = scene.now;
    loop {
        if let Some(permit) = scene.begin("m|a") {
            assert!(permit.is_probe());
            return (permit, scene.now.since(start));
        }
        scene.pass(Duration::from_millis(10));
        assert!(
            scene.now.since(start) < Duration::from_secs(400),
            "it stays open for ever"
        );
    }
}

#[test]
fn five_failures_in_a_row_open_it() {
    let scene = Scene::default();
    for _ in 0..10 {
        // More than half succeed: the ratio stays out of this.
        for _ in 0..5 {
            scene.succeed("m|a");
        }
        for _ in 0..4 {
            scene.fail("m|a", &status(500));
        }
        assert!(scene.begin("m|a").is_some());
    }
    scene.succeed("m|a");
    open(&scene);
    assert_eq!(scene.told("m|a", SHARED).rank, HealthRank::Down, "at once");
}

#[test]
fn fewer_than_half_of_twenty_within_ten_seconds_open_it() {
    let run = |failures: u32, pause: Duration| {
        let mut scene = Scene::default();
        for number in 0..20 {
            if number % 2 == 1 && number / 2 < 20 - failures {
                scene.succeed("m|a");
            } else {
                scene.fail("m|a", &status(500));
            }
            scene.pass(pause);
        }
        scene.begin("m|a").is_none()
    };
    let quick = Duration::from_millis(10);
    assert!(run(11, quick));
    assert!(!run(10, quick), "half");
    assert!(!run(11, Duration::from_secs(1)), "spread over 20 seconds");
}

#[test]
fn being_asked_too_fast_counts_in_the_ratio_only() {
    let scene = Scene::default();
    for _ in 0..19 {
        scene.fail("m|a", &status(429));
    }
    assert!(scene.begin("m|a").is_some(), "nineteen in a row");
    scene.fail("m|a", &status(429));
    assert!(scene.begin("m|a").is_none());
}

#[test]
fn what_says_nothing_opens_nothing() {
    let scene = Scene::default();
    for _ in 0..100 {
        for code in [400, 403, 413] {
            scene.fail("m|a", &status(code));
        }
        scene.attempt("m|a", SHARED, AttemptEnd::Withdrawn);
        drop(scene.begin("m|a").expect("it is well"));
    }
    assert_eq!(scene.rank("m|a"), HealthRank::Stable);
}

#[test]
fn it_stays_open_twice_as_long_each_time_give_or_take_a_fifth() {
    let mut lengths = Vec::new();
    for seed in 0..20 {
        let mut scene = Scene {
            board: HealthBoard::new(seed),
            ..Scene::default()
        };
        open(&scene);
        for base in [5, 10, 20, 40, 80, 160, 300, 300] {
            let (probe, waited) = await_probe(&mut scene);
            let base = Duration::from_secs(base);
            let slack = Duration::from_millis(10);
            assert!(
                (base * 4 / 5..=base * 6 / 5 + slack).contains(&waited),
                "{base:?}: {waited:?}"
            );
            if base == Duration::from_secs(300) {
                lengths.push(waited);
            }
            scene.end(probe, AttemptEnd::Failed(&status(500)));
        }
    }
    lengths.sort_unstable();
    let spread = lengths[lengths.len() - 1] - lengths[0];
    assert!(spread > Duration::from_secs(60), "{lengths:?}");
}

#[test]
fn one_probe_among_a_hundred_who_ask_at_once() {
    let mut scene = Scene::default();
    open(&scene);
    scene.seconds(7);
    let (probes, refused) = (AtomicU32::new(0), AtomicU32::new(0));
    let ask = |scene: &Scene| match scene.begin("m|a") {
        Some(permit) => {
            assert!(permit.is_probe());
            probes.fetch_add(1, Ordering::Relaxed);
            Some(permit)
        }
        None => {
            refused.fetch_add(1, Ordering::Relaxed);
            None
        }
    };
    thread::scope(|scope| {
        let (scene, ask) = (&scene, &ask);
        let asking: Vec<_> = (0..100).map(|_| scope.spawn(move || ask(scene))).collect();
        // Kept until all have asked: a probe that is given up makes room for the next.
        let permits: Vec<_> = asking
            .into_iter()
            .map(|thread| thread.join().expect("it asks"))
            .collect();
        drop(permits);
    });
    let (probes, refused) = (probes.into_inner(), refused.into_inner());
    assert_eq!((probes, refused), (1, 99));
}

#[test]
fn a_probe_that_is_given_up_makes_room_for_the_next() {
    let mut scene = Scene::default();
    open(&scene);
    let (probe, _) = await_probe(&mut scene);
    assert!(scene.begin("m|a").is_none());
    drop(probe);
    let probe = scene.begin("m|a").expect("the place is free");
    scene.end(probe, AttemptEnd::Withdrawn);
    let probe = scene.begin("m|a").expect("the place is free");
    scene.end(probe, AttemptEnd::Failed(&status(400)));
    let probe = scene.begin("m|a").expect("the place is free");
    // One that hangs does not keep others out for ever.
    scene.seconds(60);
    let next = scene.begin("m|a").expect("somebody else may look");
    scene.end(next, AttemptEnd::Finished);
    assert_eq!(scene.state("m|a"), EndpointState::Returning);
    scene.end(probe, AttemptEnd::Failed(&status(500)));
    assert_eq!(
        scene.state("m|a"),
        EndpointState::Returning,
        "what began before says nothing now"
    );
}

#[test]
fn a_429_fails_a_probe() {
    let mut scene = Scene::default();
    open(&scene);
    let (probe, _) = await_probe(&mut scene);
    scene.end(probe, AttemptEnd::Failed(&status(429)));
    let (_, waited) = await_probe(&mut scene);
    assert!(waited >= Duration::from_secs(8), "{waited:?}");
}

#[test]
fn the_first_token_of_a_probe_is_enough() {
    let mut scene = Scene::default();
    open(&scene);
    let (probe, _) = await_probe(&mut scene);
    scene.board.began(&probe, scene.now);
    assert_eq!(scene.state("m|a"), EndpointState::Returning);
    assert!(!scene.begin("m|a").expect("it is coming back").is_probe());
    scene.end(probe, AttemptEnd::Finished);
}

#[test]
fn attempts_from_before_it_opened_do_not_bring_it_back() {
    let mut scene = Scene::default();
    let early: Vec<Permit> = (0..3)
        .map(|_| scene.begin("m|a").expect("it is well"))
        .collect();
    open(&scene);
    for permit in early {
        scene.end(permit, AttemptEnd::Finished);
    }
    assert!(scene.begin("m|a").is_none());
    // Who insists and succeeds while it is open does.
    scene.seconds(1);
    scene.succeed("m|a");
    assert_eq!(scene.state("m|a"), EndpointState::Returning);
}

#[test]
fn the_last_endpoint_is_only_reported_never_ejected() {
    let scene = Scene::default();
    open(&scene);
    assert_eq!(scene.rank("m|a"), HealthRank::Down);
    // Insisting always gets a permit, and failing then does not prolong anything.
    for _ in 0..100 {
        scene.fail("m|a", &status(500));
    }
    let until = scene.health("m|a").benched_until.expect("it is open");
    assert!(until.since(scene.now) <= Duration::from_secs(6));
}
