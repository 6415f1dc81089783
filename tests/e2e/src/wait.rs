//! Waiting for conditions.
//!
//! What this module does not know: what is waited for.

use anyhow::{Result, bail};
use std::time::Duration;
use tokio::time::{self, Instant};

/// How long anything may take on a busy machine before it counts as never.
pub const TIMEOUT: Duration = Duration::from_secs(60);
/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks until `look` sees something, and gives that. `what` finishes the sentence "never saw …".
///
/// # Errors
/// After [`TIMEOUT`], with the last error of `look` if it had one.
pub async fn until<T>(what: &str, look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    until_within(TIMEOUT, what, look).await
}

/// [`until`] with a patience of its own.
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
