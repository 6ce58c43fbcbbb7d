//! Refuses addresses that are not on the public internet, for `--untrusted`.
//!
//! Pure. Literal addresses are checked before a request is made; names are checked in the
//! resolver, by the addresses that they resolve to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// A block of addresses: its first one, the length of its prefix, and its purpose.
type Block<A> = (A, u32, &'static str);

const fn v4(a: u8, b: u8, c: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, 0)
}

/// The IANA IPv4 Special-Purpose Address Registry (RFC 6890,
/// <https://www.iana.org/assignments/iana-ipv4-special-registry>), without the globally
/// reachable blocks, and with multicast (RFC 5771).
const V4_BLOCKS: &[Block<Ipv4Addr>] = &[
    (v4(0, 0, 0), 8, "this network (RFC 791)"),
    (v4(10, 0, 0), 8, "private (RFC 1918)"),
    (v4(100, 64, 0), 10, "shared by a provider's customers (RFC 6598)"),
    (v4(127, 0, 0), 8, "loopback (RFC 1122)"),
    (v4(169, 254, 0), 16, "link-local (RFC 3927)"),
    (v4(172, 16, 0), 12, "private (RFC 1918)"),
    (v4(192, 0, 0), 24, "for protocols (RFC 6890)"),
    (v4(192, 0, 2), 24, "for documentation (RFC 5737)"),
    (v4(192, 88, 99), 24, "a relay of 6to4 (RFC 7526)"),
    (v4(192, 168, 0), 16, "private (RFC 1918)"),
    (v4(198, 18, 0), 15, "for benchmarks (RFC 2544)"),
    (v4(198, 51, 100), 24, "for documentation (RFC 5737)"),
    (v4(203, 0, 113), 24, "for documentation (RFC 5737)"),
    (v4(224, 0, 0), 4, "multicast (RFC 5771)"),
    (v4(240, 0, 0), 4, "reserved or broadcast (RFC 1112, RFC 8190)"),
];

const fn v6(a: u16, b: u16, c: u16) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)
}

/// The IANA IPv6 Special-Purpose Address Registry (RFC 6890,
/// <https://www.iana.org/assignments/iana-ipv6-special-registry>) inside and outside the
/// global unicast block. All protocol assignments are refused, including Teredo (RFC
/// 4380).
const V6_BLOCKS: &[Block<Ipv6Addr>] = &[
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified (RFC 4291)"),
    (Ipv6Addr::LOCALHOST, 128, "loopback (RFC 4291)"),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, "an IPv4 address in disguise (RFC 4291)"),
    (Ipv6Addr::UNSPECIFIED, 96, "an IPv4 address in disguise (RFC 4291)"),
    (v6(0x64, 0xff9b, 1), 48, "a translated private address (RFC 8215)"),
    (v6(0x100, 0, 0), 64, "for discarding (RFC 6666)"),
    (v6(0x2001, 0, 0), 23, "for protocols such as Teredo (RFC 2928)"),
    (v6(0x2001, 0xdb8, 0), 32, "for documentation (RFC 3849)"),
    (v6(0x3fff, 0, 0), 20, "for documentation (RFC 9637)"),
    (v6(0xfc00, 0, 0), 7, "private (RFC 4193)"),
    (v6(0xfe80, 0, 0), 10, "link-local (RFC 4291)"),
    (v6(0xfec0, 0, 0), 10, "site-local (RFC 3879)"),
    (v6(0xff00, 0, 0), 8, "multicast (RFC 4291)"),
];
/// The block for global unicast (RFC 4291, 2.4; RFC 3587).
const V6_GLOBAL: (Ipv6Addr, u32) = (v6(0x2000, 0, 0), 3);
/// IPv4 addresses behind a translator (RFC 6052).
const NAT64: (Ipv6Addr, u32) = (v6(0x64, 0xff9b, 0), 96);
/// Networks behind an IPv4 address (RFC 3056).
const SIX_TO_FOUR: (Ipv6Addr, u32) = (v6(0x2002, 0, 0), 16);

