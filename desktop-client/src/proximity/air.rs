//! A stand-in for the radio on one machine: UDP on a loopback address.
//!
//! Datagram = UUID (2, big-endian) ‖ service data. It proves no proximity at
//! all, so it sits behind `--danger-air` and says so in every run.

use std::net::SocketAddr;

use cablecar_protocol::eid::{SERVICE_UUID, SERVICE_UUID_OLD, ServiceData};
use tokio::net::UdpSocket;

use super::Scanner;
use super::fault::Fault;
use crate::error::Error;

/// Listens on a loopback address for what phones on this machine say.
#[derive(Debug)]
pub struct Air {
    socket: UdpSocket,
}

impl Air {
    /// The address, if it is loopback.
    ///
    /// # Errors
    /// [`Error::Usage`] if not: whoever is not on this machine is certainly
    /// not near it.
    pub fn allowed(address: SocketAddr) -> Result<SocketAddr, Error> {
        if address.ip().is_loopback() {
            Ok(address)
        } else {
            Err(Error::Usage(format!(
                "--danger-air takes a loopback address such as 127.0.0.1:4577, not {address}"
            )))
        }
    }

    /// Binds the address.
    ///
    /// # Errors
    /// [`Error::Usage`] for an address that is not loopback: whoever is not
    /// on this machine is certainly not near it. [`Error::Air`] if it cannot
    /// be bound.
    pub async fn bind(address: SocketAddr) -> Result<Self, Error> {
        let address = Self::allowed(address)?;
        let socket = UdpSocket::bind(address).await;
        let socket = socket.map_err(|cause| Error::Air { address, cause: cause.to_string() })?;
        Ok(Self { socket })
    }

    /// The address, with the port that the system chose if it was 0.
    ///
    /// # Errors
    /// [`Error::Radio`] if the system does not say.
    pub fn address(&self) -> Result<SocketAddr, Error> {
        self.socket.local_addr().map_err(unavailable)
    }
}

impl Scanner for Air {
    async fn heard(&mut self) -> Result<ServiceData, Error> {
        // The longest advertisement that Bluetooth knows.
        let mut datagram = [0; 1650];
        loop {
            let length = self.socket.recv(&mut datagram).await;
            let length = length.map_err(unavailable)?;
            let heard = datagram.get(..length).and_then(read);
            if let Some(heard) = heard {
                return Ok(heard);
            }
        }
    }
}

fn unavailable(cause: std::io::Error) -> Error {
    Error::Radio(Fault::Unavailable(cause.to_string()))
}

/// Other UUIDs and data too short are other people's business.
fn read(datagram: &[u8]) -> Option<ServiceData> {
    let (uuid, data) = datagram.split_first_chunk()?;
    let uuid = u16::from_be_bytes(*uuid);
    [SERVICE_UUID, SERVICE_UUID_OLD].contains(&uuid).then(|| ServiceData::new(data)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_loopback_is_bound() {
        let refused = Air::bind("192.0.2.1:4577".parse().unwrap()).await.unwrap_err();
        assert_eq!(refused.advice().1, "usage.arguments");
        assert!(Air::bind("127.0.0.1:0".parse().unwrap()).await.is_ok());
    }

    #[tokio::test]
    async fn other_services_and_short_data_are_passed_over() {
        let mut air = Air::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let to = air.address().unwrap();
        let ours = [&[0xfd, 0xe2][..], &[7; 20]].concat();
        for datagram in
            [&[][..], &[0xff], &[0xff, 0xf9], &[[0xfc, 0xf1].as_slice(), &[7; 20]].concat(), &ours]
        {
            sender.send_to(datagram, to).await.unwrap();
        }
        assert_eq!(air.heard().await.unwrap(), ServiceData::new(&[7; 20]).unwrap());
    }
}
