//! Whose socket is at the other end. The loopback address is shared by all
//! users of a machine, and the arguments of the program that opens the browser
//! can be read by all of them.

use std::net::SocketAddr;

/// Whether another user of this machine is known to be at the other end. Asked
/// of the kernel on Linux; elsewhere nobody is known.
#[cfg(target_os = "linux")]
pub(super) fn is_another_user(peer: SocketAddr, here: SocketAddr) -> bool {
    let Ok(table) = std::fs::read_to_string("/proc/net/tcp") else { return false };
    let Some(own) = own() else { return false };
    owner(&table, peer, here).is_some_and(|uid| uid != own)
}

/// This process's user. Not that of `/proc/self`, which is root's if whoever
/// loaded this code lets nobody trace it.
#[cfg(target_os = "linux")]
fn own() -> Option<u32> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    // Real and effective.
    ids.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_another_user(_: SocketAddr, _: SocketAddr) -> bool {
    false
}

/// The user who owns the socket from `local` to `remote`, as the kernel's table
/// has it: `sl local remote st queues timer retransmits uid …`.
#[cfg(target_os = "linux")]
fn owner(table: &str, local: SocketAddr, remote: SocketAddr) -> Option<u32> {
    let (local, remote) = (in_table(local)?, in_table(remote)?);
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let is_it = fields.next()? == local && fields.next()? == remote;
        if is_it { fields.nth(4)?.parse().ok() } else { None }
    })
}

/// An address as the kernel writes it: bytes in memory order, as one number.
#[cfg(target_os = "linux")]
fn in_table(address: SocketAddr) -> Option<String> {
    let SocketAddr::V4(address) = address else { return None };
    Some(format!("{:08X}:{:04X}", u32::from_ne_bytes(address.ip().octets()), address.port()))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn the_kernel_says_whose_socket_it_is() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap();
        let client = TcpStream::connect(here).unwrap();
        let peer = client.local_addr().unwrap();
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        assert_eq!(own(), Some(std::fs::metadata("/proc/self").unwrap().uid()));
        assert_eq!(owner(&table, peer, here), own());
        assert!(!is_another_user(peer, here));
    }

    #[test]
    fn a_line_of_the_table_is_read_in_its_columns() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                     0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 1\n\
                     1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 2\n";
        let (peer, here) = ("127.0.0.1:50000".parse().unwrap(), "127.0.0.1:8080".parse().unwrap());
        assert_eq!(owner(table, peer, here), Some(1001));
        assert_eq!(owner(table, "127.0.0.1:50001".parse().unwrap(), here), None);
    }
}
