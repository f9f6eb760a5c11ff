//! A provider cannot send a request, and the credential with it, anywhere else; nor can the environment.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{net::TcpListener, task::JoinSet};

use crate::world::*;

/// Somebody who waits for connections that must not come.
struct Trap {
    address: SocketAddr,
    caught: Arc<AtomicUsize>,
    _waiting: JoinSet<()>,
}

impl Trap {
    async fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let caught = Arc::new(AtomicUsize::new(0));
        let mut waiting = JoinSet::new();
        let count = Arc::clone(&caught);
        waiting.spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self {
            address,
            caught,
            _waiting: waiting,
        }
    }

    fn caught(&self) -> usize {
        self.caught.load(Ordering::SeqCst)
    }
}

story!(t31_redirects_are_not_followed, |world| {
    let trap = Trap::set().await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("http://{}/v1/chat/completions", trap.address);
        let redirect = Behaviour::Redirect { status, location };
        world
            .simulator()
            .script("alder", [redirect.clone(), redirect]);
        let body = question_to(OAK, &["alder"]);
        world.ask(&body).await.error(502);
        let shown = world.chat(&streaming(&body)).send().await;
        shown.error(502);
        assert!(
            !shown.text().contains(&trap.address.to_string()),
            "{}",
            shown.text()
        );
    }
    assert_eq!(trap.caught(), 0);
    assert_eq!(world.asked("alder"), 10);
});

story!(t34_proxy_variables_are_not_read, configuration => {
    let trap = Trap::set().await;
    let proxy = format!("http://{}", trap.address);
    let variables = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        .map(|name| (name, proxy.clone()));
    let setup = Setup { variables: variables.to_vec(), ..Setup::default() };
    let world = start(configuration, setup).await;
    for provider in ["alder", "birch", "cedar"] {
        world.ask(&question_to(OAK, &[provider])).await.ok();
    }
    assert_eq!(trap.caught(), 0);
});

story!(
    private_addresses_need_the_operators_word,
    Setup {
        settings: vec![("egress.operator_private_cidrs", "10.0.0.0/8")],
        ..Setup::default()
    },
    |world| {
        world.ask(&question(OAK)).await.error(502);
        assert_eq!(
            world.asked("alder") + world.asked("birch") + world.asked("cedar"),
            0
        );
        // Whoever runs the node hears of it, by the host's name and not by the credential's.
        let metrics = world.node.admin.get("/metrics").send().await;
        let counted = r#"switchyard_egress_blocked_total{class="operator"} "#;
        assert!(metrics.text().contains(counted), "{}", metrics.text());
        let logs = world.node.logs();
        let told = logs
            .lines()
            .find(|line| line.contains("an outbound address was refused"))
            .expect("it is logged");
        assert!(told.contains("127.0.0.1"), "{told}");
        assert!(!logs.contains(&provider_secret("alder")));
        // It says nothing about the providers.
        let endpoints = world
            .api()
            .get(&format!("/api/v1/models/{OAK}/endpoints"))
            .send()
            .await;
        for endpoint in endpoints.json()["data"]["endpoints"]
            .as_array()
            .expect("a list")
        {
            assert_eq!(endpoint["status"], 0, "{endpoint}");
        }
    }
);
