//! What nodes make of each other's digests.

use std::time::Duration;

use switchyard_coordination::{HealthDigest, PeerHealth};
use switchyard_domain::id::NodeId;

use super::*;

/// Two nodes with one clock.
#[derive(Default)]
struct Nodes {
    scene: Scene,
    other: Scene,
}

fn node(number: u128) -> NodeId {
    NodeId::from_uuid(Uuid::from_u128(number))
}

fn peer(number: u128, digest: HealthDigest) -> PeerHealth {
    PeerHealth {
        node: node(number),
        digest,
    }
}

impl Nodes {
    /// Each hears the other, as once a second.
    fn exchange(&mut self) {
        let digests = [&self.scene, &self.other].map(|one| one.board.digest(one.now));
        let [ours, theirs] = digests;
        self.scene.board.hear(vec![peer(2, theirs)], self.scene.now);
        self.other.board.hear(vec![peer(1, ours)], self.other.now);
    }

    fn seconds(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.scene.seconds(1);
            self.other.seconds(1);
            self.exchange();
        }
    }
}

#[test]
fn counts_add_up() {
    let mut nodes = Nodes::default();
    for _ in 0..60 {
        nodes.scene.succeed("m|a");
        nodes.other.succeed("m|a");
    }
    nodes.other.fail("m|a", &status(500));
    nodes.exchange();
    for one in [&nodes.scene, &nodes.other] {
        let figures = one.board.figures(&id("m|a"), one.now);
        assert_eq!(figures.uptime_30m_ppm, Some(1_000_000 - 8_264));
    }
    nodes.exchange();
    let figures = nodes.scene.board.figures(&id("m|a"), nodes.scene.now);
    assert_eq!(
        figures.uptime_30m_ppm,
        Some(1_000_000 - 8_264),
        "heard twice is not counted twice"
    );
}

#[test]
fn speeds_add_up_without_loss() {
    let mut nodes = Nodes::default();
    let alone = Scene::default();
    for number in 1..=200_u64 {
        let outcome = Outcome {
            first_token_ms: Some(number * 7),
            duration_ms: 1_000,
            output_tokens: number,
            ..Outcome::unmeasured(AttemptEnd::Finished)
        };
        let one = if number % 3 == 0 {
            &nodes.scene
        } else {
            &nodes.other
        };
        for scene in [one, &alone] {
            let permit = scene.permit("m|a", SHARED);
            scene.board.finish(permit, &outcome, scene.now);
        }
    }
    nodes.exchange();
    assert_eq!(
        nodes.scene.board.figures(&id("m|a"), nodes.scene.now),
        alone.board.figures(&id("m|a"), alone.now)
    );
    assert_eq!(nodes.scene.health("m|a"), alone.health("m|a"));
}

#[test]
fn an_outage_is_one_of_all_nodes() {
    let mut nodes = Nodes::default();
    nodes.scene.fail("m|a", &status(500));
    nodes.other.fail("m|a", &status(500));
    assert_eq!(nodes.scene.rank("m|a"), HealthRank::Stable);
    nodes.seconds(1);
    assert_eq!(nodes.scene.rank("m|a"), HealthRank::Outage);
    assert_eq!(nodes.other.rank("m|a"), HealthRank::Outage);
}

#[test]
fn a_bench_holds_on_every_node_and_does_not_grow_by_being_told() {
    let mut nodes = Nodes::default();
    nodes.scene.fail("m|a", &asking_to_wait(429, 20));
    nodes.seconds(1);
    assert_eq!(
        nodes.other.told("m|a", SHARED).rank,
        HealthRank::Down,
        "at once, without a turn"
    );
    assert!(nodes.other.begin("m|a").is_none());
    nodes.seconds(21);
    assert!(nodes.scene.begin("m|a").is_some());
    assert!(nodes.other.begin("m|a").is_some());
}

