//! Keys that manage do not call models, and keys that call models do not manage.

use crate::world::*;

story!(each_to_its_own, |world| {
    let manager = world.create_key(&["--management"]).await;
    let chat = |key: &str| {
        world
            .api()
            .post("/api/v1/chat/completions", &question(OAK))
            .key(key)
    };
    let read = |path: &str, key: &str| world.api().get(path).key(key);

    chat(&world.key.text).send().await.ok();
    chat(&manager.text).send().await.error(403);
    read("/api/v1/credits", &manager.text).send().await.ok();
    read("/api/v1/credits", &world.key.text)
        .send()
        .await
        .error(403);
    for (key, manages) in [(&manager, true), (&world.key, false)] {
        let shown = read("/api/v1/key", &key.text).send().await.ok();
        assert_eq!(shown["data"]["is_management_key"], manages);
    }
    assert_eq!(
        world.asked("alder") + world.asked("birch") + world.asked("cedar"),
        1
    );
});

story!(the_body_is_not_read_for_who_may_not_ask, |world| {
    let manager = world.create_key(&["--management"]).await;
    let call = world
        .api()
        .call(Method::POST, "/api/v1/chat/completions")
        .key(&manager.text);
    call.body("this is no JSON").send().await.error(403);
    let call = world.api().call(Method::POST, "/api/v1/chat/completions");
    call.body("this is no JSON").send().await.error(401);
});
