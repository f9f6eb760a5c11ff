use switchyard_domain::id::{AccountId, ApiKeyId};
use uuid::Uuid;

use super::*;

const START: Timestamp = Timestamp::from_seconds(1_000);
const LIFE: Duration = Duration::from_secs(60);

fn credits() -> FundRef {
    FundRef {
        id: FundId::Credits(AccountId::from_uuid(Uuid::from_u128(1))),
        capacity: None,
    }
}

fn key_limit() -> FundRef {
    let key = ApiKeyId::from_uuid(Uuid::from_u128(2));
    FundRef {
        id: FundId::KeyLimit {
            key,
            window_start: None,
        },
        capacity: Some(UsdNanos::new(1_000)),
    }
}

fn later(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}

fn usd(nanos: i64) -> UsdNanos {
    UsdNanos::new(nanos)
}

fn empty_book() -> LeaseBook {
    LeaseBook::new(NodeId::from_uuid(Uuid::from_u128(9)), START)
}

/// A book whose lease on the credits was granted `amount` at the start.
fn book_with(amount: i64) -> LeaseBook {
    let mut book = empty_book();
    grant(&mut book, credits(), amount, START);
    book
}

fn grant(book: &mut LeaseBook, fund: FundRef, amount: i64, now: Timestamp) -> LeaseId {
    let ask = book.ask(fund, usd(amount), LIFE, now);
    assert!(book.granted(&ask, usd(amount), now));
    ask.lease
}

/// Granted, reserved, spent and not posted, returning.
fn state(book: &LeaseBook, fund: FundRef) -> (i64, i64, i64, i64) {
    let (_, state) = book
        .states()
        .find(|(id, _)| *id == fund.id)
        .expect("a lease on the fund");
    let LeaseState {
        granted,
        reserved,
        spent_unposted,
        returning,
        ..
    } = state;
    (
        granted.get(),
        reserved.get(),
        spent_unposted.get(),
        returning.get(),
    )
}

#[test]
fn a_request_lives_from_reservation_to_posting() {
    let mut book = book_with(100);
    let reservation = book
        .reserve(&[credits().id], usd(60), START)
        .expect("enough");
    assert_eq!(state(&book, credits()), (100, 60, 0, 0));
    assert_eq!(book.idle(credits().id), usd(40));

    let holds = book.settle(reservation, usd(25));
    assert_eq!(state(&book, credits()), (100, 0, 25, 0));

    assert_eq!(holds.len(), 1);
    book.posted(&holds[0], usd(25));
    assert_eq!(state(&book, credits()), (75, 0, 0, 0));
}

#[test]
fn a_released_reservation_leaves_no_trace() {
    let mut book = book_with(100);
    let reservation = book
        .reserve(&[credits().id], usd(60), START)
        .expect("enough");
    assert_eq!(reservation.amount(), usd(60));
    book.release(reservation);
    assert_eq!(state(&book, credits()), (100, 0, 0, 0));
}

#[test]
fn what_is_reserved_cannot_be_reserved_again() {
    let mut book = book_with(100);
    let _first = book
        .reserve(&[credits().id], usd(60), START)
        .expect("enough");
    let short = book
        .reserve(&[credits().id], usd(41), START)
        .expect_err("40 are left");
    assert_eq!(
        short,
        Shortfall {
            fund: credits().id,
            missing: usd(1)
        }
    );
    assert!(
        book.reserve(&[credits().id], usd(40), START).is_ok(),
        "to the last one"
    );
}

#[test]
fn all_funds_bear_a_request_or_none_does() {
    let mut book = book_with(100);
    grant(&mut book, key_limit(), 30, START);
    // However the funds are named, they are asked in one order.
    for funds in [
        [key_limit().id, credits().id],
        [credits().id, key_limit().id],
    ] {
        let short = book
            .reserve(&funds, usd(50), START)
            .expect_err("the key has 30");
        assert_eq!(
            short,
            Shortfall {
                fund: key_limit().id,
                missing: usd(20)
            }
        );
        let short = book
            .reserve(&funds, usd(150), START)
            .expect_err("neither has it");
        assert_eq!(
            short,
            Shortfall {
                fund: credits().id,
                missing: usd(50)
            }
        );
    }
    assert_eq!(state(&book, credits()), (100, 0, 0, 0));

    let twice = [credits().id, key_limit().id, credits().id];
    let reservation = book.reserve(&twice, usd(30), START).expect("both have it");
    assert_eq!(reservation.holds().len(), 2);
    assert_eq!(state(&book, credits()), (100, 30, 0, 0));
    assert_eq!(state(&book, key_limit()), (30, 30, 0, 0));
    for hold in book.settle(reservation, usd(10)) {
        book.posted(&hold, usd(10));
    }
    assert_eq!(state(&book, credits()), (90, 0, 0, 0));
    assert_eq!(state(&book, key_limit()), (20, 0, 0, 0));
}