#[test]
fn a_breaker_that_opens_opens_everywhere_and_each_node_probes_for_itself() {
    let mut nodes = Nodes::default();
    for _ in 0..5 {
        nodes.scene.fail("m|a", &status(500));
    }
    nodes.seconds(1);
    assert!(nodes.other.begin("m|a").is_none());
    assert_eq!(nodes.other.told("m|a", SHARED).rank, HealthRank::Down);

    nodes.seconds(7);
    for one in [&nodes.scene, &nodes.other] {
        let probe = one.begin("m|a").expect("it is time to look");
        assert!(probe.is_probe());
        assert!(one.begin("m|a").is_none(), "one at a time");
        one.end(probe, AttemptEnd::Finished);
        assert_eq!(one.state("m|a"), EndpointState::Returning);
    }
    // An opening that was followed once is not followed again.
    nodes.seconds(40);
    assert_eq!(nodes.scene.state("m|a"), EndpointState::Stable);
    assert_eq!(nodes.other.state("m|a"), EndpointState::Stable);

    // The next one is.
    for _ in 0..5 {
        nodes.scene.fail("m|a", &status(500));
    }
    nodes.seconds(1);
    assert!(nodes.other.begin("m|a").is_none());
}

#[test]
fn a_customers_trouble_is_told_as_such() {
    let mut nodes = Nodes::default();
    for _ in 0..5 {
        nodes
            .scene
            .attempt("m|a", own(1), AttemptEnd::Failed(&status(401)));
    }
    nodes.seconds(1);
    let theirs = &nodes.other;
    assert!(theirs.board.begin(&id("m|a"), own(1), theirs.now).is_none());
    assert!(theirs.begin("m|a").is_some());
    assert_eq!(theirs.rank("m|a"), HealthRank::Stable);
    assert_eq!(theirs.told("m|a", own(2)).rank, HealthRank::Stable);
}

#[test]
fn whoever_is_gone_is_forgotten() {
    let mut nodes = Nodes::default();
    for _ in 0..30 {
        nodes.other.succeed("m|a");
    }
    nodes.exchange();
    let uptime = |nodes: &Nodes| {
        let figures = nodes.scene.board.figures(&id("m|a"), nodes.scene.now);
        figures.uptime_5m_ppm
    };
    assert_eq!(uptime(&nodes), Some(1_000_000));
    // Out of contact, what was heard last is believed for a moment.
    nodes.scene.seconds(4);
    nodes.scene.board.hear_nothing(nodes.scene.now);
    assert_eq!(uptime(&nodes), Some(1_000_000));
    nodes.scene.seconds(2);
    nodes.scene.board.hear_nothing(nodes.scene.now);
    assert_eq!(uptime(&nodes), None);
    nodes.exchange();
    assert_eq!(uptime(&nodes), Some(1_000_000));
    nodes.scene.board.hear(Vec::new(), nodes.scene.now);
    assert_eq!(uptime(&nodes), None);
}

#[test]
fn a_node_that_starts_again_counts_from_the_beginning() {
    let mut nodes = Nodes::default();
    let open = |nodes: &Nodes| {
        for _ in 0..5 {
            nodes.other.fail("m|a", &status(500));
        }
    };
    nodes.seconds(10);
    open(&nodes);
    nodes.seconds(1);
    assert!(nodes.scene.begin("m|a").is_none());
    nodes.seconds(8);
    nodes.scene.succeed("m|a");
    nodes.scene.seconds(40);
    nodes.other.seconds(40);
    // Its first opening has the number of one that was followed already.
    nodes.other.board = HealthBoard::new(9);
    open(&nodes);
    nodes.seconds(1);
    assert!(nodes.scene.begin("m|a").is_none());
}

#[test]
fn a_digest_tells_the_most_telling_first_and_holds_ids_and_numbers_only() {
    let scene = Scene::default();
    for number in 0..1_200 {
        scene.succeed(&format!("m|{number}"));
    }
    for _ in 0..3 {
        scene.succeed("m|busy");
    }
    scene.fail("m|held", &asking_to_wait(429, 30));
    scene.attempt("m|a", own(1), AttemptEnd::Finished);
    let digest = scene.board.digest(scene.now);
    assert_eq!(digest.endpoints.len(), HealthDigest::ENDPOINTS_MAX);
    assert_eq!(digest.endpoints[0].endpoint, id("m|held"));
    assert_eq!(digest.endpoints[0].benched_ms, Some(30_000));
    assert_eq!(digest.endpoints[1].endpoint, id("m|busy"));
    assert!(
        digest.endpoints.iter().all(|one| one.credential.is_none()),
        "a customer's credential that is well is nobody's business"
    );
    assert!(scene.board.digest(scene.now).turn > digest.turn);
    let later = scene.now.plus(Duration::from_secs(2 * 24 * 3_600));
    assert_eq!(scene.board.digest(later).endpoints, []);
}
