//! What every story starts from.

use std::path::Path;

pub(crate) use serde_json::{Value, json};
pub(crate) use switchyard_testkit::{
    catalog::{CLAUDE, KEPT, LOST, METER, OAK, OAK_FREE, TAUGHT, UNPRICED, oak_prices},
    exact::{cost_nanos, nanos_at},
    http_client::{HttpClient, Method, Opened, Reply, media_type},
    sse::{Frame, Transcript},
    test_server::{Configuration, Deployment, Signal, send},
    wait,
    world::{
        Key, Setup, World, provider_secret, question, question_to,
        simulator::{Answer, Behaviour, Flaw, Profile, Status, behaviour::UsageFigures},
        streaming, text, with,
    },
};

/// The program under test.
pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_switchyard"))
}

pub(crate) async fn start(configuration: Configuration, setup: Setup) -> World {
    Box::pin(World::start(binary(), configuration, setup)).await
}

/// A provider's answer with the usage that it reports.
pub(crate) fn answer(text: &str, input: u64, output: u64) -> Behaviour {
    Behaviour::Answer(Answer {
        text: Some(text.to_owned()),
        usage: UsageFigures {
            input: Some(input),
            output: Some(output),
            ..UsageFigures::default()
        },
        ..Answer::default()
    })
}

/// An answer of so many tokens, one every `delay_ms`.
pub(crate) fn drip(tokens: u64, delay_ms: u64) -> Behaviour {
    Behaviour::Answer(Answer {
        tokens: Some(tokens),
        token_delay_ms: Some(delay_ms),
        ..Answer::default()
    })
}

/// A refusal that asks to wait.
pub(crate) fn refusal(status: u16, retry_after: Option<&str>) -> Behaviour {
    Behaviour::Status(Status {
        status,
        retry_after: retry_after.map(str::to_owned),
        ..Status::default()
    })
}

/// What an account has used in all, in nano-dollars, as its management key reads it.
pub(crate) async fn total_usage_nanos(world: &World, management_key: &Key) -> i128 {
    let reply = world
        .api()
        .get("/api/v1/credits")
        .key(&management_key.text)
        .send()
        .await;
    reply.ok();
    nanos_at(reply.text(), "/data/total_usage")
}

/// A story: what happens in a world of its own, in both configurations. The second form says how the
/// world differs from the usual one, the third builds its own from a configuration.
macro_rules! story {
    ($name:ident, |$world:pat_param| $body:block) => {
        story!($name, Setup::default(), |$world| $body);
    };
    ($name:ident, $setup:expr, |$world:pat_param| $body:block) => {
        story!($name, configuration => {
            let $world = start(configuration, $setup).await;
            $body
        });
    };
    ($name:ident, $configuration:ident => $body:block) => {
        mod $name {
            use super::*;

            async fn tell($configuration: Configuration) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn embedded() {
                Box::pin(tell(Configuration::Embedded)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres_redis() {
                Box::pin(tell(Configuration::PostgresRedis)).await;
            }
        }
    };
}
