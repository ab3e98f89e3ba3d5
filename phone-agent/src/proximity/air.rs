//! A stand-in for the radio on one machine: UDP to a loopback address.
//!
//! Datagram = UUID (2, big-endian) ‖ service data. It proves no proximity at
//! all, so it sits behind `--danger-air` and says so in every run.

use std::net::SocketAddr;

use cablecar_protocol::eid::{Advert, SERVICE_UUID};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use super::Advertiser;
use crate::defaults;
use crate::error::Error;

/// Tells a loopback address what a radio would tell the room.
#[derive(Debug, Clone, Copy)]
pub struct Air {
    to: SocketAddr,
}

impl Air {
    /// Sends to this address.
    ///
    /// # Errors
    /// [`Error::Usage`] for one that is not loopback: whoever is not on this
    /// machine is certainly not near it.
    pub fn to(address: SocketAddr) -> Result<Self, Error> {
        if address.ip().is_loopback() {
            Ok(Self { to: address })
        } else {
            Err(Error::Usage(format!(
                "--danger-air takes a loopback address such as 127.0.0.1:4577, not {address}"
            )))
        }
    }
}

impl Air {
    /// Where it sends to.
    pub fn address(&self) -> SocketAddr {
        self.to
    }
}

/// Sends until it is dropped.
#[derive(Debug)]
pub struct Beacon(JoinHandle<()>);

impl Drop for Beacon {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Advertiser for Air {
    type Beacon = Beacon;

    async fn advertise(&mut self, advert: Advert) -> Result<Beacon, Error> {
        let failed = |cause: std::io::Error| Error::Air { address: self.to, cause: cause.to_string() };
        let from = if self.to.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
        let socket = UdpSocket::bind(from).await.map_err(failed)?;
        let to = self.to;
        let datagram = [SERVICE_UUID.to_be_bytes().as_slice(), advert.as_bytes()].concat();
        Ok(Beacon(tokio::spawn(async move {
            loop {
                // Nobody may be listening yet.
                let _ = socket.send_to(&datagram, to).await;
                tokio::time::sleep(defaults::AIR_INTERVAL).await;
            }
        })))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cablecar_protocol::eid::{Eid, ServiceData};
    use cablecar_protocol::ids::RoutingId;
    use cablecar_protocol::secrets::EidKey;
    use cablecar_protocol::tunnel::TunnelServiceDomain;

    use super::*;

    #[test]
    fn only_loopback_is_told() {
        for refused in ["192.0.2.1:4577", "0.0.0.0:4577", "[2001:db8::1]:4577", "255.255.255.255:1"] {
            let error = Air::to(refused.parse().unwrap()).unwrap_err();
            assert_eq!(error.advice().1, "usage.arguments", "{refused}");
        }
        assert!(Air::to("127.0.0.1:4577".parse().unwrap()).is_ok());
        assert!(Air::to("[::1]:4577".parse().unwrap()).is_ok());
    }

    #[tokio::test]
    async fn an_advert_is_repeated_until_the_beacon_is_dropped() {
        let domain = TunnelServiceDomain::new(266).unwrap();
        let key = EidKey::new(&[7; 64]);
        let eid = Eid::routed(RoutingId::new([1, 2, 3]), domain, &mut rand_core::OsRng).unwrap();
        let listener = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut air = Air::to(listener.local_addr().unwrap()).unwrap();
        let beacon = air.advertise(eid.seal(&key)).await.unwrap();
        let mut datagram = [0; 64];
        for _ in 0..3 {
            let length = listener.recv(&mut datagram).await.unwrap();
            assert_eq!((length, &datagram[..2]), (22, &[0xff, 0xf9][..]));
            let heard = ServiceData::new(&datagram[2..length]).unwrap();
            assert_eq!(heard.open(&key).unwrap().as_bytes(), eid.as_bytes());
        }
        drop(beacon);
        tokio::task::yield_now().await;
        // At most one that was on its way already.
        while tokio::time::timeout(Duration::from_millis(10), listener.recv(&mut datagram)).await.is_ok() {}
        let later = tokio::time::timeout(defaults::AIR_INTERVAL * 3, listener.recv(&mut datagram)).await;
        assert!(later.is_err());
    }
}
