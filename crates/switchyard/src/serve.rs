//! The composition root: what a running service is made of, how it starts, and how it stops
//! without losing a charge.

mod mail;
mod signals;

use std::{net::SocketAddr, pin::Pin, process::ExitCode, sync::Arc, time::Duration};

use switchyard_app::{
    App, Parts, Settings, activity::Activity, journal::Journal, mail::MailBox,
    people::proofs::Proofs, poster::Poster, treasury::Treasury,
};
use switchyard_catalog::cell::CatalogCell;
use switchyard_console::{ChatDoor, Console};
use switchyard_coordination::{
    Coordination,
    in_process::InProcess,
    redis::{Listener, Redis, RedisSettings},
};
use switchyard_domain::{clock::Clock, id::NodeId, tenancy::Caller};
use switchyard_edge::{Admin, Edge, admin_router, router, server};
use switchyard_telemetry::{logs, metrics_endpoint::Metrics};
use switchyard_upstream::http::HttpUpstream;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::signals::Signals;
use crate::{commands::CommandError, config::Config, foundation::Foundation, system};

/// How long a stop waits for SQL to take the last settlements. What is left stays in the journal.
const LAST_POST_PATIENCE: Duration = Duration::from_secs(10);

/// How much longer than the grace connections stay open, so that an answer that the grace ended can
/// still say so.
const LAST_WORDS_PATIENCE: Duration = Duration::from_secs(5);

/// Serves until a signal says stop.
pub(crate) fn run(config: Config) -> Result<ExitCode, CommandError> {
    let metrics = prepare_process(&config)?;
    runtime(config.server.worker_threads)?.block_on(async {
        let service = Service::start(config, metrics).await?;
        tracing::info!(
            listen = %service.public_address,
            admin = %service.admin_address,
            "ready to serve"
        );
        service.run_until_stopped().await
    })
}

/// Logging, metrics and limits of the process; once, before anything else.
pub(crate) fn prepare_process(config: &Config) -> Result<Metrics, CommandError> {
    logs::start(&config.log_level, config.log_format)
        .map_err(|error| CommandError::caused("cannot start logging", error))?;
    if let Err(error) = system::raise_file_limit() {
        tracing::warn!(error = %error, "the limit on open files stays as it is");
    }
    Metrics::start().map_err(|error| CommandError::caused("cannot collect metrics", error))
}

pub(crate) fn runtime(worker_threads: usize) -> Result<tokio::runtime::Runtime, CommandError> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if worker_threads > 0 {
        builder.worker_threads(worker_threads);
    }
    builder
        .enable_all()
        .build()
        .map_err(|error| CommandError::caused("cannot start the runtime", error))
}

/// Connects to Redis lazily: a node starts whether it is up or not.
pub(crate) fn redis(
    url: &str,
    node: NodeId,
    foundation: &Foundation,
) -> Result<(Arc<dyn Coordination>, Listener), CommandError> {
    let clock = Arc::clone(&foundation.clock);
    let (redis, listener) = Redis::new(url, node, clock, RedisSettings::default())
        .map_err(|error| CommandError::caused("cannot use Redis", error))?;
    Ok((Arc::new(redis), listener))
}

/// A service that accepts connections.
pub(crate) struct Service {
    app: Arc<App>,
    poster: Arc<Poster>,
    treasury: Arc<Treasury>,
    journal: Arc<Journal>,
    catalog: Arc<CatalogCell>,
    clock: Arc<dyn Clock>,
    config: Config,
    signals: Signals,
    pub(crate) public_address: SocketAddr,
    pub(crate) admin_address: SocketAddr,
    /// The listeners.
    servers: TaskTracker,
    stop_servers: CancellationToken,
    /// Periodic work.
    jobs: TaskTracker,
    stop_jobs: CancellationToken,
    /// The poster, which must outlive every generation.
    posting: TaskTracker,
    stop_posting: CancellationToken,
    /// The mails that the demo keeps.
    demo_mails: Option<Arc<dyn MailBox>>,
}

