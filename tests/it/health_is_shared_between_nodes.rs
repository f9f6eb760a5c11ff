//! Nodes that share a Redis share what they know of endpoints and of conversations. Without it each goes
//! by what it sees itself, and nobody is refused for that.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::world::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// How [`OAK`]'s endpoint at a provider is listed by a node.
async fn listed(api: &HttpClient, provider: &str) -> Value {
    let path = format!("/api/v1/models/{OAK}/endpoints");
    let reply = api.get(&path).send().await.ok();
    let endpoints = reply["data"]["endpoints"].as_array().expect("endpoints");
    let endpoint = endpoints.iter().find(|one| one["tag"] == provider);
    endpoint.expect("the endpoint is listed").clone()
}

/// Waits until a node leaves an endpoint alone.
async fn is_down(api: &HttpClient, provider: &str) {
    wait::until(format!("{provider} to be down"), PATIENCE, || async {
        (listed(api, provider).await["status"] == -5).then_some(())
    })
    .await;
}

/// Asks a node for a chat completion, which must succeed, and says who served.
async fn served_by(api: &HttpClient, key: &Key, body: &Value) -> String {
    let call = api.post("/api/v1/chat/completions", body).key(&key.text);
    text(&call.send().await.ok(), "provider")
}

/// How many conversations are pinned.
async fn pins(redis_port: u16) -> usize {
    let mut redis = TcpStream::connect(("127.0.0.1", redis_port))
        .await
        .expect("Redis listens");
    redis
        .write_all(b"KEYS switchyard:pin:*\r\nQUIT\r\n")
        .await
        .expect("it reads");
    let mut answer = String::new();
    redis
        .read_to_string(&mut answer)
        .await
        .expect("it answers in text");
    answer.matches("switchyard:pin:").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_sees_the_other_heeds() {
    let mut world = start(Configuration::PostgresRedis, Setup::default()).await;
    let second = world.deployment.start_node().await;
    world.transcript(&question_to(OAK, &["birch"])).await;
    let measured = wait::until("a measured latency", PATIENCE, || async {
        let latency = listed(&second.api, "birch").await["latency_last_30m"].clone();
        latency.is_object().then_some(latency)
    })
    .await;
    assert!(measured["p50"].as_f64().is_some_and(|p50| p50 >= 1.0));
    assert_eq!(
        listed(&second.api, "cedar").await["latency_last_30m"],
        Value::Null,
        "nothing was measured there"
    );

    // A provider asks one node to wait: the other leaves it alone as well.
    world
        .simulator()
        .script("alder", [refusal(429, Some("60"))]);
    world.ask(&question_to(OAK, &["alder", "birch"])).await.ok();
    is_down(&second.api, "alder").await;
    let asked = world.asked("alder");
    for _ in 0..20 {
        let provider = served_by(&second.api, &world.key, &question(OAK)).await;
        assert_ne!(provider, "Alder");
    }
    assert_eq!(world.asked("alder"), asked, "it asked for a minute");

    // A provider fails at one node, again and again: the other stops asking before it has failed there.
    world
        .simulator()
        .script("birch", (0..5).map(|_| refusal(500, None)));
    for _ in 0..5 {
        world.ask(&question_to(OAK, &["birch"])).await.error(502);
    }
    is_down(&second.api, "birch").await;

    let metrics = world.node.admin.get("/metrics").send().await;
    let gauge = format!("switchyard_endpoint_state{{endpoint=\"{OAK}|alder\"}} 4");
    assert!(metrics.text().contains(&gauge), "{}", metrics.text());
    assert!(world.node.logs().contains("an endpoint's health changed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_stays_warm_at_the_other_node() {
    let mut world = start(Configuration::PostgresRedis, Setup::default()).await;
    // Only birch's cache is worth anything, and only a quarter of all requests would go there.
    let prices = oak_prices("birch");
    let pricing = json!({ "prompt": prices.prompt, "completion": prices.completion,
                          "input_cache_read": "0.00000002" });
    world
        .catalog
        .change_endpoint(OAK, "birch", "pricing", pricing);
    world.deployment.write_catalog(&world.catalog);
    world.node.signal(Signal::HangUp).await;
    wait::until("the new prices", PATIENCE, || async {
        let price = &listed(world.api(), "birch").await["pricing"]["input_cache_read"];
        price.is_string().then_some(())
    })
    .await;
    let second = world.deployment.start_node().await;
    let sessions: Vec<Value> = (0..10)
        .map(|number| {
            with(
                &question(OAK),
                &json!({ "session_id": format!("s-{number}") }),
            )
        })
        .collect();
    for body in &sessions {
        let body = with(body, &json!({ "provider": { "only": ["birch"] } }));
        assert_eq!(served_by(world.api(), &world.key, &body).await, "Birch");
    }
    let redis = world.deployment.redis().expect("a Redis server").port();
    wait::until("ten pins", PATIENCE, || async {
        (pins(redis).await == sessions.len()).then_some(())
    })
    .await;
    for body in &sessions {
        assert_eq!(served_by(&second.api, &world.key, body).await, "Birch");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_each_node_goes_by_what_it_sees() {
    let mut world = start(Configuration::PostgresRedis, Setup::default()).await;
    let second = world.deployment.start_node().await;
    let port = world.deployment.stop_redis();
    let session = with(&question(OAK), &json!({ "session_id": "s-1" }));
    for api in [world.api(), &second.api] {
        for _ in 0..10 {
            served_by(api, &world.key, &session).await;
        }
    }
    world
        .simulator()
        .script("alder", [refusal(429, Some("120"))]);
    world.ask(&question_to(OAK, &["alder", "birch"])).await.ok();
    is_down(world.api(), "alder").await;
    let asked = world.asked("alder");
    for _ in 0..20 {
        world.ask(&question(OAK)).await.ok();
    }
    assert_eq!(world.asked("alder"), asked, "this node was told");
    assert_eq!(
        listed(&second.api, "alder").await["status"],
        0,
        "the other could not be"
    );
    served_by(&second.api, &world.key, &question_to(OAK, &["alder"])).await;

    world.deployment.start_redis_on(port);
    is_down(&second.api, "alder").await;
}
