//! A node is killed in the middle of a hundred streams. Whoever saw the end of an answer is charged for
//! it, once; nobody is charged twice.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinSet;

use crate::world::*;

const STREAMS: u64 = 100;
const FINISHED_BEFORE_THE_KILL: usize = 40;

/// What a caller saw of one stream.
struct Witness {
    id: String,
    /// What it cost, if the caller saw the end.
    cost_nanos: Option<i128>,
}

async fn watch(mut opened: Opened, finished: Arc<AtomicUsize>) -> Witness {
    let id = opened.header("x-generation-id").expect("an id").to_owned();
    let mut cost_nanos = None;
    // An error is what the kill looks like from outside.
    while let Ok(Some(frame)) = opened.next_frame().await {
        if let Frame::Data(data) = frame
            && data.contains("\"usage\"")
        {
            cost_nanos = Some(nanos_at(&data, "/usage/cost"));
            finished.fetch_add(1, Ordering::SeqCst);
        }
    }
    Witness { id, cost_nanos }
}

story!(each_finished_answer_is_charged_once, |mut world| {
    // From a few tokens to a few seconds, so that the kill finds every stage.
    world
        .simulator()
        .script("alder", (0..STREAMS).map(|number| drip(3 + number * 4, 10)));
    let finished = Arc::new(AtomicUsize::new(0));
    let mut streams = JoinSet::new();
    for _ in 0..STREAMS {
        let call = world.chat(&streaming(&question_to(OAK, &["alder"])));
        let finished = Arc::clone(&finished);
        streams.spawn(async move {
            match call.try_open().await {
                Ok(opened) if opened.status == 200 => Some(watch(opened, finished).await),
                Ok(opened) => panic!("refused: {}", opened.status),
                Err(_) => None,
            }
        });
    }
    wait::until("some streams to finish", Duration::from_secs(30), || {
        let enough = finished.load(Ordering::SeqCst) >= FINISHED_BEFORE_THE_KILL;
        async move { enough.then_some(()) }
    })
    .await;
    world.node.kill().await;
    let mut witnesses = Vec::new();
    while let Some(witness) = streams.join_next().await {
        witnesses.extend(witness.expect("every stream ends"));
    }
    let saw_the_end = witnesses
        .iter()
        .filter(|one| one.cost_nanos.is_some())
        .count();
    assert!(saw_the_end >= FINISHED_BEFORE_THE_KILL);
    assert!(
        saw_the_end < witnesses.len(),
        "the kill came too late to tell anything"
    );

    world.node.restart(&world.deployment).await;
    let manager = world.create_key(&["--management"]).await;
    let mut charged = 0;
    for witness in &witnesses {
        let reply = world.generation(&witness.id).await;
        if let Some(cost_nanos) = witness.cost_nanos {
            reply.ok();
            assert_eq!(nanos_at(reply.text(), "/data/total_cost"), cost_nanos);
            assert!(cost_nanos > 0);
        }
        if reply.status == 200 {
            charged += nanos_at(reply.text(), "/data/total_cost");
        }
    }
    assert_eq!(
        total_usage_nanos(&world, &manager).await,
        charged,
        "nothing is charged twice"
    );
    world.nothing_held().await;
    // And it serves again.
    world.ask(&question(OAK)).await.ok();

    // Another life and death adds nothing: what is posted is not posted again.
    let before = world.nothing_held().await;
    world.node.kill().await;
    world.node.restart(&world.deployment).await;
    let after = world.nothing_held().await;
    assert_eq!(before["generations"], after["generations"]);
});
