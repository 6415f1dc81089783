//! What a server does beside answering: sends pushes, follows its keys, forgets what is over, deletes old media.
//!
//! What this module does not know: HTTP.

use crate::{clock, http::App, keys::KeyError, media::Media, push::Counters};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle, time};

/// How often keys are read again: well below the time that a key is published before it signs.
const OFTEN: Duration = Duration::from_secs(30);
/// How often expired media are looked for.
const SWEEP: Duration = Duration::from_secs(60);

/// The work under way.
pub(crate) struct Maintenance {
    app: Arc<App>,
    stop: watch::Sender<bool>,
    keys: JoinHandle<()>,
    pushes: JoinHandle<()>,
    media: JoinHandle<()>,
}

impl Maintenance {
    /// Begins it.
    pub(crate) fn begin(app: Arc<App>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let keys = tokio::spawn(follow(app.clone(), stopped.clone()));
        let media = tokio::spawn(sweep(app.media.clone(), stopped.clone()));
        let pushes = tokio::spawn(app.push.delivery.clone().run(stopped));
        Self { app, stop, keys, pushes, media }
    }

    /// Lets what is under way finish for `timeout`; what does not is put back for another instance, or for the next start.
    pub(crate) async fn end(self, timeout: Duration) {
        let Self { app, stop, keys, mut pushes, media } = self;
        stop.send_replace(true);
        if time::timeout(timeout, &mut pushes).await.is_err() {
            pushes.abort();
            let _ = pushes.await;
        }
        // What is cut short here is begun again at the next start.
        for task in [keys, media] {
            task.abort();
            let _ = task.await;
        }
        app.push.delivery.release().await;
        let Counters { delivered, postponed, dropped, pruned } = &**app.push.delivery.counters();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (delivered, postponed, dropped, pruned) =
            (count(delivered), count(postponed), count(dropped), count(pruned));
        tracing::info!(delivered, postponed, dropped, pruned, "pushes since the start");
    }
}

async fn follow(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = round(&app).await {
            tracing::error!(%error, "the keys could not be followed");
        }
        tokio::select! {
            () = time::sleep(OFTEN) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn round(app: &App) -> Result<(), KeyError> {
    let now = clock::unix_seconds();
    app.keys.maintain(app.settings.rotate_days, now).await?;
    let used = app.store.keys_of_subscriptions().await?;
    app.push.keys.maintain(&used, now).await?;
    Ok(app.store.forget_used_tokens(now).await?)
}

async fn sweep(media: Media, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match media.sweep(clock::unix_seconds()).await {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "deleted media whose time had passed"),
            Err(error) => tracing::error!(%error, "media could not be swept"),
        }
        tokio::select! {
            () = time::sleep(SWEEP) => {}
            _ = stop.changed() => {}
        }
    }
}
