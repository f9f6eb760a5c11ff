//! Signals: SIGTERM and SIGINT stop, SIGHUP reloads the catalogue.

use std::{io, sync::Arc};

use switchyard_catalog::cell::CatalogCell;
use switchyard_domain::clock::Clock;
use tokio::signal::unix::{SignalKind, signal};

/// Returns when the process should stop.
pub(super) async fn wait(catalog: &Arc<CatalogCell>, clock: &Arc<dyn Clock>) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hang_up.recv() => reload(catalog, clock).await,
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
