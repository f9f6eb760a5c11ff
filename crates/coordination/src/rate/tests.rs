use proptest::prelude::*;

use super::*;

fn at(ms: u64) -> Timestamp {
    from_millis(ms)
}

fn rate(permits: u32, per_ms: u64) -> Rate {
    Rate {
        permits,
        per: Duration::from_millis(per_ms),
    }
}

proptest! {
    /// At each grant, what the window has given and what still counts of the one before, recounted
    /// from the whole history, are within the limit.
    #[test]
    fn no_grant_exceeds_the_limit(
        permits in 1_u32..20,
        per_ms in 1_u64..5_000,
        steps in prop::collection::vec(0_u64..700, 1..300),
    ) {
        let limit = rate(permits, per_ms);
        let mut window = Window::starting(limit, at(0));
        let mut now_ms = 0;
        let mut given: Vec<u64> = Vec::new();
        for step in steps {
            now_ms += step;
            if !window.take(limit, at(now_ms)).allowed {
                continue;
            }
            given.push(now_ms);
            let in_window = |index: u64| given.iter().filter(|at| *at / per_ms == index).count() as u64;
            let before = (now_ms / per_ms).checked_sub(1).map_or(0, in_window);
            let still_counts = before * (per_ms - now_ms % per_ms) / per_ms;
            prop_assert!(in_window(now_ms / per_ms) + still_counts <= u64::from(permits));
        }
    }

    /// A refusal's `reset_at` is the first millisecond at which asking again helps.
    #[test]
    fn refusals_point_at_the_first_useful_moment(
        permits in 1_u32..20,
        per_ms in 2_u64..5_000,
        steps in prop::collection::vec(0_u64..300, 1..100),
    ) {
        let limit = rate(permits, per_ms);
        let mut window = Window::starting(limit, at(0));
        let mut now_ms = 0;
        for step in steps {
            now_ms += step;
            let decision = window.take(limit, at(now_ms));
            if !decision.allowed {
                let reset_ms = millis(decision.reset_at);
                prop_assert!(reset_ms > now_ms);
                prop_assert!(!window.clone().take(limit, at(reset_ms - 1)).allowed);
                prop_assert!(window.clone().take(limit, at(reset_ms)).allowed);
            }
        }
    }

    /// What is said to be left is what a patient caller gets.
    #[test]
    fn remaining_is_what_is_left(permits in 1_u32..30, before in 0_u32..30, late_ms in 0_u64..1_000) {
        let limit = rate(permits, 1_000);
        let mut window = Window::starting(limit, at(0));
        for _ in 0..before {
            window.take(limit, at(0));
        }
        let now = at(1_000 + late_ms);
        let first = window.take(limit, now);
        let more = (0..permits).filter(|_| window.take(limit, now).allowed).count();
        prop_assert_eq!(more, if first.allowed { first.remaining as usize } else { 0 });
    }
}

#[test]
fn a_new_length_of_window_starts_afresh() {
    let mut window = Window::starting(rate(1, 1_000), at(0));
    assert!(window.take(rate(1, 1_000), at(0)).allowed);
    assert!(!window.take(rate(1, 1_000), at(0)).allowed);
    assert!(window.take(rate(1, 2_000), at(0)).allowed);
}

#[test]
fn a_share_of_a_limit_is_neither_nothing_nor_everything() {
    for (permits, nodes, share) in [(100, 4, 25), (100, 0, 100), (3, 10, 1), (0, 10, 0)] {
        assert_eq!(
            rate(permits, 1).shared_by(nodes).permits,
            share,
            "{permits} over {nodes}"
        );
    }
}

#[test]
fn extreme_instants_and_lengths_do_not_overflow() {
    for now in [
        Timestamp::from_micros(i64::MIN),
        Timestamp::from_micros(i64::MAX),
    ] {
        for per in [Duration::ZERO, Duration::MAX] {
            let limit = Rate {
                permits: u32::MAX,
                per,
            };
            let mut window = Window::starting(limit, now);
            assert!(window.take(limit, now).allowed);
            assert!(window.forgotten_at_ms() > 0);
        }
    }
}
