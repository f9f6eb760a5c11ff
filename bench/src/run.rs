//! The order of events: start everything, warm up, interleave rounds, weigh memory, report.

use std::{collections::BTreeMap, fs, io, net::SocketAddr, time::Duration};

use http::Method;

use crate::{
    RunArguments, agent, child,
    gateway::{Gateway, Setup},
    load::{Timetable, apply},
    proc,
    report::{Memory, Report},
    scenario::{Measured, Scenario, hold_streams},
    simulated,
    target::{Kind, Target, Way},
};

/// What is measured runs here, one at a time.
pub(crate) const MEASURED_CORE: usize = 0;
/// Load and providers run here.
pub(crate) const LOAD_CORE: usize = 1;

/// More failed requests than this, and the figures mean nothing.
const FAILED_PERCENT_MAX: u64 = 1;
const WARM_UP_CONNECTIONS: u32 = 8;
const ANY_PORT: &str = "127.0.0.1:0";
const CREDENTIAL: &str = "Bearer simulated-provider-key";

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("the benchmark could not be run: {0}")]
    Io(#[from] io::Error),
    #[error("{failed} of {total} requests by way of {way} failed; the last one: {last}")]
    Failures {
        way: &'static str,
        failed: u64,
        total: u64,
        last: String,
    },
}

/// How long everything takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) warm_up: Duration,
    pub(crate) load: Duration,
    pub(crate) held_streams: usize,
    pub(crate) hold: Duration,
    /// How often the agent's session is played where its endpoint is drawn.
    pub(crate) agent_draws: u64,
}

impl Plan {
    const QUICK: Self = Self {
        rounds: 2,
        warm_up: Duration::from_millis(200),
        load: Duration::from_millis(500),
        held_streams: 1_000,
        hold: Duration::from_millis(500),
        agent_draws: 1,
    };
    const FULL: Self = Self {
        rounds: 5,
        warm_up: Duration::from_secs(1),
        load: Duration::from_millis(3_500),
        held_streams: 1_000,
        hold: Duration::from_secs(3),
        agent_draws: 4,
    };
}

pub(crate) async fn run(arguments: &RunArguments) -> Result<(), BenchError> {
    let plan = if arguments.quick {
        Plan::QUICK
    } else {
        Plan::FULL
    };
    let (_simulator, providers) =
        child::start_role(LOAD_CORE, &["simulator", "--listen", ANY_PORT]).await?;
    let upstream = providers.to_string();
    let (pass_through, address) = child::start_role(
        MEASURED_CORE,
        &["passthrough", "--listen", ANY_PORT, "--upstream", &upstream],
    )
    .await?;
    let gateway = Setup::prepare(&arguments.gateway_bin, providers, &arguments.gateway_env)
        .await?
        .start(MEASURED_CORE)
        .await?;
    let targets = targets(providers, address, pass_through.pid(), &gateway);

    let measured = measure(&targets, plan, providers).await;
    // The folder goes whether or not there are figures.
    gateway.stop().await?;
    let report = measured?;
    report.print(&mut io::stdout().lock())?;
    if let Some(path) = &arguments.json {
        fs::write(path, format!("{:#}\n", report.to_json()))?;
    }
    report.check_failures(FAILED_PERCENT_MAX)
}

fn targets(
    providers: SocketAddr,
    pass_through: SocketAddr,
    pass_through_pid: u32,
    gateway: &Gateway,
) -> [Target; 3] {
    let direct = Target {
        way: Way::Direct,
        address: providers,
        path: simulated::chat_path(simulated::PROVIDERS[0]),
        authorization: CREDENTIAL.to_owned(),
        pid: None,
    };
    let pass_through = Target {
        way: Way::PassThrough,
        address: pass_through,
        pid: Some(pass_through_pid),
        ..direct.clone()
    };
    [direct, pass_through, gateway.target.clone()]
}

async fn measure(targets: &[Target; 3], plan: Plan, providers: SocketAddr) -> io::Result<Report> {
    let mut idle = BTreeMap::new();
    for target in targets {
        if let Some(pid) = target.pid {
            idle.insert(target.way, proc::resident_bytes(pid)?);
        }
        for kind in [Kind::Whole, Kind::Stream] {
            apply(
                target,
                kind,
                Timetable::Closed,
                WARM_UP_CONNECTIONS,
                plan.warm_up,
            )
            .await;
        }
    }
    let mut rounds: BTreeMap<(Scenario, Way), Vec<Measured>> = BTreeMap::new();
    for round in 0..plan.rounds {
        for scenario in Scenario::ALL {
            // Another one goes first each time, so that no way always profits from its place.
            for place in 0..targets.len() {
                let target = &targets[(round + place) % targets.len()];
                let measured = scenario.measure(target, plan.load).await?;
                rounds
                    .entry((scenario, target.way))
                    .or_default()
                    .push(measured);
            }
        }
    }
    set_pace(providers, simulated::DRIP_DELAY_MS).await?;
    let mut memory = BTreeMap::new();
    for target in targets {
        if let (Some(pid), Some(idle_bytes)) = (target.pid, idle.get(&target.way)) {
            let held = hold_streams(target, pid, plan.held_streams, plan.hold).await?;
            memory.insert(
                target.way,
                Memory {
                    idle_bytes: *idle_bytes,
                    held,
                },
            );
        }
    }
    let [.., gateway] = targets;
    Ok(Report {
        plan,
        rounds,
        memory,
        agent: agent::replay(gateway, providers, plan.agent_draws).await?,
    })
}

/// Changes how fast the providers stream from now on.
async fn set_pace(providers: SocketAddr, token_delay_ms: u64) -> io::Result<()> {
    let body = serde_json::to_vec(&simulated::profile(token_delay_ms))?;
    for provider in simulated::PROVIDERS {
        let path = format!("/_sim/profile/{provider}");
        simulated::tell(providers, Method::PUT, &path, body.clone()).await?;
    }
    Ok(())
}
