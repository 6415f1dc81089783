//! The periodic work of a server: sends pushes, maintains keys, deletes expired tokens and media.
//!
//! What this module does not know: HTTP.

use crate::{app::App, clock, keys::KeyError, media::Media, metrics::PushMetrics};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle, time};

/// Interval of key maintenance; well below the time for which a key is published before it signs.
const KEY_INTERVAL: Duration = Duration::from_secs(30);
/// Interval of sweeps for expired media.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// The running tasks.
pub(crate) struct Maintenance {
    app: Arc<App>,
    stop: watch::Sender<bool>,
    keys: JoinHandle<()>,
    pushes: JoinHandle<()>,
    media: JoinHandle<()>,
}

impl Maintenance {
    /// Starts the tasks.
    pub(crate) fn start(app: Arc<App>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let keys = tokio::spawn(maintain_keys(app.clone(), stopped.clone()));
        let media = tokio::spawn(sweep(app.media.clone(), stopped.clone()));
        let pushes = tokio::spawn(app.push.delivery.clone().run(stopped));
        Self { app, stop, keys, pushes, media }
    }

    /// Stops the tasks. Waits up to `timeout` for pending pushes; the rest is released for another instance or the next
    /// start.
    pub(crate) async fn stop(self, timeout: Duration) {
        let Self { app, stop, keys, mut pushes, media } = self;
        stop.send_replace(true);
        if time::timeout(timeout, &mut pushes).await.is_err() {
            pushes.abort();
            let _ = pushes.await;
        }
        // Interrupted work is repeated at the next start.
        for task in [keys, media] {
            task.abort();
            let _ = task.await;
        }
        app.push.delivery.release().await;
        let PushMetrics { delivered, postponed, dropped, pruned } = &app.metrics.push;
        let (delivered, postponed, dropped, pruned) = (delivered.get(), postponed.get(), dropped.get(), pruned.get());
        tracing::info!(delivered, postponed, dropped, pruned, "pushes since the start");
    }
}

async fn maintain_keys(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = maintain_keys_once(&app).await {
            tracing::error!(%error, "the keys could not be maintained");
        }
        tokio::select! {
            () = time::sleep(KEY_INTERVAL) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn maintain_keys_once(app: &App) -> Result<(), KeyError> {
    let now = clock::unix_seconds();
    app.keys.maintain(app.settings.key_rotation, now).await?;
    let used = app.push.subscriptions.key_ids().await?;
    app.push.keys.maintain(&used, now).await?;
    Ok(app.push.queue.delete_expired_tokens(now).await?)
}

async fn sweep(media: Media, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match media.sweep(clock::unix_seconds()).await {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "deleted expired media"),
            Err(error) => tracing::error!(%error, "media could not be swept"),
        }
        tokio::select! {
            () = time::sleep(SWEEP_INTERVAL) => {}
            _ = stop.changed() => {}
        }
    }
}
