use super::*;
use crate::profile::CacheMode;

fn messages(body: &Value) -> &[Value] {
    body["messages"].as_array().expect("a list")
}

#[test]
fn it_is_as_long_as_it_says() {
    let session = Session::coding_agent();
    assert_eq!(session.turns(), 50);
    let usage = session.forecast(0..50, &Caching::default());
    let input = |turn: usize| usage[turn].input.expect("told");
    assert!((9_000..11_000).contains(&input(0)), "{}", input(0));
    assert!((112_000..124_000).contains(&input(49)), "{}", input(49));
    let tools = session.requests("m")[0]["tools"].clone();
    assert_eq!(tools.as_array().map(Vec::len), Some(12));
    let turns = &session.trace.turns;
    assert_eq!(turns.iter().filter(|turn| turn.user.is_some()).count(), 5);
    for (number, turn) in turns.iter().enumerate() {
        let ends = turn.user.is_some() || number == 49;
        assert_eq!(turn.calls.is_empty(), ends, "turn {number}");
    }
}

#[test]
fn each_turn_continues_the_one_before() {
    let requests = Session::coding_agent().shrunk(8).requests("acme/one");
    for pair in requests.windows(2) {
        let (before, after) = (messages(&pair[0]), messages(&pair[1]));
        assert!(after.len() > before.len());
        assert_eq!(&after[..before.len()], before);
        for field in ["model", "tools", "max_tokens"] {
            assert_eq!(pair[0][field], pair[1][field]);
        }
    }
}

#[test]
fn numbers_tell_conversations_apart_and_nothing_else_does() {
    let first = Session::coding_agent().requests("m");
    assert_eq!(first, Session::coding_agent().requests("m"));
    let other = Session::coding_agent().numbered(1).requests("m");
    assert_eq!(messages(&first[0])[0], messages(&other[0])[0]);
    assert_ne!(messages(&first[0])[1], messages(&other[0])[1]);
    let usage = |number| {
        let session = Session::coding_agent().numbered(number);
        session.forecast(0..50, &Caching::default())
    };
    assert_eq!(usage(0), usage(1), "they weigh the same");
}

#[test]
fn a_cache_reads_what_the_turn_before_sent() {
    for divisor in [1, 8] {
        let session = Session::coding_agent().shrunk(divisor);
        let usage = session.forecast(0..50, &Caching::default());
        let without = session.forecast(
            0..50,
            &Caching {
                mode: CacheMode::None,
                ..Caching::default()
            },
        );
        let figure = |figure: Option<u64>| figure.expect("told");
        assert_eq!(usage[0].cache_read, Some(0));
        for pair in usage.windows(2) {
            let before = figure(pair[0].input);
            let expected = if before / 128 * 128 < 1_024 {
                0
            } else {
                before / 128 * 128
            };
            assert_eq!(figure(pair[1].cache_read), expected);
        }
        let (mut input, mut read) = (0, 0);
        for (with, without) in usage.iter().zip(&without) {
            assert_eq!(with.input, without.input);
            assert_eq!(without.cache_read, Some(0));
            input += figure(with.input);
            read += figure(with.cache_read);
        }
        // Nineteen in twenty, as in the wild.
        assert!(
            (94..98).contains(&(read * 100 / input)),
            "{read} of {input}"
        );
    }
}

#[test]
fn a_provider_that_comes_late_starts_cold() {
    let session = Session::coding_agent().shrunk(8);
    let all = session.forecast(0..50, &Caching::default());
    let late = session.forecast(20..50, &Caching::default());
    assert_eq!(
        (late[0].input, late[0].cache_read),
        (all[20].input, Some(0))
    );
    assert_eq!(late[1..], all[21..]);
}
