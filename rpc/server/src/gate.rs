//! Decides who may ask, by what the request's head says: the name that the node is addressed by,
//! the web page that a browser asks for, and the client that a trusted proxy speaks for.

use std::net::{IpAddr, SocketAddr};

use hyper::http::uri::Authority;
use hyper::http::{HeaderValue, Uri};
use hyper::{HeaderMap, header};
use ipnet::IpNet;

use crate::config::{ForwardedHeader, ServerConfig};

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// It names no host, several, or what is none (RFC 9112, section 3.2).
    HostMalformed,
    /// It names a host that this node is not.
    Host,
    /// A browser sends it for a page of another origin.
    Origin,
}

impl Denied {
    /// The text for the client.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::HostMalformed => {
                "The request must have one Host header with a name or an IP address, and a port \
                 where it is not the usual one.\n"
            }
            Self::Host => {
                "The Host header names a host that this node is not: address it by its IP \
                 address, or have its operator add the name to rpc.hosts.\n"
            }
            Self::Origin => {
                "A web page of this origin may not call this node: its operator may add the \
                 origin to rpc.origins.\n"
            }
        }
    }

    /// Returns true if the request is malformed, and not merely refused here.
    pub(crate) fn is_malformed(self) -> bool {
        self == Self::HostMalformed
    }

    /// The limit's name in the metrics.
    pub(crate) fn limit(self) -> &'static str {
        match self {
            Self::HostMalformed | Self::Host => "host",
            Self::Origin => "origin",
        }
    }
}

/// The names, origins and proxies that the configuration allows.
#[derive(Debug)]
pub(crate) struct Gate {
    hosts: Vec<String>,
    origins: Vec<String>,
    proxies: Vec<IpNet>,
    header: ForwardedHeader,
    /// The node serves pages of its own, and those may call it.
    has_pages: bool,
    /// The port speaks TLS, so that no page of its own came without it.
    speaks_tls: bool,
}

impl Gate {
    pub(crate) fn new(config: &ServerConfig) -> Self {
        Self {
            hosts: config.hosts.clone(),
            origins: config.origins.clone(),
            proxies: config.trusted_proxies.clone(),
            header: config.forwarded_header,
            has_pages: !config.files.is_empty(),
            speaks_tls: config.tls.is_some(),
        }
    }

    /// Returns true if a peer may speak for others.
    pub(crate) fn is_proxy(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.proxies.iter().any(|network| network.contains(&peer))
    }

    /// Checks a request's head; gives the origin of a page that may read the answer.
    pub(crate) fn check<'a>(
        &self,
        uri: &Uri,
        headers: &'a HeaderMap,
    ) -> Result<Option<&'a HeaderValue>, Denied> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok());
        let host = host.filter(|_| hosts.next().is_none()).ok_or(Denied::HostMalformed)?;
        for name in [Some(host), uri.authority().map(Authority::as_str)].into_iter().flatten() {
            let name = host_of(name).ok_or(Denied::HostMalformed)?;
            if !self.is_own_name(&name) {
                return Err(Denied::Host);
            }
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else { return Ok(None) };
        if self.is_own_page(origin, host) && headers.get_all(header::ORIGIN).iter().count() == 1 {
            return Ok(None);
        }
        let is_allowed = self.origins.iter().any(|allowed| {
            allowed == "*" || allowed.as_bytes().eq_ignore_ascii_case(origin.as_bytes())
        });
        if is_allowed && origins.next().is_none() { Ok(Some(origin)) } else { Err(Denied::Origin) }
    }

    /// Returns true if a page that this node served sends the request: its origin is the very host
    /// and port that the request names. The host has been checked to be this node's own, and a page
    /// of another port or name has another origin. A proxy may have added TLS, and none removes it.
    fn is_own_page(&self, origin: &HeaderValue, host: &str) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        let plain = origin.strip_prefix("http://").filter(|_| !self.speaks_tls);
        let name = origin.strip_prefix("https://").or(plain);
        self.has_pages && name.is_some_and(|name| name.eq_ignore_ascii_case(host))
    }

    /// An IP address cannot be made to mean another host, as a name can.
    fn is_own_name(&self, host: &Authority) -> bool {
        let name = host.host();
        let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
        let is_known = |known: &str| known.eq_ignore_ascii_case(name);
        bare.parse::<IpAddr>().is_ok()
            || is_known("localhost")
            || self.hosts.iter().any(|known| is_known(known))
    }

    /// The client's address: of a trusted proxy's header, the last that is no trusted proxy. What
    /// stands before it is the client's own word.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let name = match self.header {
            ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
            ForwardedHeader::Forwarded => "forwarded",
        };
        let values: Vec<&str> =
            headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        let hops = values.iter().rev().flat_map(|value| value.rsplit(','));
        for hop in hops {
            if !self.is_proxy(client) {
                break;
            }
            let address = match self.header {
                ForwardedHeader::XForwardedFor => address_of(hop.trim()),
                ForwardedHeader::Forwarded => forwarded_for(hop),
            };
            // A hop that is not an address counts for the proxy that wrote it.
            let Some(address) = address else { break };
            client = address.to_canonical();
        }
        client
    }
}

