//! Waiting for conditions.
//!
//! What this module does not know: what is waited for.

use anyhow::{Result, bail};
use std::time::Duration;
use tokio::time::{self, Instant};

/// Default time-out: generous enough for a busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(60);
/// Time between two polls.
const PAUSE: Duration = Duration::from_millis(50);

/// Polls `look` until it returns a value, and returns that. `what` completes the error text "never saw …".
///
/// # Errors
/// After [`TIMEOUT`], with the last error of `look` if it had one.
pub async fn until<T>(what: &str, look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    until_within(TIMEOUT, what, look).await
}

/// [`until`] with a time-out of its own.
///
/// # Errors
/// As for [`until`].
pub async fn until_within<T>(
    timeout: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let end = Instant::now() + timeout;
    loop {
        let last = match look().await {
            Ok(Some(seen)) => return Ok(seen),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if Instant::now() >= end {
            match last {
                Some(error) => return Err(error.context(format!("never saw {what}"))),
                None => bail!("never saw {what}"),
            }
        }
        time::sleep(PAUSE).await;
    }
}
