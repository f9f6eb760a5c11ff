//! A coding agent's session of 50 turns at three endpoints with cache prices: it stays where its prompt
//! cache is warm, costs what the best endpoint would, and moves only when it must, on record.
//!
//! The session is the simulator's modelled one, an eighth of its size. The prices are such that the
//! cheapest list price is also the cheapest session; an endpoint that is only cheap to begin with is
//! told from one that is cheap to stay with by nothing that a first request shows.

use std::{ops::Range, time::Duration};

use switchyard_testkit::{
    exact::decimal,
    world::simulator::{CacheMode, Caching, Session},
};

use crate::world::*;

const WILLOW: &str = "acme/willow";
const PATIENCE: Duration = Duration::from_secs(10);
const TURNS: usize = 50;
const PICOS_PER_NANO: i128 = 1_000;

/// What an endpoint charges per token, in US dollars.
struct Offer {
    provider: &'static str,
    prompt: &'static str,
    completion: &'static str,
    cache_read: &'static str,
    /// Charged by an endpoint whose cache reports what it takes in.
    cache_write: Option<&'static str>,
}

/// The cheapest list price first. Over a session birch costs twice as much as alder, as its cache hardly
/// saves; dogwood, which charges for writes, about a tenth more.
const OFFERS: [Offer; 3] = [
    Offer {
        provider: "alder",
        prompt: "0.00000100",
        completion: "0.00000400",
        cache_read: "0.00000010",
        cache_write: None,
    },
    Offer {
        provider: "dogwood",
        prompt: "0.00000105",
        completion: "0.00000420",
        cache_read: "0.000000105",
        cache_write: Some("0.0000013125"),
    },
    Offer {
        provider: "birch",
        prompt: "0.00000110",
        completion: "0.00000440",
        cache_read: "0.00000044",
        cache_write: None,
    },
];

impl Offer {
    fn of(provider: &str) -> &'static Self {
        let offer = OFFERS.iter().find(|offer| offer.provider == provider);
        offer.unwrap_or_else(|| panic!("{provider} does not serve {WILLOW}"))
    }

    fn pricing(&self) -> Value {
        json!({ "prompt": self.prompt, "completion": self.completion,
                "input_cache_read": self.cache_read, "input_cache_write": self.cache_write })
    }

    fn caching(&self) -> Caching {
        Caching {
            reports_writes: self.cache_write.is_some(),
            ..Caching::default()
        }
    }

    /// What one answer costs, rounded once, half to even, in nano-dollars.
    fn cost_nanos(&self, usage: &UsageFigures) -> i128 {
        let count = |figure: Option<u64>| i128::from(figure.expect("every figure is told"));
        let (read, written) = (count(usage.cache_read), count(usage.cache_write));
        let picos = decimal(self.prompt, 12) * (count(usage.input) - read - written)
            + decimal(self.cache_read, 12) * read
            + decimal(self.cache_write.unwrap_or("0"), 12) * written
            + decimal(self.completion, 12) * count(usage.output);
        let (whole, rest) = (picos / PICOS_PER_NANO, picos % PICOS_PER_NANO);
        whole
            + i128::from(
                rest * 2 > PICOS_PER_NANO || (rest * 2 == PICOS_PER_NANO && whole % 2 == 1),
            )
    }

    /// What these turns cost if it serves them and has seen nothing before.
    fn alone_nanos(&self, session: &Session, turns: Range<usize>) -> i128 {
        let usage = session.forecast(turns, &self.caching());
        usage.iter().map(|usage| self.cost_nanos(usage)).sum()
    }
}

/// The best that can be had: the whole session at the endpoint where it costs least, its cache warm from
/// the second turn on. Nothing that moves can beat it here, as each move pays for the whole context anew.
fn best_nanos(session: &Session) -> i128 {
    let alone = OFFERS
        .iter()
        .map(|offer| offer.alone_nanos(session, 0..TURNS));
    alone.min().expect("there are offers")
}