impl Service {
    /// Opens everything, recovers what an earlier run left, and starts to listen.
    pub(crate) async fn start(config: Config, metrics: Metrics) -> Result<Self, CommandError> {
        let foundation = Foundation::open(config).await?;
        Self::start_on(foundation, metrics).await
    }

    pub(crate) async fn start_on(
        foundation: Foundation,
        metrics: Metrics,
    ) -> Result<Self, CommandError> {
        let signals = Signals::listen()
            .map_err(|error| CommandError::caused("cannot listen for signals", error))?;
        // Bound first: a port that is taken should fail before the journal is touched.
        let public = bind(foundation.config.server.listen, "server.listen").await?;
        let admin = bind(foundation.config.admin_listen, "admin.listen").await?;
        let node = foundation.node_id()?;
        let jobs = TaskTracker::new();
        let stop_jobs = CancellationToken::new();
        let coordination = coordinate(&foundation, node, &jobs, &stop_jobs)?;
        let catalog = load_catalog(&foundation)?;
        let (journal, left) = open_journal(&foundation)?;
        let ledger = Arc::clone(&foundation.store.ledger);
        let clock = Arc::clone(&foundation.clock);
        let treasury = Arc::new(Treasury::new(node, Arc::clone(&ledger), Arc::clone(&clock)));
        let poster = Arc::new(Poster::default());
        let mail = mail::open(&foundation)?;
        let public_address = local_address(&public)?;
        let url = public_url(&foundation.config, public_address);
        let proofs = Arc::new(foundation.proofs(mail.mailer, mail.sends, url));
        let parts = parts(
            &foundation,
            &catalog,
            coordination,
            &treasury,
            &journal,
            &poster,
            proofs,
        );
        let app = Arc::new(App::new(parts));
        app.start(node, &*ledger, left).await.map_err(|error| {
            CommandError::caused("cannot recover what an earlier run left", error)
        })?;
        app.start_jobs(&jobs, &stop_jobs);
        if let Some(postman) = mail.postman {
            jobs.spawn(postman.run(stop_jobs.clone().cancelled_owned()));
        }
        let posting = TaskTracker::new();
        let stop_posting = CancellationToken::new();
        spawn_poster(
            &posting,
            &poster,
            &ledger,
            &journal,
            &treasury,
            &stop_posting,
        );
        let service = Self {
            public_address,
            admin_address: local_address(&admin)?,
            app,
            poster,
            treasury,
            journal,
            catalog,
            clock,
            config: foundation.config,
            signals,
            servers: TaskTracker::new(),
            stop_servers: CancellationToken::new(),
            jobs,
            stop_jobs,
            posting,
            stop_posting,
            demo_mails: mail.kept,
        };
        service.listen(public, admin, metrics, node);
        Ok(service)
    }

    /// Where people reach the console.
    pub(crate) fn public_url(&self) -> String {
        public_url(&self.config, self.public_address)
    }

    fn listen(&self, public: TcpListener, admin: TcpListener, metrics: Metrics, node: NodeId) {
        let edge = Edge::new(
            Arc::clone(&self.app),
            Arc::clone(&self.clock),
            &node.to_string(),
        )
        .with_country_header(self.config.server.country_header.clone());
        let (app, poster, journal) = (
            Arc::clone(&self.app),
            Arc::clone(&self.poster),
            Arc::clone(&self.journal),
        );
        let (catalog, clock) = (Arc::clone(&self.catalog), Arc::clone(&self.clock));
        let admin_routes = admin_router(Admin {
            edge: edge.clone(),
            render_metrics: Arc::new(move || {
                set_gauges(&app, &poster, &journal);
                metrics.render()
            }),
            reload_catalog: Arc::new(move || catalog.reload(clock.now())),
        });
        let grace = self.config.server.drain_grace + LAST_WORDS_PATIENCE;
        let stop = self.stop_servers.clone();
        let console = Console::new(
            Arc::clone(&self.app),
            switchyard_console::Settings {
                public_url: self.public_url(),
                is_demo: self.config.is_demo,
            },
            Arc::new(ApiDoor(edge.clone())),
        )
        .with_demo_mails(self.demo_mails.clone());
        let routes = router(edge, switchyard_console::router(console));
        self.servers
            .spawn(server::serve(public, routes, stop.clone(), grace));
        self.servers
            .spawn(server::serve(admin, admin_routes, stop, grace));
    }

