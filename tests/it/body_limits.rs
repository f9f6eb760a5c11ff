//! Bodies that are too large, too deep, ambiguous or compressed are refused before they cost anything.

use crate::world::*;

const LIMIT_BYTES: usize = 32 * 1_024 * 1_024;

fn raw(world: &World, body: impl Into<Vec<u8>>) -> switchyard_testkit::http_client::Call {
    let call = world
        .api()
        .call(Method::POST, "/api/v1/chat/completions")
        .key(&world.key.text);
    call.header("content-type", "application/json")
        .body(body.into())
}

fn nobody_was_asked(world: &World) {
    assert_eq!(
        world.asked("alder") + world.asked("birch") + world.asked("cedar"),
        0
    );
}

story!(too_large, |world| {
    let large = raw(&world, vec![b' '; LIMIT_BYTES + 1]).send().await;
    large.error(413);
    let piece = bytes_of(1_024 * 1_024);
    let pieces = vec![piece; LIMIT_BYTES / (1_024 * 1_024) + 1];
    let call = world
        .api()
        .call(Method::POST, "/api/v1/chat/completions")
        .key(&world.key.text);
    let undeclared = call
        .header("content-type", "application/json")
        .pieces(pieces)
        .send()
        .await;
    undeclared.error(413);
    nobody_was_asked(&world);
    // The node is well, and what is just small enough is read.
    let mut body = question(OAK).to_string().into_bytes();
    body.resize(64 * 1_024, b' ');
    raw(&world, body).send().await.ok();
});

fn bytes_of(length: usize) -> switchyard_testkit::http_client::Bytes {
    vec![b' '; length].into()
}

story!(too_deep_or_ambiguous, |world| {
    let deep = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!("{{\"model\":\"{OAK}\",\"messages\":[],\"x\":{open}{close}}}")
    };
    let messages = r#""messages":[{"role":"user","content":"Hi"}]"#;
    for (name, body) in [
        ("depth", deep(80)),
        ("much depth", deep(100_000)),
        (
            "a key twice",
            format!(r#"{{"model":"{OAK}","model":"{CLAUDE}",{messages}}}"#),
        ),
        (
            "a list twice",
            format!(r#"{{"model":"{OAK}",{messages},{messages}}}"#),
        ),
        (
            "something behind",
            format!(r#"{{"model":"{OAK}",{messages}}} {{}}"#),
        ),
        ("cut short", format!(r#"{{"model":"{OAK}",{messages}"#)),
        ("no object", "[]".to_owned()),
        ("nothing", String::new()),
        ("no messages", format!(r#"{{"model":"{OAK}"}}"#)),
        (
            "empty messages",
            format!(r#"{{"model":"{OAK}","messages":[]}}"#),
        ),
        (
            "a lone surrogate",
            format!(r#"{{"model":"{OAK}","messages":[{{"role":"user","content":"\ud800"}}]}}"#),
        ),
        (
            "a wrong kind",
            format!(r#"{{"model":"{OAK}",{messages},"temperature":"hot"}}"#),
        ),
        (
            "out of range",
            format!(r#"{{"model":"{OAK}",{messages},"temperature":9}}"#),
        ),
    ] {
        let reply = raw(&world, body).send().await;
        assert_eq!(reply.status, 400, "{name}: {}", reply.text());
        let error = reply.error(400);
        assert_eq!(
            error["metadata"]["error_type"], "invalid_request",
            "{name}: {error}"
        );
    }
    let invalid_utf8 = b"{\"model\":\"\xff\"}".to_vec();
    raw(&world, invalid_utf8).send().await.error(400);
    nobody_was_asked(&world);
});

story!(compressed, |world| {
    for encoding in ["gzip", "br", "zstd", "deflate"] {
        let reply = raw(&world, vec![0x1f, 0x8b, 8])
            .header("content-encoding", encoding)
            .send()
            .await;
        reply.error(415);
    }
    let plain = raw(&world, question(OAK).to_string()).header("content-encoding", "identity");
    plain.send().await.ok();
});

story!(paths_and_methods_that_are_not_there, |world| {
    world.api().get("/api/v1/nothing").send().await.error(404);
    world
        .api()
        .get("/api/v1/chat/completions")
        .key(&world.key.text)
        .send()
        .await
        .error(405);
    world
        .api()
        .call(Method::DELETE, "/api/v1/models")
        .send()
        .await
        .error(405);
    // Elsewhere are pages, and the operators' routes are not among the public ones.
    for (method, path) in [
        (Method::GET, "/nothing"),
        (Method::GET, "/metrics"),
        (Method::POST, "/admin/catalog/reload"),
    ] {
        let reply = world.api().call(method, path).send().await;
        assert_eq!(reply.status, 404, "{path}");
        let kind = reply.header("content-type").unwrap_or_default();
        assert!(kind.starts_with("text/html"), "{path}: {kind}");
    }
    let metrics = world.node.admin.get("/metrics").send().await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.text().contains("switchyard_"), "{}", metrics.text());
});