/// Returns why `ip` must not be used, as words after "it is"; `None` if it may be used.
pub(super) fn refusal(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => refusal_v4(ip),
        IpAddr::V6(ip) => refusal_v6(ip),
    }
}

fn refusal_v4(ip: Ipv4Addr) -> Option<&'static str> {
    let is_in =
        |first: Ipv4Addr, prefix: u32| (ip.to_bits() ^ first.to_bits()) >> (32 - prefix) == 0;
    V4_BLOCKS.iter().find(|(first, prefix, _)| is_in(*first, *prefix)).map(|(.., why)| *why)
}

fn refusal_v6(ip: Ipv6Addr) -> Option<&'static str> {
    let is_in = |first: Ipv6Addr, prefix: u32| {
        let differing = ip.to_bits() ^ first.to_bits();
        differing >> (128 - prefix) == 0
    };
    let [.., a, b] = ip.segments();
    if is_in(NAT64.0, NAT64.1) {
        return refusal_v4(inner_v4(a, b));
    }
    let named = V6_BLOCKS.iter().find(|(first, prefix, _)| is_in(*first, *prefix));
    if let Some((.., why)) = named {
        return Some(why);
    }
    if !is_in(V6_GLOBAL.0, V6_GLOBAL.1) {
        return Some("not assigned for global use (RFC 4291)");
    }
    let [_, a, b, ..] = ip.segments();
    if is_in(SIX_TO_FOUR.0, SIX_TO_FOUR.1) { refusal_v4(inner_v4(a, b)) } else { None }
}

/// Returns the IPv4 address in two segments of an IPv6 address.
fn inner_v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

/// Returns why the host of `url` must not be used, if it is an address; the resolver
/// checks names. A `Url` holds every spelling of an address in the same form.
pub(super) fn refusal_of_literal(url: &Url) -> Option<&'static str> {
    match url.host()? {
        Host::Ipv4(ip) => refusal_v4(ip),
        Host::Ipv6(ip) => refusal_v6(ip),
        Host::Domain(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_addresses_are_refused_up_to_the_edges_of_their_blocks() {
        for text in [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.0.0",
            "169.254.169.254",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.255",
            "192.88.99.1",
            "192.168.0.0",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.0",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::ffff:127.0.0.1",
            "::8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.1.2.3",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:1ff:ffff::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:c0a8:101::1",
            "2002:a9fe:a9fe::",
            "3fff::1",
            "3fff:fff::1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "1::",
            "4000::1",
            "5f00::1",
            "100:0:0:1::1",
        ] {
            assert!(refusal(text.parse().unwrap()).is_some(), "{text}");
        }
    }

    #[test]
    fn addresses_beside_the_blocks_are_not() {
        for text in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "203.0.114.0",
            "223.255.255.255",
            "8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2001:200::1",
            "2001:db9::1",
            "2002:808:808::1",
            "2606:2800:220:1::1",
            "2a00::1",
            "3ffe:ffff::1",
        ] {
            assert_eq!(refusal(text.parse().unwrap()), None, "{text}");
        }
    }

    #[test]
    fn literals_are_seen_through_in_every_spelling() {
        for text in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://017700000001/",
            "http://0/",
            "http://①②⑦.0.0.1/",
            "http://127.0.0.1./",
            "http://%31%32%37.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:7f00:1]/",
            "http://[0:0:0:0:0:0:0:1]:80/",
            "https://user:word@10.0.0.1:8443/x",
        ] {
            assert!(refusal_of_literal(&Url::parse(text).unwrap()).is_some(), "{text}");
        }
        for text in ["http://a.org/", "http://localhost/", "http://8.8.8.8/"] {
            assert_eq!(refusal_of_literal(&Url::parse(text).unwrap()), None, "{text}");
        }
    }
}
