//! Pages from anywhere may call the API, and read its errors.

use crate::world::*;

story!(pages_may_call, |world| {
    let call = world
        .api()
        .call(Method::OPTIONS, "/api/v1/chat/completions");
    let preflight = call
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type,x-stainless-os",
        )
        .send()
        .await;
    assert_eq!(preflight.status, 204);
    assert!(preflight.body.is_empty());
    assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
    let allowed = preflight
        .header("access-control-allow-headers")
        .expect("headers are allowed");
    assert!(allowed.contains("x-stainless-os"), "{allowed}");
    let methods = preflight
        .header("access-control-allow-methods")
        .expect("methods are allowed");
    assert!(methods.contains("POST"), "{methods}");

    let origin =
        |call: switchyard_testkit::http_client::Call| call.header("origin", "https://app.example");
    let readable = |reply: &Reply| {
        assert_eq!(
            reply.header("access-control-allow-origin"),
            Some("*"),
            "{}",
            reply.status
        );
        assert_eq!(reply.header("access-control-allow-credentials"), None);
        let exposed = reply
            .header("access-control-expose-headers")
            .unwrap_or_default();
        for name in ["X-Generation-Id", "Retry-After"] {
            assert!(exposed.contains(name), "{name} in {exposed}");
        }
    };
    readable(&origin(world.chat(&question(OAK))).send().await);
    readable(&origin(world.chat(&streaming(&question(OAK)))).send().await);
    for (call, status) in [
        (world.api().get("/api/v1/key"), 401),
        (world.api().get("/api/v1/nothing"), 404),
        (world.chat(&question("acme/elm")), 400),
        (world.api().get("/api/v1/chat/completions"), 405),
    ] {
        let reply = origin(call).send().await;
        assert_eq!(reply.status, status);
        readable(&reply);
    }
});