/// A world whose providers serve one more model.
async fn start_with_offers(configuration: Configuration) -> World {
    let mut world = start(configuration, Setup::default()).await;
    let offers = OFFERS.each_ref();
    let offers = offers.map(|offer| (offer.provider, offer.pricing()));
    world.catalog.add_model_at(WILLOW, &offers);
    world.deployment.write_catalog(&world.catalog);
    world.node.signal(Signal::HangUp).await;
    wait::until("the model to be served", PATIENCE, || async {
        let path = format!("/api/v1/model/{WILLOW}");
        let reply = world.api().get(&path).send().await;
        (reply.status == 200).then_some(())
    })
    .await;
    for offer in &OFFERS {
        set_caching(&world, offer.provider, offer.caching());
    }
    world
}

fn set_caching(world: &World, provider: &str, caching: Caching) {
    let profile = Profile {
        caching,
        ..Profile::default()
    };
    world.simulator().set_profile(provider, profile);
}

/// One answer.
#[derive(Debug)]
struct Served {
    id: String,
    provider: String,
    usage: UsageFigures,
    cost_nanos: i128,
}

async fn ask(world: &World, body: &Value) -> Served {
    let reply = world.ask(body).await;
    let answer = reply.ok();
    let usage = &answer["usage"];
    let figure = |pointer: &str| Some(usage.pointer(pointer)?.as_u64().expect("a count"));
    let served = Served {
        id: text(&answer, "id"),
        provider: text(&answer, "provider").to_lowercase(),
        usage: UsageFigures {
            input: figure("/prompt_tokens"),
            cache_read: figure("/prompt_tokens_details/cached_tokens"),
            cache_write: figure("/prompt_tokens_details/cache_write_tokens"),
            cache_write_1h: Some(0),
            output: figure("/completion_tokens"),
            reasoning: figure("/completion_tokens_details/reasoning_tokens"),
        },
        cost_nanos: nanos_at(reply.text(), "/usage/cost"),
    };
    // The agent looks at its bill, as some do; meanwhile the node notes where the cache is warm.
    let record = world.generation(&served.id).await;
    record.ok();
    assert_eq!(
        nanos_at(record.text(), "/data/total_cost"),
        served.cost_nanos
    );
    served
}

/// Plays the session with `fields` in every request; `before` sets the stage for each turn.
async fn play(
    world: &World,
    session: &Session,
    fields: &Value,
    before: impl Fn(usize),
) -> Vec<Served> {
    let mut served = Vec::with_capacity(TURNS);
    for (turn, body) in session.requests(WILLOW).iter().enumerate() {
        before(turn);
        served.push(ask(world, &with(body, fields)).await);
    }
    served
}

fn session() -> Session {
    Session::coding_agent().shrunk(8)
}

fn total_nanos(served: &[Served]) -> i128 {
    served.iter().map(|one| one.cost_nanos).sum()
}

/// Each turn's usage and charge are what the provider alone would have reported and charged.
fn check_as_if_alone(served: &[Served], session: &Session, turns: Range<usize>) {
    let provider = served[turns.start].provider.as_str();
    let offer = Offer::of(provider);
    let forecast = session.forecast(turns.clone(), &offer.caching());
    for (turn, expected) in turns.zip(&forecast) {
        let one = &served[turn];
        assert_eq!(one.provider, provider, "turn {turn} moved");
        assert_eq!(&one.usage, expected, "turn {turn} at {provider}");
        assert_eq!(one.cost_nanos, offer.cost_nanos(expected), "turn {turn}");
    }
}

/// The decision record of a generation, as its owner reads it.
async fn decision(world: &World, id: &str) -> Value {
    let path = format!("/api/v1/generation/{id}/decision");
    let reply = world.api().get(&path).key(&world.key.text).send().await;
    reply.ok()["data"].clone()
}

