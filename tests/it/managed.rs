//! Calls with management keys, for stories about what they manage.

use crate::world::*;

/// An account as whoever has a management key of it sees the service.
pub(crate) struct Manager {
    pub(crate) api: HttpClient,
    pub(crate) key: Key,
    /// The account's default workspace.
    pub(crate) workspace: String,
}

impl Manager {
    /// One of the world's own account.
    pub(crate) async fn of(world: &World) -> Self {
        let key = world.create_key(&["--management"]).await;
        Self::with(world, key).await
    }

    /// One of an account that has nothing to do with the world's own.
    pub(crate) async fn stranger(world: &World) -> Self {
        let create = ["account", "create", "--email", "eve@example.org"];
        let account = text(&world.deployment.run(&create).await, "account_id");
        let create = ["key", "create", "--account", &account, "--name", "eve"];
        let create = [&create[..], &["--management"]].concat();
        let made = world.deployment.run(&create).await;
        let key = Key {
            text: text(&made, "key"),
            hash: text(&made, "hash"),
        };
        Self::with(world, key).await
    }

    async fn with(world: &World, key: Key) -> Self {
        let api = world.api().clone();
        let listed = api.get("/api/v1/workspaces").key(&key.text).send().await;
        let workspace = text(&listed.ok()["data"][0], "id");
        Self {
            api,
            key,
            workspace,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        let path = format!("/api/v1{path}");
        self.api.get(&path).key(&self.key.text).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::PATCH, path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::PUT, path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        let path = format!("/api/v1{path}");
        let call = self.api.call(Method::DELETE, &path);
        call.key(&self.key.text).send().await
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Reply {
        let path = format!("/api/v1{path}");
        let call = self.api.call(method, &path).json(body);
        call.key(&self.key.text).send().await
    }
}

/// The thing that an answer says was made.
pub(crate) fn made(reply: &Reply) -> Value {
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    reply.json()["data"].clone()
}

/// The value of a field in each row of a list.
pub(crate) fn each<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let rows = list["data"].as_array().expect("a list");
    let value = |row: &'a Value| row[field].as_str().expect("a text");
    rows.iter().map(value).collect()
}
