//! `demo -- --web`: a website and a relay, and what to type where.

use std::net::SocketAddr;
use std::process::ExitCode;

use cablecar_protocol::tunnel::TunnelServiceDomain;
use cablecar_relay::{Config, Relay, Security, Silent};
use cablecar_tests::website::Website;

use crate::authority::Authority;

/// Where adverts go in place of Bluetooth, for those who have none.
const AIR: &str = "127.0.0.1:4577";

/// Serves until Ctrl-C.
pub(crate) async fn serve(port: u16) -> ExitCode {
    let (website, listeners) = match Website::open(port).await {
        Ok(open) => open,
        Err(cause) => {
            println!("port {port} of localhost cannot be had: {cause}; --port takes another one");
            return ExitCode::FAILURE;
        }
    };
    let domain = TunnelServiceDomain::new(266).unwrap();
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, authority.pem()).unwrap();
    let tls = Security::Tls(authority.server(&domain.host()));
    let mut config = Config::new(SocketAddr::from(([127, 0, 0, 1], 0)), tls);
    config.domain = Some(domain);
    let relay = Relay::bind(config).unwrap();
    let route = format!("{}:443:{}", domain.host(), relay.local_addr());

    let (origin, ca_file) = (website.origin(), ca_file.display());
    println!("A website            {origin}");
    println!("A relay with TLS     {route}");
    println!("Both end with Ctrl-C, and forget everything.\n");
    println!("1. The phone, once, if it has no vault yet. In a second terminal:\n");
    println!("   cablecar-phone init\n");
    println!("2. The browser, which has to know the relay. From a third terminal, with no other");
    println!("   window of that browser open, and with the extension installed and switched on:\n");
    println!("   export CABLECAR_CONNECT_TO={route}");
    println!("   export CABLECAR_CA_FILE={ca_file}");
    println!("   export CABLECAR_DANGER_AIR={AIR}");
    println!("   firefox {origin}\n");
    println!("3. Click there. When a code is on the screen, copy its text, and in the second terminal:\n");
    println!(
        "   cablecar-phone scan - --domain-id {} --connect-to {route} --ca-file {ca_file} --danger-air {AIR}\n",
        domain.id()
    );
    println!("With Bluetooth at both, leave CABLECAR_DANGER_AIR and --danger-air out: they are for");
    println!("one machine without a radio, and prove no proximity.");

    let stop = async { drop(tokio::signal::ctrl_c().await) };
    for listener in listeners {
        tokio::spawn(std::sync::Arc::clone(&website).serve(listener));
    }
    relay.run(stop, Silent).await;
    ExitCode::SUCCESS
}