/// What a decision did about where the conversation's cache is warm.
fn verdict_of(decision: &Value) -> (&Value, &str) {
    let verdict = &decision["decision"]["pin_verdict"];
    let name = verdict["verdict"].as_str();
    (
        verdict,
        name.unwrap_or_else(|| panic!("no verdict in {decision}")),
    )
}

story!(
    a_named_session_costs_what_the_best_endpoint_would,
    configuration => {
        let world = start_with_offers(configuration).await;
        let manager = world.create_key(&["--management"]).await;
        let session = session();
        let fields = json!({ "session_id": "refactoring", "provider": { "sort": "expected_cost" } });
        let served = play(&world, &session, &fields, |_| {}).await;
        check_as_if_alone(&served, &session, 0..TURNS);
        let (total, best) = (total_nanos(&served), best_nanos(&session));
        assert!(total * 100 <= best * 102, "{total} against {best}");
        assert_eq!(total_usage_nanos(&world, &manager).await, total);

        // The figures mean something: elsewhere, or cold, it would have cost far more.
        let birch = Offer::of("birch").alone_nanos(&session, 0..TURNS);
        assert!(birch > best * 2, "{birch} against {best}");
        world.verified_ledger().await;
    }
);

/// Birch begins a session at nearly the price of the others; its cache is dear to read.
const DEAR_TO_STAY: &str = "birch";

/// From `start` on the session stays where it is, unless that is dear: then it moves once, early,
/// and stays where it went.
fn check_that_it_stays_where_it_pays(served: &[Served], start: usize) {
    let turns = &served[start..];
    let moves: Vec<usize> = (1..turns.len())
        .filter(|turn| turns[*turn].provider != turns[turn - 1].provider)
        .collect();
    let is_dear = turns[0].provider == DEAR_TO_STAY;
    assert_eq!(moves.len(), usize::from(is_dear), "moves at {moves:?}");
    assert!(moves.iter().all(|turn| *turn < 10), "moves at {moves:?}");
}

story!(
    a_named_session_stays_where_it_begins_unless_that_is_dear,
    configuration => {
        let world = start_with_offers(configuration).await;
        for number in 0..3 {
            // Another day: nobody remembers the system prompt, which all sessions share.
            for offer in &OFFERS {
                world.simulator().evict(offer.provider);
            }
            let session = session().numbered(number);
            let fields = json!({ "session_id": format!("session {number}") });
            let served = play(&world, &session, &fields, |_| {}).await;
            check_that_it_stays_where_it_pays(&served, 0);
            let (total, best) = (total_nanos(&served), best_nanos(&session));
            assert!(total * 100 <= best * 130, "{total} against {best}");
        }
    }
);

const FIRST_FAULT: usize = 20;
const RECOVERY: usize = 30;
const SECOND_FAULT: usize = 38;

/// A session whose endpoint fails, recovers, and whose second endpoint asks to wait.
async fn play_with_faults(world: &World) -> Vec<Served> {
    let fields = json!({ "session_id": "refactoring", "provider": { "sort": "price" } });
    let simulator = world.simulator();
    let set_the_stage = |turn| match turn {
        FIRST_FAULT => {
            // A machine that is gone, and its cache with it.
            simulator.evict("alder");
            simulator.script("alder", vec![refusal(503, None); TURNS]);
        }
        RECOVERY => simulator.clear_script("alder"),
        SECOND_FAULT => simulator.script("dogwood", [refusal(429, Some("60"))]),
        _ => {}
    };
    play(world, &session(), &fields, set_the_stage).await
}

