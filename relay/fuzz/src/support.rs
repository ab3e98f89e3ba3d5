//! A relay that lives as long as its thread, and runs while somebody waits.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use cablecar_protocol::ids::RoutingId;
use cablecar_relay::config::ProxyProtocol;
use cablecar_relay::{Config, Relay, Security, Silent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

pub(crate) const ROUTING: &str = "0A0B0C";

/// Of every tunnel: it is free again before the next is opened.
pub(crate) const ID: &str = "00000000000000000000000000000001";

/// A relay, and the runtime in which it and who speaks to it take turns.
pub(crate) struct Live {
    runtime: Runtime,
    pub(crate) addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Live {
    pub(crate) fn start(change: impl FnOnce(&mut Config)) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut config = Config::new(([127, 0, 0, 1], 0).into(), Security::Plain);
        config.routing_id = Some(RoutingId::from_hex(ROUTING).unwrap());
        config.limits.exempt = ["0.0.0.0/0", "::/0"].map(|all| all.parse().unwrap()).to_vec();
        config.limits.messages = u32::MAX;
        config.limits.bytes = u64::MAX;
        change(&mut config);
        let (relay, addr) = runtime.block_on(async {
            let relay = Relay::bind(config).unwrap();
            let addr = relay.local_addr();
            (relay, addr)
        });
        let task = runtime.spawn(relay.run(std::future::pending(), Silent));
        Self { runtime, addr, task }
    }

    /// One that trusts this machine's proxies, and lets some networks not in.
    pub(crate) fn behind(protocol: ProxyProtocol) -> Self {
        Self::start(|config| {
            config.proxy.trusted = vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
            config.proxy.protocol = protocol;
            config.access.blocked =
                super::introduced::BLOCKED.map(|network| network.parse().unwrap()).to_vec();
        })
    }

    /// Lets both take turns until this has come to its end.
    pub(crate) fn judge<T>(&self, judged: impl Future<Output = T>) -> T {
        let done = self.runtime.block_on(judged);
        assert!(!self.task.is_finished(), "the relay has ended");
        done
    }

    /// What the relay answers to these bytes and a question after them.
    pub(crate) async fn ask(&self, before: &[u8], headers: &str) -> Vec<u8> {
        let mut tcp = TcpStream::connect(self.addr).await.unwrap();
        let _ = tcp.write_all(&[before, question(headers).as_bytes()].concat()).await;
        let _ = tcp.shutdown().await;
        let mut answer = Vec::new();
        let _ = soon(tcp.read_to_end(&mut answer)).await;
        answer
    }
}

/// Whether the relay lives, with these headers.
pub(crate) fn question(headers: &str) -> String {
    format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{headers}\r\n")
}

/// Fails where somebody hangs.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(8), future).await.expect("this takes too long")
}
