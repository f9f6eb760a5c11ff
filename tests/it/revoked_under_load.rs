//! A key that is deleted while it is in use: at the node that was asked at once, at the others within
//! seconds, and nowhere again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::task::JoinSet;

use crate::world::*;

const EVERYWHERE: Duration = Duration::from_secs(5);
const ASKERS_PER_NODE: usize = 4;

/// Asks with one key, again and again.
struct Load {
    /// The node has answered that the key is deleted.
    is_deleted: Arc<AtomicBool>,
    served: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
    /// Served although the asker knew that the key was deleted.
    late: Arc<AtomicU64>,
    /// Served after somebody was refused.
    relapses: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
}

impl Load {
    fn start(tasks: &mut JoinSet<()>, api: &HttpClient, key: &str) -> Self {
        let load = Self {
            is_deleted: Arc::default(),
            served: Arc::default(),
            refused: Arc::default(),
            late: Arc::default(),
            relapses: Arc::default(),
            is_over: Arc::default(),
        };
        for _ in 0..ASKERS_PER_NODE {
            tasks.spawn(load.asker(api.clone(), key.to_owned()));
        }
        load
    }

    fn asker(&self, api: HttpClient, key: String) -> impl Future<Output = ()> + use<> {
        let (is_deleted, is_over) = (Arc::clone(&self.is_deleted), Arc::clone(&self.is_over));
        let (served, refused) = (Arc::clone(&self.served), Arc::clone(&self.refused));
        let (late, relapses) = (Arc::clone(&self.late), Arc::clone(&self.relapses));
        async move {
            while !is_over.load(SeqCst) {
                let (knew, was_refused) = (is_deleted.load(SeqCst), refused.load(SeqCst) > 0);
                let call = api.post("/api/v1/chat/completions", &question(OAK));
                let reply = call.key(&key).send().await;
                if reply.status == 200 {
                    served.fetch_add(1, SeqCst);
                    late.fetch_add(u64::from(knew), SeqCst);
                    relapses.fetch_add(u64::from(was_refused), SeqCst);
                } else {
                    reply.error(401);
                    refused.fetch_add(1, SeqCst);
                }
            }
        }
    }

    async fn is_under_way(&self) {
        let patience = Duration::from_secs(30);
        wait::until("the load to be served", patience, || async {
            (self.served.load(SeqCst) > 20).then_some(())
        })
        .await;
    }
}

async fn deleted_under_load(mut world: World, redis_is_there: bool) {
    let second = world.deployment.start_node().await;
    if !redis_is_there {
        world.deployment.stop_redis();
    }
    let manager = world.create_key(&["--management"]).await;
    let doomed = world.create_key(&[]).await;
    let mut tasks = JoinSet::new();
    let here = Load::start(&mut tasks, world.api(), &doomed.text);
    let there = Load::start(&mut tasks, &second.api, &doomed.text);
    here.is_under_way().await;
    there.is_under_way().await;

    let path = format!("/api/v1/keys/{}", doomed.hash);
    let call = world.api().call(Method::DELETE, &path).key(&manager.text);
    call.send().await.ok();
    here.is_deleted.store(true, SeqCst);
    wait::until("the other node to refuse the key", EVERYWHERE, || async {
        (there.refused.load(SeqCst) > 0).then_some(())
    })
    .await;
    let patience = Duration::from_secs(30);
    wait::until("both nodes to refuse on", patience, || async {
        let least = here.refused.load(SeqCst).min(there.refused.load(SeqCst));
        (least > 50).then_some(())
    })
    .await;
    for load in [&here, &there] {
        load.is_over.store(true, SeqCst);
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("every asker ends well");
    }
    assert_eq!(here.late.load(SeqCst), 0, "served where it was deleted");
    assert_eq!(
        there.relapses.load(SeqCst),
        0,
        "served after it was refused"
    );
    world.verified_ledger().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t17_a_key_deleted_under_load_is_refused_everywhere_within_seconds() {
    let world = start(Configuration::PostgresRedis, Setup::default()).await;
    Box::pin(deleted_under_load(world, true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t17_also_while_redis_is_down() {
    let world = start(Configuration::PostgresRedis, Setup::default()).await;
    Box::pin(deleted_under_load(world, false)).await;
}
