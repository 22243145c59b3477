//! Where a request comes from: its address, whether it came over HTTPS, the name it was sent to, and whether a page of
//! another site sent it. What a proxy says counts only when `web.trusted_proxies` names it.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use axum::{
    extract::ConnectInfo,
    http::{HeaderMap, header, request::Parts},
};

use super::AuthConfig;

/// Entries of `X-Forwarded-For` that are looked at, from the end.
const HOPS_MAX: usize = 20;

/// A network, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no address such as `10.0.0.7`, and no network such as `10.0.0.0/8`");
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| wrong())?;
        if bits > most { Err(wrong()) } else { Ok(Self { address, bits }) }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_one = self.bits == if self.address.is_ipv4() { 32 } else { 128 };
        if is_one { write!(f, "{}", self.address) } else { write!(f, "{}/{}", self.address, self.bits) }
    }
}

impl Network {
    fn holds(&self, address: IpAddr) -> bool {
        let number = |address: IpAddr| match address {
            IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
            IpAddr::V6(address) => address.to_bits(),
        };
        let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
        self.address.is_ipv4() == address.is_ipv4() && (number(self.address) ^ number(address)) & mask == 0
    }
}

/// Where a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// `None`: not known, or this process.
    pub(crate) address: Option<IpAddr>,
    pub(crate) is_https: bool,
    /// The name and port that the client used.
    pub(crate) host: Option<String>,
}

impl Origin {
    pub(crate) fn of(config: &AuthConfig, request: &Parts) -> Self {
        let peer = request.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
        let is_trusted = |address: IpAddr| config.trusted_proxies.iter().any(|network| network.holds(address));
        let host = || {
            let host = text(&request.headers, "host").map(str::to_owned);
            host.or_else(|| request.uri.authority().map(ToString::to_string))
        };
        if !peer.is_some_and(is_trusted) {
            return Self { address: peer, is_https: false, host: host() };
        }
        // The nearest hop stands last; the first that is not ours is the client, as far as anyone can know.
        let hops = request.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = hops.flat_map(|value| value.split(',')).collect();
        let mut address = peer;
        for hop in hops.iter().rev().take(HOPS_MAX) {
            let Some(next) = address_of(hop.trim()) else { break };
            address = Some(next);
            if !is_trusted(next) {
                break;
            }
        }
        // What the nearest proxy says stands last here too.
        let last = |name| text(&request.headers, name).and_then(|value| value.rsplit(',').next()).map(str::trim);
        Self {
            address,
            is_https: last("x-forwarded-proto").is_some_and(|word| word.eq_ignore_ascii_case("https")),
            host: last("x-forwarded-host").map(str::to_owned).or_else(host),
        }
    }

    /// Says whether this is a name under which the server may be asked.
    ///
    /// A page of another site whose name was made to point here (DNS rebinding) is told from our own by this alone.
    pub(crate) fn is_welcome(&self, config: &AuthConfig) -> bool {
        let Some(host) = &self.host else { return true };
        let name = name_of(host);
        let is_literal = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
        let is_local = is_literal || name == "localhost" || name.ends_with(".localhost");
        // Who listens on the network without saying under which name has a name that is not known.
        let is_open = config.allowed_hosts.is_empty() && !config.is_loopback;
        is_open || is_local || is_named(config, host)
    }

    /// Says whether a page of ours, or no page at all, has sent the request.
    pub(crate) fn is_ours(&self, config: &AuthConfig, headers: &HeaderMap) -> bool {
        // Browsers send it where the connection is private, and pages cannot change it.
        if let Some(site) = text(headers, "sec-fetch-site") {
            return ["same-origin", "none"].contains(&site);
        }
        if headers.contains_key("sec-fetch-site") {
            return false;
        }
        match headers.get(header::ORIGIN).map(|value| value.to_str()) {
            // Not a browser.
            None => true,
            Some(Ok(origin)) => match origin.split_once("://") {
                Some((scheme @ ("http" | "https"), place)) => {
                    let is_same = self.host.as_deref().is_some_and(|host| same_place(host, place, scheme));
                    (is_same && (!self.is_https || scheme == "https")) || is_named(config, place)
                }
                _ => false,
            },
            Some(Err(_)) => false,
        }
    }
}

