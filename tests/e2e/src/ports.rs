//! Free TCP ports on loopback, for servers that must know each other's addresses before any of them starts.
//!
//! What this module does not know: who listens.

use anyhow::{Context, Result};
use std::{
    collections::BTreeSet,
    hash::{BuildHasher, RandomState},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Mutex, PoisonError},
};

/// Below the range from which Linux takes ports for outgoing connections (32768 and up): a server that is stopped for a
/// moment finds its port free again.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;
const ATTEMPTS: usize = 100;

/// Ports that this process has given away already.
static TAKEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// An address that was free a moment ago, and that this function returns once in the life of the process. Other
/// processes draw from the same 12,000 ports at random, so that two test runs side by side seldom meet; if they do, the
/// second server fails to start.
///
/// # Errors
/// After 100 ports that were not free.
pub(crate) fn free_address() -> Result<SocketAddr> {
    (0..ATTEMPTS)
        .map(|_| SocketAddr::from((Ipv4Addr::LOCALHOST, random_port())))
        .find(|address| {
            let unused = TcpListener::bind(address).is_ok();
            unused && TAKEN.lock().unwrap_or_else(PoisonError::into_inner).insert(address.port())
        })
        .with_context(|| format!("no free port found between {FIRST} and {}", FIRST + COUNT))
}

/// Each `RandomState` has keys of its own, drawn from the operating system's randomness.
fn random_port() -> u16 {
    let random = RandomState::new().hash_one(0_u8) % u64::from(COUNT);
    FIRST + u16::try_from(random).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::free_address;
    use std::{collections::BTreeSet, net::TcpListener};

    #[test]
    fn free_addresses_are_distinct_and_can_be_listened_on() {
        let addresses: BTreeSet<_> = (0..50).map(|_| free_address().unwrap()).collect();
        assert_eq!(addresses.len(), 50);
        assert!(addresses.iter().all(|address| address.port() < 32_768 && TcpListener::bind(address).is_ok()));
    }
}
