use std::str::FromStr;

/// `HOST:PORT:ADDR:PORT`: instead of HOST:PORT dial ADDR:PORT, but still ask
/// for HOST and check its certificate. curl's form: an empty HOST or PORT in
/// front means any, an empty one behind means the same. IPv6 addresses stand
/// in brackets. For test relays.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConnectTo {
    host: Option<String>,
    port: Option<u16>,
    to_host: Option<String>,
    to_port: Option<u16>,
}

/// A text that is no `HOST:PORT:ADDR:PORT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not of the form HOST:PORT:ADDR:PORT")]
pub struct NotConnectTo;

impl ConnectTo {
    /// Where to dial for this host and port, by the first rule that fits.
    pub fn resolve(rules: &[Self], host: &str, port: u16) -> (String, u16) {
        let fits = |rule: &&Self| {
            rule.host.as_deref().is_none_or(|h| h.eq_ignore_ascii_case(host))
                && rule.port.is_none_or(|p| p == port)
        };
        match rules.iter().find(fits) {
            None => (host.to_owned(), port),
            Some(rule) => (rule.to_host.as_deref().unwrap_or(host).to_owned(), rule.to_port.unwrap_or(port)),
        }
    }
}

impl FromStr for ConnectTo {
    type Err = NotConnectTo;

    fn from_str(text: &str) -> Result<Self, NotConnectTo> {
        let (host, rest) = take_host(text).ok_or(NotConnectTo)?;
        let (port, rest) = rest.split_once(':').ok_or(NotConnectTo)?;
        let (to_host, to_port) = take_host(rest).ok_or(NotConnectTo)?;
        let port_of = |text: &str| match text {
            "" => Ok(None),
            digits => digits.parse().map(Some).map_err(|_| NotConnectTo),
        };
        Ok(Self { host, port: port_of(port)?, to_host, to_port: port_of(to_port)? })
    }
}

/// A host, in brackets if it has colons itself, and what follows its colon.
fn take_host(text: &str) -> Option<(Option<String>, &str)> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(text) => {
            let (host, rest) = text.split_once(']')?;
            (host, rest.strip_prefix(':')?)
        }
        None => text.split_once(':')?,
    };
    Some(((!host.is_empty()).then(|| host.to_owned()), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_fits_decides() {
        let rules: Vec<ConnectTo> = ["cable.ua5v.com:443:127.0.0.1:8443", "::[::1]:"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        assert_eq!(ConnectTo::resolve(&rules, "Cable.ua5v.com", 443), ("127.0.0.1".into(), 8443));
        assert_eq!(ConnectTo::resolve(&rules, "cable.ua5v.com", 444), ("::1".into(), 444));
        assert_eq!(ConnectTo::resolve(&[], "a", 1), ("a".into(), 1));
    }

    #[test]
    fn other_forms_are_refused() {
        for text in ["", "a", "a:1", "a:1:b", "a:x:b:1", "a:1:b:65536", "[::1:1:b:2"] {
            assert_eq!(text.parse::<ConnectTo>(), Err(NotConnectTo), "{text}");
        }
    }
}
