//! How many connections there may be, of all and of each address.

use std::{net::IpAddr, sync::Arc, time::Duration};

use ipnet::IpNet;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::{
    transport::{Limits, Quota, Seat},
    viewer::network,
};

/// How often it is told that an address wants more than it may have.
const COMPLAINT: Duration = Duration::from_mins(1);

/// Lets connections in.
#[derive(Debug)]
pub(super) struct Gate {
    seats: Arc<Semaphore>,
    addresses: Quota<IpAddr>,
    each: usize,
    proxies: Arc<[IpNet]>,
    complained: Option<Instant>,
}

impl Gate {
    pub(super) fn new(limits: &Limits, proxies: Arc<[IpNet]>) -> Self {
        Self {
            seats: Arc::new(Semaphore::new(limits.connections)),
            addresses: Quota::default(),
            each: limits.connections_per_address,
            proxies,
            complained: None,
        }
    }

    /// Waits until there is room for one more.
    pub(super) async fn room(&self) -> Option<OwnedSemaphorePermit> {
        self.seats.clone().acquire_owned().await.ok()
    }

    /// Gives somebody her seat, unless her address has all it may have. Proxies that the operator named
    /// are not counted, nor are this machine's own programs, of which one may be a proxy: everybody
    /// comes through them.
    pub(super) fn seat(
        &mut self,
        room: OwnedSemaphorePermit,
        peer: IpAddr,
    ) -> Result<Seat, OwnedSemaphorePermit> {
        let holder = network(peer);
        let proxy = self
            .proxies
            .iter()
            .any(|net| net.contains(&peer.to_canonical()));
        if proxy || holder.is_loopback() {
            return Ok(Seat::new(room, None));
        }
        if let Some(share) = self.addresses.take(holder, self.each) {
            return Ok(Seat::new(room, Some(share)));
        }
        self.complain(holder);
        Err(room)
    }

    fn complain(&mut self, address: IpAddr) {
        if self.complained.is_some_and(|at| at.elapsed() < COMPLAINT) {
            return;
        }
        self.complained = Some(Instant::now());
        let most = self.each;
        tracing::warn!(
            %address, most,
            "an address wants more connections than it may have; if it is a proxy, name it in TRUSTED_PROXIES"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_has_so_many_connections_and_this_machine_any_number() {
        let limits = Limits {
            connections: 20,
            connections_per_address: 2,
            ..Limits::default()
        };
        let proxies: Arc<[IpNet]> = ["10.0.0.0/8".parse().unwrap()].into();
        let mut gate = Gate::new(&limits, proxies);
        for (addresses, let_in) in [
            (["192.0.2.1", "192.0.2.1", "192.0.2.1"], 2),
            (["192.0.2.2", "::ffff:192.0.2.2", "192.0.2.3"], 3),
            (["2001:db8::1", "2001:db8::2:3", "2001:db8::4"], 2),
            (["2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:3::1"], 3),
            (["127.0.0.1", "127.0.0.1", "127.0.0.1"], 3),
            (["::1", "::1", "::ffff:127.0.0.1"], 3),
            (["10.1.1.1", "10.1.1.1", "::ffff:10.1.1.1"], 3),
        ] {
            let mut seats = Vec::new();
            for address in addresses {
                let room = gate.room().await.unwrap();
                seats.extend(gate.seat(room, address.parse().unwrap()));
            }
            assert_eq!(seats.len(), let_in, "{addresses:?}");
        }
        // All are gone again.
        assert_eq!(gate.seats.available_permits(), 20);
    }
}