story!(
    a_session_moves_when_it_must_and_stays_where_it_went,
    configuration => {
        let world = start_with_offers(configuration).await;
        let session = session();
        let served = play_with_faults(&world).await;
        let at = |turn: usize| served[turn].provider.as_str();
        assert_eq!((at(0), at(FIRST_FAULT)), ("alder", "dogwood"));
        assert_ne!(at(SECOND_FAULT), "dogwood");
        check_as_if_alone(&served, &session, 0..FIRST_FAULT);
        check_as_if_alone(&served, &session, FIRST_FAULT..SECOND_FAULT);
        check_as_if_alone(&served, &session, SECOND_FAULT..TURNS);
        // While it was gone nobody asked it but the one who found out.
        let of_alder = served.iter().filter(|one| one.provider == "alder").count();
        assert_eq!(world.asked("alder"), of_alder as u64 + 1);
    }
);

story!(
    every_move_is_on_record_with_its_reason_and_cost,
    configuration => {
        let world = start_with_offers(configuration).await;
        let served = play_with_faults(&world).await;
        let at = |turn: usize| format!("{WILLOW}|{}", served[turn].provider);
        for (turn, since, status) in [(FIRST_FAULT, 0, 503), (SECOND_FAULT, FIRST_FAULT, 429)] {
            let record = world.generation(&served[turn].id).await.ok();
            let attempts = record["data"]["provider_responses"].as_array().expect("a list");
            let statuses: Vec<_> = attempts.iter().map(|attempt| &attempt["status"]).collect();
            assert_eq!(statuses, [status, 200]);
            let decision = decision(&world, &served[turn].id).await;
            let (switch, name) = verdict_of(&decision);
            assert_eq!(name, "switch", "turn {turn}: {switch}");
            assert_eq!(switch["from"]["endpoint"], at(turn - 1), "{switch}");
            assert_eq!(switch["to"]["endpoint"], at(turn), "{switch}");
            assert_eq!(switch["reason"], "failed", "{switch}");
            // It is an estimate, but one that knows what the lost cache was worth.
            let left = Offer::of(&served[turn - 1].provider);
            let forecast = session().forecast(since..turn + 1, &left.caching());
            let warm = left.cost_nanos(forecast.last().expect("a turn"));
            let lost = served[turn].cost_nanos - warm;
            let told = i128::from(switch["extra_cost_nanos"].as_i64().expect("an amount"));
            assert!(told > lost / 2 && told < lost * 2, "told {told}, lost {lost}");
        }
        let quiet = [FIRST_FAULT - 1, FIRST_FAULT + 1, RECOVERY, SECOND_FAULT + 1];
        for (turn, expected) in quiet.map(|turn| (turn, "retain")).into_iter().chain([(0, "initialize")]) {
            let decision = decision(&world, &served[turn].id).await;
            let (verdict, name) = verdict_of(&decision);
            assert_eq!(name, expected, "turn {turn}: {verdict}");
        }
    }
);

story!(
    without_a_name_nothing_is_pinned_before_a_hit,
    configuration => {
        let world = start_with_offers(configuration).await;
        for offer in &OFFERS {
            let caching = Caching { mode: CacheMode::None, ..Caching::default() };
            set_caching(&world, offer.provider, caching);
        }
        let body = &session().requests(WILLOW)[0];
        let first = ask(&world, body).await;
        let mut moved = false;
        // By its weight no endpoint gets all of these, but once in 10^13 times.
        for _ in 0..30 {
            moved |= ask(&world, body).await.provider != first.provider;
        }
        assert!(moved, "all of them went to {}", first.provider);
    }
);

story!(
    without_a_name_the_opening_is_pinned_after_a_hit,
    configuration => {
        let world = start_with_offers(configuration).await;
        let served = play(&world, &session(), &json!({}), |_| {}).await;
        let hit = served.iter().position(|one| one.usage.cache_read > Some(0));
        let hit = hit.expect("an endpoint was asked twice");
        // With three endpoints the fourth request comes to one that was asked before.
        assert!(hit <= OFFERS.len(), "the first hit came at turn {hit}");
        check_that_it_stays_where_it_pays(&served, hit);
    }
);