/// Says whether `web.allowed_hosts` has it, with this port or without one.
fn is_named(config: &AuthConfig, host: &str) -> bool {
    let (host, name) = (host.to_ascii_lowercase(), name_of(host));
    config.allowed_hosts.iter().any(|allowed| *allowed == host || *allowed == name)
}

/// Says whether two are the same, whether the usual port is written or not.
fn same_place(a: &str, b: &str, scheme: &str) -> bool {
    let port = if scheme == "https" { ":443" } else { ":80" };
    let plain = |place: &str| place.strip_suffix(port).unwrap_or(place).to_ascii_lowercase();
    plain(a) == plain(b)
}

/// Returns the name without the port, in small letters.
fn name_of(host: &str) -> String {
    // The colons of an IPv6 address stand in brackets.
    let end = match host.rfind(':') {
        Some(at) if host[at + 1..].bytes().all(|byte| byte.is_ascii_digit()) => at,
        Some(_) | None => host.len(),
    };
    host[..end].trim_end_matches('.').to_ascii_lowercase()
}

fn address_of(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse::<SocketAddr>().map(|address| address.ip()).ok();
    let plain = hop.trim_start_matches('[').trim_end_matches(']');
    plain.parse::<IpAddr>().ok().or_else(with_port).map(|address| address.to_canonical())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Returns where to go after a login, if it is on this site: a path, as a browser understands it.
pub(crate) fn next_path(next: &str) -> Option<&str> {
    const LONGEST: usize = 2_000;
    let rest = next.strip_prefix('/')?;
    // `//host`, and `/\host`, which browsers read the same, are other sites; they also skip tabs and line ends.
    let is_plain = |c: char| c.is_ascii_graphic() && c != '\\' && c != '"' && c != '<' && c != '>';
    (next.len() <= LONGEST && !rest.starts_with('/') && next.chars().all(is_plain)).then_some(next)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn config(proxies: &[&str], hosts: &[&str], is_loopback: bool) -> AuthConfig {
        AuthConfig {
            trusted_proxies: proxies.iter().map(|text| text.parse().unwrap()).collect(),
            allowed_hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            is_loopback,
            ..AuthConfig::default()
        }
    }

    fn request(peer: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut parts = request.body(()).unwrap().into_parts().0;
        parts.extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        parts
    }

    #[track_caller]
    fn check_address(proxies: &[&str], peer: &str, forwarded: &str, expected: &str) {
        let parts = request(peer, &[("x-forwarded-for", forwarded), ("x-forwarded-proto", "https")]);
        let origin = Origin::of(&config(proxies, &[], true), &parts);
        assert_eq!(origin.address, Some(expected.parse().unwrap()));
    }

    #[test]
    fn only_trusted_proxies_may_say_who_asks() {
        check_address(&[], "10.0.0.1", "1.1.1.1", "10.0.0.1");
        check_address(&["10.0.0.0/8"], "10.0.0.1", "1.1.1.1", "1.1.1.1");
        check_address(&["10.0.0.0/8"], "11.0.0.1", "1.1.1.1", "11.0.0.1");
        check_address(&["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 1.1.1.1, 10.2.3.4", "1.1.1.1");
        check_address(&["10.0.0.0/8"], "10.0.0.1", "nonsense", "10.0.0.1");
        check_address(&["10.0.0.0/8"], "10.0.0.1", "1.1.1.1, nonsense", "10.0.0.1");
        check_address(&["::1"], "::1", "[2001:db8::1]:77", "2001:db8::1");
        check_address(&["127.0.0.1"], "::ffff:127.0.0.1", "1.1.1.1:80", "1.1.1.1");
        let parts = request("10.0.0.1", &[("x-forwarded-proto", "https"), ("x-forwarded-host", "a"), ("host", "b")]);
        let trusting = Origin::of(&config(&["10.0.0.1"], &[], true), &parts);
        assert_eq!((trusting.is_https, trusting.host.as_deref()), (true, Some("a")));
        let careful = Origin::of(&config(&[], &[], true), &parts);
        assert_eq!((careful.is_https, careful.host.as_deref()), (false, Some("b")));
    }

    #[track_caller]
    fn check_host(config: &AuthConfig, host: &str, expected: bool) {
        let origin = Origin::of(config, &request("127.0.0.1", &[("host", host)]));
        assert_eq!(origin.is_welcome(config), expected, "{host}");
    }

    #[test]
    fn a_server_for_this_machine_answers_to_no_name_of_the_network() {
        let local = config(&[], &[], true);
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080", "flow.localhost", "192.168.1.7"] {
            check_host(&local, host, true);
        }
        for host in
            ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "", "[::1].evil"]
        {
            check_host(&local, host, false);
        }
        check_host(&config(&[], &[], false), "flow.example", true);
        let named = config(&[], &["flow.example", "other:81"], true);
        for (host, expected) in [
            ("flow.example", true),
            ("Flow.Example.:8080", true),
            ("other:81", true),
            ("other", false),
            ("localhost", true),
            ("x", false),
        ] {
            check_host(&named, host, expected);
        }
        check_host(&config(&[], &["flow.example"], false), "evil.example", false);
    }

    #[track_caller]
    fn check_ours(headers: &[(&str, &str)], expected: bool) {
        let config = config(&["10.0.0.1"], &["named.example"], true);
        let parts = request("10.0.0.1", headers);
        assert_eq!(Origin::of(&config, &parts).is_ours(&config, &parts.headers), expected, "{headers:?}");
    }

    #[test]
    fn requests_of_other_sites_are_told_from_ours() {
        check_ours(&[], true);
        for (site, expected) in
            [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false), ("", false)]
        {
            check_ours(&[("sec-fetch-site", site), ("origin", "http://evil"), ("host", "h")], expected);
        }
        for (origin, expected) in [
            ("http://h", true),
            ("http://H:80", true),
            ("https://h", true),
            ("http://h:81", false),
            ("http://h.evil", false),
            ("http://evil", false),
            ("null", false),
            ("h", false),
            ("ftp://h", false),
            ("https://named.example", true),
        ] {
            check_ours(&[("origin", origin), ("host", "h")], expected);
        }
        check_ours(&[("origin", "http://h"), ("host", "h"), ("x-forwarded-proto", "https")], false);
        check_ours(&[("origin", "http://h")], false);
    }

    #[test]
    fn one_goes_on_within_this_site_only() {
        for next in ["/", "/dags/a?b=c#d", "/%2f%2fevil", "/a//b", "/?next=https://evil"] {
            assert_eq!(next_path(next), Some(next));
        }
        let long = format!("/{}", "x".repeat(2_000));
        for next in [
            "",
            "x",
            "//evil",
            "///evil",
            "/\\evil",
            "\\\\evil",
            "https://evil",
            "javascript:1",
            "/\t/evil",
            "/a\r\nSet-Cookie: x",
            "/ä",
            "/\0",
            "/\"",
            &long,
        ] {
            assert_eq!(next_path(next), None, "{next}");
        }
    }

    #[test]
    fn networks_hold_what_begins_like_them() {
        let network = |text: &str| text.parse::<Network>();
        assert!(network("0.0.0.0/0").unwrap().holds("1.2.3.4".parse().unwrap()));
        assert!(!network("0.0.0.0/0").unwrap().holds("::1".parse().unwrap()));
        assert!(network("2001:db8::/32").unwrap().holds("2001:db8:1::".parse().unwrap()));
        assert!(!network("10.0.0.0/31").unwrap().holds("10.0.0.2".parse().unwrap()));
        assert_eq!(network("10.0.0.0/8").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(network("::1").unwrap().to_string(), "::1");
        for wrong in ["", "host", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "::1/129"] {
            assert!(network(wrong).is_err(), "{wrong}");
        }
    }
}