/// The host and port of a text that has nothing else. A user's name is for no server.
fn host_of(text: &str) -> Option<Authority> {
    let authority: Authority = text.parse().ok()?;
    let port = text.strip_prefix(authority.host())?;
    let digits = port.strip_prefix(':').unwrap_or(port);
    let is_port = digits.is_empty() || (port.starts_with(':') && digits.parse::<u16>().is_ok());
    is_port.then_some(authority)
}

fn forwarded_for(element: &str) -> Option<IpAddr> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        let value = value.trim().trim_matches('"');
        if name.trim().eq_ignore_ascii_case("for") { address_of(value) } else { None }
    })
}

/// An address as proxies write it: with or without a port, IPv6 with or without brackets.
fn address_of(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let whole = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse().ok().or_else(whole)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::PathBuf;

    use bytes::Bytes;

    use super::*;
    use crate::static_file::StaticFile;
    use crate::tls::TlsFiles;

    fn gate(hosts: &[&str], origins: &[&str], header: ForwardedHeader) -> Gate {
        Gate::new(&ServerConfig {
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            origins: origins.iter().map(|&origin| origin.to_owned()).collect(),
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            forwarded_header: header,
            ..ServerConfig::default()
        })
    }

    fn headers(rows: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in rows {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_node_is_addressed_by_its_addresses_and_its_names() {
        let gate = gate(&["node.example"], &[], ForwardedHeader::default());
        let rows = [
            ("127.0.0.1", true),
            ("127.0.0.1:26001", true),
            ("[::1]:26001", true),
            ("[::1]", true),
            ("localhost:1", true),
            ("LOCALHOST", true),
            ("Node.Example:443", true),
            ("evil.example", false),
            ("node.example.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("", false),
            ("user@127.0.0.1", false),
            ("evil.example:80@127.0.0.1", false),
            ("localhost:", true),
            ("localhost:port", false),
            ("localhost:99999", false),
            ("localhost, evil.example", false),
        ];
        for (host, is_allowed) in rows {
            let headers = headers(&[("host", host)]);
            let found = gate.check(&Uri::from_static("/"), &headers);
            assert_eq!(found.is_ok(), is_allowed, "{host}");
        }
        let twice = headers(&[("host", "localhost"), ("host", "evil.example")]);
        assert_eq!(gate.check(&Uri::from_static("/"), &twice), Err(Denied::HostMalformed));
        let none = HeaderMap::new();
        assert_eq!(gate.check(&Uri::from_static("/"), &none), Err(Denied::HostMalformed));
        let absolute = Uri::from_static("http://evil.example/");
        let own = headers(&[("host", "localhost")]);
        assert_eq!(gate.check(&absolute, &own), Err(Denied::Host));
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        let rows: [(&[&str], &str, bool); 5] = [
            (&[], "https://evil.example", false),
            (&[], "null", false),
            (&["https://good.example"], "https://good.example", true),
            (&["https://good.example"], "https://good.example.evil.example", false),
            (&["*"], "https://any.example", true),
        ];
        for (origins, origin, is_allowed) in rows {
            let gate = gate(&[], origins, ForwardedHeader::default());
            let mut headers = headers(&[("host", "localhost")]);
            headers.insert("origin", HeaderValue::from_str(origin).unwrap());
            let found = gate.check(&Uri::from_static("/"), &headers);
            assert_eq!(found.is_ok_and(|origin| origin.is_some()), is_allowed, "{origin}");
        }
    }

    #[test]
    fn pages_of_its_own_may_call_where_there_are_any() {
        let page = StaticFile {
            path: "/page",
            content_type: "text/html; charset=utf-8",
            tag: String::new(),
            content_policy: String::new(),
            bytes: Bytes::new(),
            gzip: None,
        };
        let tls =
            TlsFiles { certificate: PathBuf::new(), key: PathBuf::new(), client_authorities: None };
        let rows = [
            ("http://127.0.0.1:26001", true, false),
            ("https://127.0.0.1:26001", true, true),
            ("http://127.0.0.1:26002", false, false),
            ("http://127.0.0.1", false, false),
            ("http://localhost:26001", false, false),
            ("http://127.0.0.1:26001.evil.example", false, false),
            ("ftp://127.0.0.1:26001", false, false),
            ("null", false, false),
        ];
        let gate_of = |files: &[StaticFile], tls: Option<TlsFiles>| {
            Gate::new(&ServerConfig { files: files.to_vec(), tls, ..ServerConfig::default() })
        };
        let (plain, secure) =
            (gate_of(std::slice::from_ref(&page), None), gate_of(&[page], Some(tls)));
        let without = gate_of(&[], None);
        for (origin, is_allowed, is_allowed_by_tls) in rows {
            let headers = headers(&[("host", "127.0.0.1:26001"), ("origin", origin)]);
            let found = |gate: &Gate| gate.check(&Uri::from_static("/"), &headers);
            assert_eq!(found(&plain).is_ok(), is_allowed, "{origin}");
            assert_eq!(found(&secure).is_ok(), is_allowed_by_tls, "{origin}");
            assert_eq!(found(&without), Err(Denied::Origin), "{origin}");
        }
        let mut twice = headers(&[("host", "localhost"), ("origin", "http://localhost")]);
        assert_eq!(plain.check(&Uri::from_static("/"), &twice), Ok(None));
        twice.append("origin", HeaderValue::from_static("https://evil.example"));
        assert_eq!(plain.check(&Uri::from_static("/"), &twice), Err(Denied::Origin));
        let foreign = headers(&[("host", "evil.example"), ("origin", "http://evil.example")]);
        assert_eq!(plain.check(&Uri::from_static("/"), &foreign), Err(Denied::Host));
    }

    #[test]
    fn only_a_trusted_proxy_names_the_client() {
        let rows = [
            ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
            ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
            ("10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "1.1.1.1, 198.51.100.7, 10.9.9.9", "198.51.100.7"),
            ("10.0.0.1", "10.1.1.1, 10.2.2.2", "10.1.1.1"),
            ("10.0.0.1", "198.51.100.7, unknown", "10.0.0.1"),
            ("::ffff:10.0.0.1", "2001:db8::1", "2001:db8::1"),
            ("fd00::1", "[2001:db8::1]:99", "2001:db8::1"),
            ("10.0.0.1", "", "10.0.0.1"),
        ];
        let gate = gate(&[], &[], ForwardedHeader::XForwardedFor);
        for (peer, value, client) in rows {
            let mut headers = headers(&[("forwarded", "for=9.9.9.9")]);
            headers.insert(X_FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
            let expected: IpAddr = client.parse().unwrap();
            assert_eq!(gate.client(peer.parse().unwrap(), &headers), expected, "{value}");
        }
    }

    #[test]
    fn the_other_header_is_read_when_it_is_chosen() {
        let gate = gate(&[], &[], ForwardedHeader::Forwarded);
        let headers = headers(&[
            ("x-forwarded-for", "9.9.9.9"),
            ("forwarded", "for=1.1.1.1;proto=https"),
            ("forwarded", "by=x; For=\"[2001:db8::1]:4711\", for=10.0.0.9"),
        ]);
        let expected: IpAddr = "2001:db8::1".parse().unwrap();
        assert_eq!(gate.client("10.0.0.1".parse().unwrap(), &headers), expected);
    }
}
