//! Asking models in the console: the API's own way, for whoever is signed in.

use crate::world::*;

/// A browser in which somebody signed in.
struct Browser {
    api: HttpClient,
    cookie: String,
    csrf: String,
}

impl Browser {
    async fn of(world: &World, email: &str) -> Self {
        let made = ["account", "sign-in-link", "--email", email];
        let link = text(&world.deployment.run(&made).await, "url");
        let path = &link[link.find("/sign-in/").expect("a path")..];
        let api = world.api().clone();
        let followed = api
            .call(Method::POST, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body("")
            .send()
            .await;
        let set = followed.header("set-cookie").expect("a session");
        let cookie = set.split(';').next().expect("a pair").to_owned();
        let page = api.get("/models").header("cookie", &cookie).send().await;
        let (_, after) = page
            .text()
            .split_once(r#""X-CSRF-Token":""#)
            .expect("a token");
        let csrf = after.split('"').next().expect("its end").to_owned();
        Self { api, cookie, csrf }
    }

    async fn get(&self, path: &str) -> Reply {
        self.api
            .get(path)
            .header("cookie", &self.cookie)
            .send()
            .await
    }

    async fn ask(&self, body: &Value) -> Reply {
        self.api
            .post("/chat/completions", body)
            .header("cookie", &self.cookie)
            .header("x-csrf-token", &self.csrf)
            .send()
            .await
    }
}

async fn stranger(world: &World) -> Browser {
    let email = "eve@example.org";
    world
        .deployment
        .run(&["account", "create", "--email", email])
        .await;
    Browser::of(world, email).await
}

story!(questions_go_the_way_of_the_api, |world| {
    let browser = Browser::of(&world, "ada@example.com").await;
    world
        .simulator()
        .script("alder", [answer("Forty metres.", 1_000, 250)]);
    let reply = browser.ask(&question_to(OAK, &["alder"])).await;
    let body = reply.ok();
    assert_eq!(
        body["choices"][0]["message"]["content"], "Forty metres.",
        "{body}"
    );
    let id = text(&body, "id");
    world.settled(&id).await;
    let cost = nanos_at(world.generation(&id).await.text(), "/data/total_cost");
    assert_eq!(cost, cost_nanos(oak_prices("alder"), 1_000, 250));

    let told = browser.get(&format!("/chat/answers/{id}")).await;
    assert_eq!(told.status.as_u16(), 200);
    assert!(
        told.text().contains(&format!(r#"data-nanos="{cost}""#)),
        "{}",
        told.text()
    );
    assert!(told.text().contains("Alder"), "{}", told.text());
    let total = browser
        .get(&format!("/chat/total?id={id}&id={id}&id=gen-1-2"))
        .await;
    assert!(
        total.text().contains(&format!(r#"data-nanos="{cost}""#)),
        "{}",
        total.text()
    );
});

story!(t15_answers_of_others_are_missing, |world| {
    let browser = Browser::of(&world, "ada@example.com").await;
    let asked = browser.ask(&question_to(OAK, &["alder"])).await.ok();
    let mine = text(&asked, "id");
    // The account's own, but not asked here: its place is the log.
    let by_program = text(&world.ask(&question_to(OAK, &["alder"])).await.ok(), "id");
    world.settled(&by_program).await;
    let eve = stranger(&world).await;
    for (who, id) in [(&eve, &mine), (&browser, &by_program), (&eve, &by_program)] {
        let reply = who.get(&format!("/chat/answers/{id}")).await;
        assert_eq!(reply.status.as_u16(), 404, "{id}");
        assert!(!reply.text().contains("Alder"));
        let total = who.get(&format!("/chat/total?id={id}")).await;
        assert!(
            total.text().contains(r#"data-nanos="0""#),
            "{}",
            total.text()
        );
    }
});

story!(the_consoles_key_is_nobodys_to_use_or_manage, |world| {
    let manager = world.create_key(&["--management"]).await;
    let browser = Browser::of(&world, "ada@example.com").await;
    for _ in 0..2 {
        browser.ask(&question_to(OAK, &["alder"])).await.ok();
    }
    let list = world.api().get("/api/v1/keys?include_disabled=true");
    let listed = list.key(&manager.text).send().await.ok();
    let names: Vec<_> = listed["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|key| text(key, "name"))
        .collect();
    assert!(
        !names.iter().any(|name| name == "Console chat"),
        "{names:?}"
    );

    // Without a session, without its token, and from another site there is no answer.
    let body = question_to(OAK, &["alder"]);
    let post = || world.api().post("/chat/completions", &body);
    let alone = post().send().await;
    assert_eq!(alone.status.as_u16(), 303);
    let without = post().header("cookie", &browser.cookie).send().await;
    assert_eq!(without.status.as_u16(), 403);
    let elsewhere = post()
        .header("cookie", &browser.cookie)
        .header("x-csrf-token", &browser.csrf)
        .header("sec-fetch-site", "cross-site");
    assert_eq!(elsewhere.send().await.status.as_u16(), 403);
    let asked_before = world.asked("alder");
    let api = world.api().post("/api/v1/chat/completions", &body);
    let by_cookie = api.header("cookie", &browser.cookie).send().await;
    assert_eq!(by_cookie.status.as_u16(), 401);
    assert_eq!(world.asked("alder"), asked_before);
});