    /// Serves until a signal says stop, then stops in an order that loses nothing.
    pub(crate) async fn run_until_stopped(mut self) -> Result<ExitCode, CommandError> {
        self.signals.wait(&self.catalog, &self.clock).await;
        self.stop().await;
        Ok(ExitCode::SUCCESS)
    }

    /// Readiness turns at once; answers in flight finish within the grace or are ended cleanly;
    /// what they cost is posted; what was held goes back.
    pub(crate) async fn stop(self) {
        tracing::info!(in_flight = self.app.in_flight(), "stopping");
        self.app.drain();
        tokio::time::sleep(self.config.server.drain_delay).await;
        self.stop_servers.cancel();
        self.servers.close();
        self.app
            .finish_generations(self.config.server.drain_grace)
            .await;
        self.servers.wait().await;
        self.stop_jobs.cancel();
        self.jobs.close();
        self.jobs.wait().await;
        self.app.note_key_uses().await;
        self.app.write_credential_notes().await;
        if !self.poster.flush(LAST_POST_PATIENCE).await {
            tracing::warn!(
                left = self.poster.backlog(),
                "the database did not take every settlement; the journal keeps the rest"
            );
        }
        self.stop_posting.cancel();
        self.posting.close();
        self.posting.wait().await;
        if let Err(error) = self.treasury.release_all().await {
            tracing::warn!(error = %error, "what this node held goes back when its leases lapse");
        }
        if let Err(error) = self.journal.sync() {
            tracing::error!(error = %error, "the journal could not be synced");
        }
        tracing::info!("stopped");
    }
}

/// The console's chat goes in where the API's does.
struct ApiDoor(Edge);

impl ChatDoor for ApiDoor {
    fn answer(
        &self,
        caller: Caller,
        request: axum::extract::Request,
    ) -> Pin<Box<dyn Future<Output = axum::response::Response> + Send>> {
        let edge = self.0.clone();
        Box::pin(async move { edge.chat_completions(caller, request).await })
    }
}

/// What the app is made of here: the real clock, the real network, the database.
fn parts(
    foundation: &Foundation,
    catalog: &Arc<CatalogCell>,
    coordination: Arc<dyn Coordination>,
    treasury: &Arc<Treasury>,
    journal: &Arc<Journal>,
    poster: &Arc<Poster>,
    proofs: Arc<Proofs>,
) -> Parts {
    let own_credentials = Arc::new(foundation.own_credentials(Arc::clone(&coordination)));
    let policies = Arc::new(foundation.policies(Arc::clone(&coordination)));
    Parts {
        clock: Arc::clone(&foundation.clock),
        random: Arc::clone(&foundation.random),
        catalog: Arc::clone(catalog),
        coordination: Arc::clone(&coordination),
        directory: Arc::clone(&foundation.store.directory),
        upstream: Arc::new(HttpUpstream::new(
            foundation.config.egress.clone(),
            foundation.config.upstream,
            Arc::clone(&foundation.clock),
        )),
        keys: Arc::new(foundation.keys(coordination)),
        key_store: Arc::clone(&foundation.store.api_keys),
        workspaces: Arc::new(foundation.workspaces(&policies, &own_credentials)),
        own_credentials,
        policies,
        credentials: Arc::new(foundation.credentials()),
        treasury: Arc::clone(treasury),
        journal: Arc::clone(journal),
        poster: Arc::clone(poster),
        receipts: Arc::new(foundation.receipts()),
        idempotency: Arc::new(foundation.idempotency()),
        vault_upkeep: Arc::new(foundation.vault_upkeep()),
        organizations: Arc::new(foundation.organizations()),
        oauth: Arc::new(foundation.oauth()),
        audit_log: Arc::clone(&foundation.store.audit),
        people: Arc::clone(proofs.people()),
        proofs,
        activity: Arc::new(Activity::new(
            Arc::clone(&foundation.store.activity),
            Arc::clone(poster),
        )),
        settings: Settings {
            attempt_timeout: foundation.config.upstream.total,
            sticky_ttl: foundation.config.sticky_ttl,
            sticky_secret: foundation.conversation_secret(),
            signed_receipts: foundation.config.signed_receipts,
        },
    }
}