#[test]
fn without_a_lease_not_even_nothing_is_borne() {
    let mut book = empty_book();
    let nothing = Shortfall {
        fund: credits().id,
        missing: UsdNanos::ZERO,
    };
    assert_eq!(
        book.reserve(&[credits().id], usd(0), START)
            .expect_err("no lease"),
        nothing
    );
    let ask = book.ask(credits(), usd(0), LIFE, START);
    assert_eq!(
        book.reserve(&[credits().id], usd(0), START)
            .expect_err("no answer"),
        nothing
    );

    // SQL says that the fund is not overdrawn, though there is nothing to hold.
    assert!(book.granted(&ask, usd(0), START));
    let reservation = book.reserve(&[credits().id], usd(0), START).expect("borne");
    let holds = book.settle(reservation, usd(0));
    book.posted(&holds[0], usd(0));
    assert_eq!(book.states().count(), 0, "the next one asks again");
}

#[test]
fn an_overrun_leaves_less_than_nothing_until_more_is_granted() {
    let mut book = book_with(100);
    let reservation = book
        .reserve(&[credits().id], usd(100), START)
        .expect("enough");
    let holds = book.settle(reservation, usd(145));
    assert_eq!(book.idle(credits().id), usd(-45));
    let short = book
        .reserve(&[credits().id], usd(5), START)
        .expect_err("overdrawn");
    assert_eq!(short.missing, usd(50));

    grant(&mut book, credits(), 50, START);
    let reservation = book
        .reserve(&[credits().id], usd(5), START)
        .expect("enough again");
    book.release(reservation);
    book.posted(&holds[0], usd(145));
    assert_eq!(state(&book, credits()), (5, 0, 0, 0));
}

#[test]
fn a_lease_that_an_overrun_used_up_is_forgotten() {
    let mut book = book_with(100);
    let reservation = book
        .reserve(&[credits().id], usd(100), START)
        .expect("enough");
    let holds = book.settle(reservation, usd(145));
    book.posted(&holds[0], usd(145));
    assert_eq!(book.states().count(), 0);
    assert!(
        book.reserve(&[credits().id], usd(0), START).is_err(),
        "SQL must be asked"
    );
}

#[test]
fn a_lapsed_lease_bears_nothing_and_is_replaced() {
    let mut book = book_with(100);
    let in_flight = book
        .reserve(&[credits().id], usd(60), START)
        .expect("enough");
    let old = in_flight.holds()[0].lease;
    let last = Timestamp::from_micros(later(60).micros() - 1);
    let reservation = book
        .reserve(&[credits().id], usd(1), last)
        .expect("not yet lapsed");
    book.release(reservation);
    let short = book
        .reserve(&[credits().id], usd(1), later(60))
        .expect_err("lapsed");
    assert_eq!(short.missing, usd(1));

    let new = grant(&mut book, credits(), 10, later(60));
    assert_ne!(new, old);
    assert_eq!(
        book.take_given_up(),
        [old],
        "SQL may still hold money under it"
    );
    assert_eq!(book.take_given_up(), []);
    assert_eq!(state(&book, credits()), (10, 0, 0, 0));
    // What was in flight is charged to the fund without a hold, and does not burden the new lease.
    let holds = book.settle(in_flight, usd(55));
    assert_eq!(holds, [ConsumedHold::new(credits().id, old)]);
    book.posted(&holds[0], usd(55));
    assert_eq!(state(&book, credits()), (10, 0, 0, 0));
}

#[test]
fn renewing_saves_only_what_has_not_lapsed() {
    let mut book = book_with(100);
    grant(&mut book, key_limit(), 100, later(30));
    book.renewed(later(120), later(70));
    assert!(
        book.reserve(&[credits().id], usd(1), later(70)).is_err(),
        "lapsed at 60"
    );
    assert!(
        book.reserve(&[key_limit().id], usd(1), later(119)).is_ok(),
        "renewed at 70"
    );
    assert!(book.reserve(&[key_limit().id], usd(1), later(120)).is_err());
}

#[test]
fn a_renewal_does_not_shorten_a_lease() {
    let mut book = book_with(100);
    book.renewed(later(10), later(1));
    assert!(book.reserve(&[credits().id], usd(1), later(59)).is_ok());
}

