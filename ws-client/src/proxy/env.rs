//! Which proxy the environment names.

use super::{Proxy, ProxyError};
use crate::target::Target;
use ipnet::IpNet;
use std::net::IpAddr;

/// What the environment said when it was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables {
    /// For `ws`; an error is the name of the variable.
    ws: Option<Result<Proxy, &'static str>>,
    /// For `wss`.
    wss: Option<Result<Proxy, &'static str>>,
    except: Vec<Exception>,
}

/// Where no proxy is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Exception {
    host: Host,
    /// Any where it is `None`.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Any,
    Net(IpNet),
    /// It, and all below it.
    Domain(String),
}

impl Variables {
    pub(crate) fn from_env() -> Self {
        // What is no Unicode must not be taken for "no proxy": it becomes a name that cannot be parsed.
        Self::read(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &'static str| get(name).filter(|value| !value.trim().is_empty());
        let find = |names: &[&'static str]| {
            names.iter().find_map(|&name| get(name).map(|value| Proxy::new(&value).map_err(|_| name)))
        };
        // A CGI program finds what the client said in its header `Proxy` under this name. Names know no case on Windows.
        let of_cgi = get("REQUEST_METHOD").is_some();
        let http = match of_cgi {
            false => find(&["http_proxy", "HTTP_PROXY"]),
            true if cfg!(windows) => None,
            true => find(&["http_proxy"]),
        };
        let all = find(&["all_proxy", "ALL_PROXY"]);
        let except = get("no_proxy").or_else(|| get("NO_PROXY")).unwrap_or_default();
        Self {
            ws: http.or_else(|| all.clone()),
            wss: find(&["https_proxy", "HTTPS_PROXY"]).or(all),
            except: exceptions(&except),
        }
    }

    pub(crate) fn proxy(&self, target: &Target) -> Result<Option<&Proxy>, ProxyError> {
        if self.except.iter().any(|exception| exception.holds_for(&target.host, target.port)) {
            return Ok(None);
        }
        let proxy = if target.secure { &self.wss } else { &self.ws };
        proxy.as_ref().map(Result::as_ref).transpose().map_err(|name| ProxyError::Variable(name))
    }
}

fn exceptions(list: &str) -> Vec<Exception> {
    let entries = list.split(|c: char| c == ',' || c.is_whitespace());
    entries.filter(|entry| !entry.is_empty()).map(Exception::parse).collect()
}

impl Exception {
    fn parse(entry: &str) -> Self {
        if let Some(host) = Host::parse_net(entry) {
            return Self { host, port: None };
        }
        match entry.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?))) {
            Some((host, port)) => Self {
                host: Host::parse_net(host).unwrap_or_else(|| Host::parse_domain(host)),
                port: Some(port),
            },
            None => Self { host: Host::parse_domain(entry), port: None },
        }
    }

    fn holds_for(&self, host: &str, port: u16) -> bool {
        if self.port.is_some_and(|only| only != port) {
            return false;
        }
        match (&self.host, host.parse::<IpAddr>()) {
            (Host::Any, _) => true,
            (Host::Net(net), Ok(address)) => net.contains(&address),
            (Host::Domain(domain), Err(_)) => {
                let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
                host.strip_suffix(domain.as_str())
                    .is_some_and(|below| below.is_empty() || below.ends_with('.'))
            }
            (Host::Net(_), Err(_)) | (Host::Domain(_), Ok(_)) => false,
        }
    }
}

impl Host {
    fn parse_net(host: &str) -> Option<Self> {
        let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let address = || host.parse::<IpAddr>().ok().map(IpNet::from);
        host.parse::<IpNet>().ok().or_else(address).map(Self::Net)
    }

    fn parse_domain(host: &str) -> Self {
        if host == "*" {
            return Self::Any;
        }
        let host = host.strip_prefix('*').unwrap_or(host);
        let host = host.strip_prefix('.').unwrap_or(host);
        Self::Domain(host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(set: &[(&str, &str)]) -> Variables {
        Variables::read(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    fn chosen(set: &[(&str, &str)], url: &str) -> Option<String> {
        let variables = variables(set);
        let proxy = variables.proxy(&Target::new(url.parse().unwrap()).unwrap()).unwrap();
        proxy.map(|proxy| proxy.host().to_owned())
    }

    #[test]
    fn each_scheme_has_its_variable_and_all_proxy_is_for_the_rest() {
        let set = [("HTTP_PROXY", "http://a"), ("https_proxy", "http://b"), ("HTTPS_PROXY", "http://c")];
        assert_eq!(chosen(&set, "ws://example.com").as_deref(), Some("a"));
        assert_eq!(chosen(&set, "wss://example.com").as_deref(), Some("b"));
        let set = [("ALL_PROXY", "socks5://d"), ("http_proxy", "e:3128")];
        assert_eq!(chosen(&set, "ws://example.com").as_deref(), Some("e"));
        assert_eq!(chosen(&set, "wss://example.com").as_deref(), Some("d"));
        assert_eq!(
            chosen(&[("all_proxy", "d"), ("https_proxy", " ")], "wss://example.com").as_deref(),
            Some("d")
        );
        assert_eq!(chosen(&[], "wss://example.com"), None);
    }

    #[cfg(not(windows))]
    #[test]
    fn a_cgi_program_does_not_believe_the_header_proxy() {
        let set = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://evil"), ("HTTPS_PROXY", "http://b")];
        assert_eq!(chosen(&set, "ws://example.com"), None);
        assert_eq!(chosen(&set, "wss://example.com").as_deref(), Some("b"));
        let set = [("REQUEST_METHOD", "GET"), ("http_proxy", "http://a")];
        assert_eq!(chosen(&set, "ws://example.com").as_deref(), Some("a"));
    }

    #[test]
    fn a_variable_that_names_no_proxy_is_an_error_and_no_direct_way() {
        let variables = variables(&[("HTTPS_PROXY", "socks4://s3cret@x")]);
        let target = |url: &str| Target::new(url.parse().unwrap()).unwrap();
        let error = variables.proxy(&target("wss://example.com")).unwrap_err();
        assert!(matches!(error, ProxyError::Variable("HTTPS_PROXY")));
        assert!(!format!("{error} {error:?} {variables:?}").contains("s3cret"));
        assert!(variables.proxy(&target("ws://example.com")).unwrap().is_none());
    }

    #[test]
    fn no_proxy_names_hosts_domains_networks_and_ports() {
        for (rule, host, holds) in [
            ("example.com", "example.com", true),
            ("example.com", "EXAMPLE.com.", true),
            ("example.com", "www.example.com", true),
            ("example.com", "badexample.com", false),
            ("example.com", "example.com.evil.example", false),
            (".example.com", "example.com", true),
            ("*.example.com", "a.b.example.com", true),
            ("*", "example.com", true),
            ("*", "[::1]", true),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.10", false),
            ("0.0.1", "127.0.0.1", false),
            ("::1", "[::1]", true),
            ("[::1]", "[::1]", true),
            ("fd00::/8", "[fd12::1]", true),
            ("[::1]:81", "[::1]:81", true),
            ("[::1]:81", "[::1]", false),
            ("example.com:8080", "example.com:8080", true),
            ("example.com:8080", "example.com", false),
            ("a, b\texample.com", "example.com", true),
            (",,", "example.com", false),
            ("", "example.com", false),
        ] {
            let set = [("ALL_PROXY", "proxy"), ("NO_PROXY", rule)];
            assert_eq!(chosen(&set, &format!("ws://{host}/")).is_none(), holds, "{rule} {host}");
        }
    }
}