/// Where people reach this node: as configured, or on this machine.
pub(crate) fn public_url(config: &Config, address: SocketAddr) -> String {
    match &config.server.public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        // By name, because passkeys are bound to names and never to addresses.
        None if address.ip().is_loopback() => format!("http://localhost:{}", address.port()),
        None => format!("http://{address}"),
    }
}

async fn bind(address: SocketAddr, setting: &str) -> Result<TcpListener, CommandError> {
    TcpListener::bind(address).await.map_err(|error| {
        CommandError::caused(
            format!("cannot listen on {address}; set `{setting}`"),
            error,
        )
    })
}

fn local_address(listener: &TcpListener) -> Result<SocketAddr, CommandError> {
    listener
        .local_addr()
        .map_err(|error| CommandError::caused("cannot read a port", error))
}

fn coordinate(
    foundation: &Foundation,
    node: NodeId,
    jobs: &TaskTracker,
    stop: &CancellationToken,
) -> Result<Arc<dyn Coordination>, CommandError> {
    let Some(url) = &foundation.config.redis_url else {
        return Ok(Arc::new(InProcess::new(Arc::clone(&foundation.clock))));
    };
    let (redis, listener) = redis(url, node, foundation)?;
    let stop = stop.clone();
    jobs.spawn(async move {
        tokio::select! {
            () = listener.run() => {}
            () = stop.cancelled() => {}
        }
    });
    Ok(redis)
}

fn load_catalog(foundation: &Foundation) -> Result<Arc<CatalogCell>, CommandError> {
    let dir = &foundation.config.catalog_dir;
    let cell = CatalogCell::load(dir, foundation.clock.now()).map_err(|faults| {
        CommandError::caused(
            format!("the catalogue in {} has faults", dir.display()),
            faults,
        )
    })?;
    Ok(Arc::new(cell))
}

type Left = Vec<(
    switchyard_app::journal::Position,
    switchyard_billing::settlement::Settlement,
)>;

fn open_journal(foundation: &Foundation) -> Result<(Arc<Journal>, Left), CommandError> {
    let config = &foundation.config;
    let (journal, left) = Journal::open(&config.journal_dir, config.fsync_interval)
        .map_err(|error| CommandError::caused("cannot open the journal", error))?;
    Ok((Arc::new(journal), left))
}

fn spawn_poster(
    posting: &TaskTracker,
    poster: &Arc<Poster>,
    ledger: &Arc<dyn switchyard_billing::store::LedgerStore>,
    journal: &Arc<Journal>,
    treasury: &Arc<Treasury>,
    stop: &CancellationToken,
) {
    let (poster, ledger, journal, treasury, stop) = (
        Arc::clone(poster),
        Arc::clone(ledger),
        Arc::clone(journal),
        Arc::clone(treasury),
        stop.clone(),
    );
    posting.spawn(async move { poster.run(ledger, journal, treasury, stop).await });
}

fn set_gauges(app: &App, poster: &Poster, journal: &Journal) {
    #[expect(
        clippy::cast_precision_loss,
        reason = "gauges are floats, and these counts are small"
    )]
    let as_gauge = |count: usize| count as f64;
    metrics::gauge!("switchyard_generations_in_flight").set(as_gauge(app.in_flight()));
    metrics::gauge!("switchyard_settlements_unposted").set(as_gauge(poster.backlog()));
    metrics::gauge!("switchyard_journal_writable").set(f64::from(u8::from(journal.is_writable())));
}
