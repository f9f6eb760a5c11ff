//! Signals: SIGTERM and SIGINT stop, SIGHUP reloads the catalogue.

use std::{io, sync::Arc};

use switchyard_catalog::cell::CatalogCell;
use switchyard_domain::clock::Clock;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals a service answers. Made before it listens: until then the operating system's
/// default applies, which is to die.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Returns when the process should stop.
    pub(super) async fn wait(&mut self, catalog: &Arc<CatalogCell>, clock: &Arc<dyn Clock>) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => reload(catalog, clock).await,
            }
        }
    }
}

async fn reload(catalog: &Arc<CatalogCell>, clock: &Arc<dyn Clock>) {
    let (catalog, clock) = (Arc::clone(catalog), Arc::clone(clock));
    match tokio::task::spawn_blocking(move || catalog.reload(clock.now())).await {
        Ok(Ok(report)) => tracing::info!(
            version = %report.version_after,
            models = report.models.total,
            endpoints = report.endpoints.total,
            "the catalogue is reloaded"
        ),
        Ok(Err(faults)) => {
            tracing::error!(faults = %faults, "the catalogue was not reloaded; the last good one stays");
        }
        Err(error) => tracing::error!(error = %error, "reloading the catalogue failed"),
    }
}
