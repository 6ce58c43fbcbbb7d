//! Counts of connections and handshakes, which add up over clients and processes.

use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// Connections that were opened, those to proxies included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {
    /// Connections that became ready for requests.
    pub opened: u64,
    /// TLS handshakes in which the server proved its identity. A connection over an
    /// https proxy has two: one with the proxy and one with the server.
    pub tls_handshakes: u64,
    /// TLS handshakes that resumed an earlier session instead.
    pub tls_resumptions: u64,
}

impl Add for Connections {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            opened: self.opened + other.opened,
            tls_handshakes: self.tls_handshakes + other.tls_handshakes,
            tls_resumptions: self.tls_resumptions + other.tls_resumptions,
        }
    }
}

impl Sub for Connections {
    type Output = Self;

    /// The counts since `before`.
    fn sub(self, before: Self) -> Self {
        Self {
            opened: self.opened - before.opened,
            tls_handshakes: self.tls_handshakes - before.tls_handshakes,
            // A full handshake may count as a resumption until the server has proved its identity,
            // so this count can fall.
            tls_resumptions: self.tls_resumptions.saturating_sub(before.tls_resumptions),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up() {
        let of_one = Connections { opened: 3, tls_handshakes: 2, tls_resumptions: 1 };
        let of_three = of_one + of_one + of_one;
        assert_eq!(of_three, Connections { opened: 9, tls_handshakes: 6, tls_resumptions: 3 });
        assert_eq!(of_three - of_one - of_one, of_one);
    }
}
