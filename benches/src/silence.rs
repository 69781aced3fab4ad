//! Why nothing comes any more: what the kernel holds for connections that wait.

use anyhow::{Context, Result};
use std::fmt;
use std::fs;

/// What the kernel holds for connections to a server on this machine.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Silence {
    connections: usize,
    /// Of these, bytes wait to be read by us: then it is our fault.
    unread: usize,
    /// Of these, the server has written bytes that were not taken: then it is the network's.
    unsent: usize,
    /// How often the kernel has tried to send those again, at most.
    retries: usize,
}

impl Silence {
    /// Of connections by their ports on this side.
    ///
    /// # Errors
    /// The kernel's table cannot be read.
    pub(crate) fn of(ports: &[u16]) -> Result<Self> {
        Self::in_table(&fs::read_to_string("/proc/net/tcp").context("the kernel's table")?, ports)
    }

    /// Each line: number, local address, remote address, state, queues, timer, retries.
    fn in_table(table: &str, ports: &[u16]) -> Result<Self> {
        let mut silence = Self { connections: ports.len(), ..Self::default() };
        for line in table.lines().skip(1) {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let &[_, local, remote, _, queues, _, retries, ..] = &*fields else { continue };
            let port = |address: &str| {
                let (_, port) = address.split_once(':').context("an address")?;
                anyhow::Ok(u16::from_str_radix(port, 16)?)
            };
            let (unsent, unread) = queues.split_once(':').context("queues")?;
            if ports.contains(&port(local)?) {
                silence.unread += usize::from(usize::from_str_radix(unread, 16)? > 0);
            } else if ports.contains(&port(remote)?) {
                silence.unsent += usize::from(usize::from_str_radix(unsent, 16)? > 0);
                silence.retries = silence.retries.max(usize::from_str_radix(retries, 16)?);
            }
        }
        Ok(silence)
    }
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections, unread, unsent, retries } = self;
        write!(
            f,
            "of {connections} the kernel has unread bytes for {unread}, and bytes of the server's that did not arrive for {unsent}, \
             which it has sent again {retries} times at most; for the others the server has written nothing"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_connection_are_looked_at() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
   1: 0100007F:C001 0100007F:1F90 01 00000000:0000000A 00:00000000 00000000     0        0 2
   2: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 3
   3: 0100007F:C002 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 4
   4: 0100007F:1F90 0100007F:C002 01 00000400:00000000 01:00000010 0000000C     0        0 5
   5: 0100007F:1F90 0100007F:C003 01 00000400:00000000 01:00000010 0000000F     0        0 6
";
        let silence = Silence::in_table(table, &[0xC001, 0xC002, 0xC004]).unwrap();
        assert_eq!(silence, Silence { connections: 3, unread: 1, unsent: 1, retries: 12 });
    }
}