#[test]
fn an_answer_that_comes_after_the_lease_lapsed_is_not_taken() {
    let mut book = book_with(100);
    let ask = book.ask(credits(), usd(20), LIFE, later(59));
    assert!(
        !book.granted(&ask, usd(20), later(61)),
        "the 100 may be swept by now"
    );
    assert!(book.reserve(&[credits().id], usd(1), later(61)).is_err());

    let ask = book.ask(credits(), usd(20), LIFE, later(62));
    let replaced = LeaseAsk {
        lease: LeaseId::from_uuid(Uuid::nil()),
        ..ask
    };
    assert!(
        !book.granted(&replaced, usd(20), later(62)),
        "a lease the book has given up"
    );
    assert!(book.granted(&ask, usd(20), later(62)));
    assert_eq!(state(&book, credits()), (20, 0, 0, 0));
}

#[test]
fn an_answer_that_comes_after_its_own_expiry_is_not_taken() {
    let mut book = empty_book();
    let late = book.ask(credits(), usd(20), LIFE, START);
    let prompt = book.ask(credits(), usd(20), LIFE, later(61));
    assert_ne!(
        prompt.lease, late.lease,
        "SQL may have swept the first by now"
    );
    assert!(!book.granted(&late, usd(20), later(61)));
    assert!(book.granted(&prompt, usd(20), later(61)));
    assert_eq!(state(&book, credits()), (20, 0, 0, 0));
    assert_eq!(book.take_given_up(), [late.lease]);
}

#[test]
fn asks_name_the_lease_that_is_there() {
    let mut book = empty_book();
    let first = book.ask(credits(), usd(3), LIFE, START);
    assert_eq!((first.needed, first.wanted), (usd(3), usd(96)));
    assert_eq!(first.expires_at, later(60));
    assert_eq!(book.ask(credits(), usd(3), LIFE, START).lease, first.lease);
    assert_ne!(
        book.ask(key_limit(), usd(3), LIFE, START).lease,
        first.lease
    );

    book.refused(&first);
    assert_eq!(
        book.ask(credits(), usd(3), LIFE, START).lease,
        first.lease,
        "one still open"
    );
    book.refused(&first);
    book.refused(&first);
    assert_ne!(
        book.ask(credits(), usd(3), LIFE, START).lease,
        first.lease,
        "forgotten"
    );
}

#[test]
fn names_of_leases_differ_between_nodes_and_runs() {
    let name = |node, opened_at| {
        let mut book = LeaseBook::new(NodeId::from_uuid(Uuid::from_u128(node)), opened_at);
        book.ask(credits(), usd(1), LIFE, START).lease
    };
    assert_eq!(name(1, START), name(1, START));
    assert_ne!(name(1, START), name(2, START));
    assert_ne!(name(1, START), name(1, later(1)));
}

#[test]
fn quiet_leases_give_back_what_is_idle() {
    let quiet = Duration::from_secs(10);
    let mut book = book_with(100);
    grant(&mut book, key_limit(), 50, START);
    let in_flight = book
        .reserve(&[credits().id], usd(30), later(5))
        .expect("enough");

    let parts = book.take_returnable(later(10), quiet);
    let taken: Vec<_> = parts
        .iter()
        .map(|part| (part.fund(), part.amount()))
        .collect();
    assert_eq!(
        taken,
        [(key_limit().id, usd(50))],
        "the credits were used five seconds ago"
    );
    assert!(
        book.reserve(&[key_limit().id], usd(1), later(10)).is_err(),
        "on its way back"
    );
    for part in parts {
        book.returned(part);
    }
    assert!(
        book.states().all(|(fund, _)| fund == credits().id),
        "an empty lease is forgotten"
    );

    let mut parts = book.take_returnable(later(15), quiet);
    let part = parts.pop().expect("the credits are quiet now");
    assert_eq!(part.amount(), usd(70), "not what is reserved");
    assert_eq!(part.lease(), in_flight.holds()[0].lease);
    assert_eq!(state(&book, credits()), (30, 30, 0, 70));
    book.not_returned(part);
    assert_eq!(state(&book, credits()), (100, 30, 0, 0));
    book.release(in_flight);
}

#[test]
fn a_busy_fund_is_asked_for_more_each_time() {
    let mut book = empty_book();
    let mut wanted_after = |seconds| book.ask(credits(), usd(10), LIFE, later(seconds)).wanted;
    assert_eq!(wanted_after(0), usd(320));
    assert_eq!(wanted_after(1), usd(640));
    assert_eq!(wanted_after(2), usd(1_280));
    assert_eq!(wanted_after(10), usd(320), "the last one lasted");
}
