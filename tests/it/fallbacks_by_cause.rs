//! Models that are only for prompts that turned out too long, or that a provider would not touch.

use crate::world::*;

fn refusing(code: &str, message: &str) -> Behaviour {
    Behaviour::Status(Status {
        status: 400,
        code: Some(code.to_owned()),
        message: Some(message.to_owned()),
        ..Status::default()
    })
}

story!(each_cause_has_its_own_fallbacks, |world| {
    let too_long = refusing(
        "context_length_exceeded",
        "This model's maximum context length is 10 tokens.",
    );
    let refused = refusing(
        "content_policy_violation",
        "Your request was rejected by our safety system.",
    );
    let mut body = question(OAK);
    body["provider"] = json!({"only": ["alder", "cedar"], "order": ["alder"]});
    body["context_window_fallbacks"] = json!([CLAUDE]);
    let simulator = world.simulator();
    simulator.script("alder", [too_long]);
    let reply = world.ask(&body).await;
    assert_eq!(reply.ok()["model"], CLAUDE, "{}", reply.text());
    // Other failures do not lead there.
    simulator.script("alder", [refused.clone()]);
    world.ask(&body).await.error(400);
    simulator.script("alder", [refusal(500, None)]);
    assert_eq!(world.ask(&body).await.ok()["model"], OAK);
    // The other list is for the other cause.
    let fallbacks = body["context_window_fallbacks"].take();
    body["content_policy_fallbacks"] = fallbacks;
    simulator.script("alder", [refused]);
    assert_eq!(world.ask(&body).await.ok()["model"], CLAUDE);
    // A fallback that nobody knows is a mistake, whether or not it is needed.
    body["content_policy_fallbacks"] = json!(["acme/unheard-of"]);
    world.ask(&body).await.error(400);
});
