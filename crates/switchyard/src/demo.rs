//! `switchyard demo`: everything embedded, simulated providers, a funded account; one command to
//! a first answer.

mod account;
mod catalog;

use std::{net::SocketAddr, process::ExitCode};

use serde::Serialize;
use switchyard_domain::{provider::ProviderSlug, secret::Secret};
use switchyard_simulator::{Profile, Simulator, serve as serve_simulator};
use tokio::net::TcpListener;

use crate::{
    commands::{CommandError, Output, print},
    config::{Config, Layers},
    foundation::{Foundation, create_private_dir},
    serve::{Service, prepare_process, runtime},
    system,
};

/// Where the simulated providers listen, unless something else does.
const SIMULATOR_ADDRESS: &str = "127.0.0.1:4010";
/// A pace that looks like a real model's.
const TOKEN_DELAY_MS: u64 = 15;

#[derive(Serialize)]
struct Ready<'a> {
    api_base: String,
    api_key: &'a str,
    management_key: &'a str,
    console: String,
    email: &'a str,
    password: &'a str,
    /// Works once.
    sign_in: String,
    curl: String,
    simulator: String,
    real_providers: Vec<String>,
}

/// Serves the demo until a signal says stop.
pub(crate) fn run(mut layers: Layers, output: Output) -> Result<ExitCode, CommandError> {
    layers.suggest("log.level", "warn".to_owned());
    layers.suggest("log.format", "text".to_owned());
    layers.suggest("server.drain_grace", "5s".to_owned());
    layers.suggest("accounts.signup_credit_usd", "1".to_owned());
    let config = Config::from_layers(&layers)?;
    let metrics = prepare_process(&config)?;
    runtime(config.server.worker_threads)?.block_on(async {
        let listener = simulator_listener().await?;
        let simulator = serve_simulator(listener, simulator(system::now_seconds()))
            .map_err(|error| CommandError::caused("cannot start the simulated providers", error))?;
        let real = catalog::real_providers(system::environment());
        let dir = config.data_dir.join("demo-catalog");
        create_private_dir(&config.data_dir)?;
        catalog::write(&dir, simulator.address(), &real)?;
        layers.insist("catalog.dir", dir.display().to_string());
        layers.insist("egress.operator_private_cidrs", loopback_beside(&layers));
        let mut config = Config::from_layers(&layers)?;
        config.is_demo = true;
        let foundation = Foundation::open(config).await?;
        let account = account::ensure(&foundation).await?;
        store_credentials(&foundation, &real).await?;
        let sign_in = account::sign_in_token(&foundation).await?;
        let service = Service::start_on(foundation, metrics).await?;
        announce(
            output,
            &service,
            &sign_in,
            simulator.address(),
            &account,
            &real,
        )?;
        let code = service.run_until_stopped().await?;
        simulator.stop().await;
        Ok(code)
    })
}

/// The usual port, so that the address is the same every time; any other if that one is taken.
async fn simulator_listener() -> Result<TcpListener, CommandError> {
    match TcpListener::bind(SIMULATOR_ADDRESS).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind("127.0.0.1:0").await.map_err(|error| {
            CommandError::caused("cannot open a port for the simulated providers", error)
        }),
    }
}

fn simulator(created_seconds: i64) -> Simulator {
    Simulator::new(switchyard_simulator::Config {
        created_seconds,
        profile: Profile {
            token_delay_ms: TOKEN_DELAY_MS,
            ..Profile::default()
        },
        ..switchyard_simulator::Config::default()
    })
}

/// The configured ranges, and loopback, where the simulated providers are.
fn loopback_beside(layers: &Layers) -> String {
    let configured = &layers.get("egress.operator_private_cidrs").value;
    if configured.is_empty() {
        "127.0.0.0/8".to_owned()
    } else {
        format!("{configured},127.0.0.0/8")
    }
}

/// Real providers get the key from the environment, simulated ones take any.
async fn store_credentials(
    foundation: &Foundation,
    real: &[catalog::RealProvider],
) -> Result<(), CommandError> {
    let now = foundation.clock.now();
    let loaded = switchyard_catalog::load::load(&foundation.config.catalog_dir, now)
        .map_err(|faults| CommandError::caused("the demo's catalogue has faults", faults))?;
    let credentials = foundation.credentials();
    credentials
        .follow()
        .await
        .map_err(|error| CommandError::caused("cannot read the stored credentials", error))?;
    for provider in &loaded.providers {
        let key = real.iter().find(|one| one.slug == provider.slug.as_str());
        // A simulated provider's credential stays as it is; a real one may have changed.
        if key.is_none() && credentials.has(&provider.slug) {
            continue;
        }
        let secret = match key {
            Some(key) => key.secret.expose().clone().into_bytes(),
            None => b"any credential will do".to_vec(),
        };
        credentials
            .put(
                ProviderSlug::new(provider.slug.as_str()),
                Secret::new(secret),
            )
            .await
            .map_err(|error| CommandError::caused("cannot store a provider credential", error))?;
    }
    Ok(())
}

fn announce(
    output: Output,
    service: &Service,
    sign_in: &Secret<String>,
    simulator: SocketAddr,
    account: &account::DemoAccount,
    real: &[catalog::RealProvider],
) -> Result<(), CommandError> {
    let base = format!("http://{}/api/v1", service.public_address);
    let console = service.public_url();
    let sign_in = format!("{console}/sign-in/{}", sign_in.expose());
    let curl = format!(
        "curl -N {base}/chat/completions -H 'Authorization: Bearer {key}' \
         -H 'Content-Type: application/json' \
         -d '{{\"model\":\"{model}\",\"stream\":true,\
         \"messages\":[{{\"role\":\"user\",\"content\":\"Why is the sky blue?\"}}]}}'",
        key = account.api_key,
        model = catalog::SHOWCASE_MODEL,
    );
    let providers = match real {
        [] => "Providers are simulated, at real prices. Set OPENAI_API_KEY or the like to add real ones."
            .to_owned(),
        real => format!(
            "Real providers: {}. All others are simulated, at real prices.",
            real.iter().map(|one| one.slug.as_str()).collect::<Vec<_>>().join(", ")
        ),
    };
    let text = format!(
        "\nSwitchyard is ready.\n\n  \
         API base        {base}\n  \
         API key         {key}\n  \
         Management key  {management}\n  \
         Console         {console}\n  \
         Sign in as      {email}\n  \
         Password        {password}\n  \
         Or sign in once {sign_in}\n\n\
         {providers}\n\n\
         Paste this next, in another terminal:\n\n{curl}\n",
        key = account.api_key,
        management = account.management_key,
        email = account::EMAIL,
        password = account.password,
    );
    let ready = Ready {
        api_base: base,
        api_key: &account.api_key,
        management_key: &account.management_key,
        console: console.clone(),
        email: account::EMAIL,
        password: &account.password,
        sign_in: sign_in.clone(),
        curl: curl.clone(),
        simulator: format!("http://{simulator}"),
        real_providers: real.iter().map(|one| one.slug.clone()).collect(),
    };
    print(output, &text, &ready)
}
