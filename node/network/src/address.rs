//! Addresses as people write them, and as libp2p wants them.

use std::net::{IpAddr, SocketAddr};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use crate::fault::NetworkFault;

/// The address at which a peer is dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// An address that can be dialled as it is.
    Direct(Multiaddr),
    /// `host:port` whose host is a name, looked up at each dial.
    Name(String),
}

impl Address {
    /// Reads `value`, the content of the setting `field`.
    pub(crate) fn parse(field: &str, value: &str) -> Result<Self, NetworkFault> {
        let fault = |problem: String| NetworkFault::Address {
            field: field.to_owned(),
            value: value.to_owned(),
            problem,
        };
        if value.starts_with('/') {
            return value.parse().map(Self::Direct).map_err(|error| fault(format!("{error}")));
        }
        if let Ok(socket) = value.parse::<SocketAddr>() {
            return Ok(Self::Direct(multiaddr(socket)));
        }
        let Some((host, port)) = value.rsplit_once(':') else {
            return Err(fault("the port is missing".to_owned()));
        };
        if host.is_empty() || host.contains([':', '/', ' ']) {
            return Err(fault("the host is neither an IP address nor a name".to_owned()));
        }
        match port.parse::<u16>() {
            Ok(1..) => Ok(Self::Name(value.to_owned())),
            _ => Err(fault("the port is not a number from 1 to 65535".to_owned())),
        }
    }
}

/// The multiaddr of a TCP socket.
pub(crate) fn multiaddr(socket: SocketAddr) -> Multiaddr {
    Multiaddr::from(socket.ip()).with(Protocol::Tcp(socket.port()))
}

/// The IP address that a multiaddr begins with.
pub(crate) fn ip(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    }
}

/// The TCP socket of a multiaddr `/ip4|ip6/../tcp/..`.
pub(crate) fn socket(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let direct = |text: &str| Address::Direct(text.parse().unwrap());
        let table = [
            ("127.0.0.1:80", Some(direct("/ip4/127.0.0.1/tcp/80"))),
            ("[::1]:26600", Some(direct("/ip6/::1/tcp/26600"))),
            ("/ip4/10.0.0.1/tcp/1", Some(direct("/ip4/10.0.0.1/tcp/1"))),
            ("node-1.bank.example:26600", Some(Address::Name("node-1.bank.example:26600".into()))),
            ("localhost", None),
            ("localhost:0", None),
            ("localhost:70000", None),
            (":26600", None),
            ("::1:26600:x", None),
            ("/ip4/300.0.0.1/tcp/1", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(Address::parse("peers", text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn sockets_and_multiaddrs_convert_both_ways() {
        for text in ["127.0.0.1:80", "[::1]:26600"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(socket(&multiaddr(address)), Some(address));
        }
        assert_eq!(socket(&"/dns4/host/tcp/80".parse().unwrap()), None);
    }
}
