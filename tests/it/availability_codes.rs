//! Every availability code, as a caller meets it: the status, and a message that names the model, what
//! stands against it, and what to do.

use crate::world::*;

const WITHDRAWN: &str = "acme/withdrawn";
const NUMBERS: &str = "acme/numbers";
const ABROAD: &str = "acme/abroad";

/// A world with a model that is over, one of another API, and one that is not offered everywhere.
async fn start_with_oddities(configuration: Configuration) -> World {
    let setup = Setup {
        settings: vec![("server.country_header", "x-country")],
        ..Setup::default()
    };
    let mut world = start(configuration, setup).await;
    let catalog = &mut world.catalog;
    for model in [WITHDRAWN, NUMBERS, ABROAD] {
        catalog.add_model(model);
    }
    catalog.change_model(WITHDRAWN, "expiration_date", json!("2026-01-31"));
    // Whoever served it has gone with it.
    catalog.change_endpoint(WITHDRAWN, "alder", "provider_model_id", Value::Null);
    let architecture = json!({ "modality": "text->embeddings", "input_modalities": ["text"],
        "output_modalities": ["embeddings"], "tokenizer": "Other" });
    catalog.change_model(NUMBERS, "architecture", architecture);
    catalog.change_model(ABROAD, "blocked_countries", json!(["FR"]));
    world.deployment.write_catalog(&world.catalog);
    let reload = world.node.admin.call(Method::POST, "/admin/catalog/reload");
    reload.send().await.ok();
    world
}

/// What a code's message has to say.
struct Expected {
    code: &'static str,
    status: u16,
    says: &'static [&'static str],
}

fn check(reply: &Reply, expected: &Expected) {
    let Expected { code, status, says } = expected;
    assert_eq!(reply.status.as_u16(), *status, "{code}: {}", reply.text());
    let error = reply.error(*status);
    let availability = &error["availability"];
    assert_eq!(availability["code"], *code, "{error}");
    let is_retryable = matches!(status, 429 | 502 | 503);
    assert_eq!(availability["retryable"], is_retryable, "{error}");
    assert!(availability["docs_url"].is_string(), "{error}");
    let message = error["message"].as_str().expect("a text");
    for words in *says {
        assert!(message.contains(words), "{code}: {words:?} in {message}");
    }
}

story!(
    permanent_ones_say_what_would_help,
    configuration => {
        let world = start_with_oddities(configuration).await;
        let ask = async |model: &str, provider: Value, expected: Expected| {
            let body = with(&question(model), &json!({ "provider": provider }));
            let call = world.chat(&body).header("x-country", "FR");
            check(&call.send().await, &expected);
        };
        let expect = |code, status, says| Expected { code, status, says };
        ask("acme/okk", json!({}), expect("model_not_found", 400, &["acme/okk", "Did you mean", OAK])).await;
        ask(NUMBERS, json!({}), expect("wrong_endpoint", 400, &[NUMBERS, "embeddings"])).await;
        ask(OAK, json!({ "only": ["dogwood"] }),
            expect("no_endpoints", 404, &[OAK, "`only` is dogwood", "drop `only", "alder"])).await;
        ask(KEPT, json!({ "zdr": true }),
            expect("privacy_restricted", 404, &[KEPT, "by the request", "keeps prompts", "drop `zdr"])).await;
        ask(OAK, json!({ "max_price": { "prompt": 0.01 } }),
            expect("constraint_filtered", 404, &[OAK, "max_price", "raise `max_price"])).await;
        ask(WITHDRAWN, json!({}), expect("model_deprecated", 404, &[WITHDRAWN, "withdrawn"])).await;
        ask("anthropic/claude-cedar:free", json!({}),
            expect("free_variant_ended", 404, &[CLAUDE, ":free", "Ask for"])).await;
        ask(ABROAD, json!({}), expect("region_restricted", 403, &[ABROAD, "FR"])).await;
        for provider in ["alder", "birch", "cedar", "dogwood"] {
            assert_eq!(world.asked(provider), 0, "{provider} was asked");
        }
        // A dry run comes from where a real request would.
        let dry = world
            .api()
            .post("/api/v1/route/explain", &question(ABROAD))
            .key(&world.key.text)
            .header("x-country", "FR");
        let dry = dry.send().await.ok();
        assert_eq!(dry["data"]["availability"]["code"], "region_restricted", "{dry}");
        // Elsewhere it is offered.
        let call = world.chat(&question(ABROAD)).header("x-country", "DE");
        call.send().await.ok();
    }
);

story!(attempts_that_fail_say_whether_to_come_back, |world| {
    let providers = ["alder", "birch", "cedar"];
    for (refusals, expected) in [
        (
            [429, 429, 429],
            Expected {
                code: "capacity_exhausted",
                status: 429,
                says: &[
                    OAK,
                    "rate limit",
                    "Alder, Birch, Cedar",
                    "in 7 s",
                    "`models`",
                ],
            },
        ),
        (
            [404, 404, 404],
            Expected {
                code: "model_unavailable_upstream",
                status: 404,
                says: &[OAK, "Choose another model"],
            },
        ),
        (
            [500, 429, 503],
            Expected {
                code: "temporarily_unavailable",
                status: 503,
                says: &[OAK, "Alder, Birch, Cedar", "try again in 7 s", "`models`"],
            },
        ),
    ] {
        for (provider, status) in providers.into_iter().zip(refusals) {
            world
                .simulator()
                .script(provider, [refusal(status, Some("7"))]);
        }
        // A listed order is tried whatever the health of the listed.
        let reply = world.ask(&question_to(OAK, &providers)).await;
        check(&reply, &expected);
    }
});
