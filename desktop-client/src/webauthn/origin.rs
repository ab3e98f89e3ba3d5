//! Origins, and the RP IDs that they may use.

use url::{Host, Url};

use crate::error::Error;

/// An origin that may use WebAuthn: https, or http on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    text: String,
    domain: String,
}

impl Origin {
    /// Reads an origin: scheme, host and perhaps port, nothing behind.
    ///
    /// # Errors
    /// [`Error::Usage`] for anything else, for plain http elsewhere than on
    /// localhost, and for an address in place of a name.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bad = |why: &str| Error::Usage(format!("--origin {text}: {why}"));
        let url = Url::parse(text)
            .map_err(|_| bad("an origin begins with https://, such as https://example.com"))?;
        let rest_is_empty = url.path().trim_matches('/').is_empty()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !rest_is_empty {
            return Err(bad("an origin is a scheme, a host and perhaps a port, such as https://example.com"));
        }
        let Some(Host::Domain(domain)) = url.host() else {
            return Err(bad("passkeys belong to names, not to addresses"));
        };
        let local = domain == "localhost" || domain.ends_with(".localhost");
        match url.scheme() {
            "https" => {}
            "http" if local => {}
            _ => return Err(bad("passkeys need https, or http on localhost")),
        }
        Ok(Self { domain: domain.to_owned(), text: url.origin().ascii_serialization() })
    }

    /// The form in client data.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The RP ID that a request means: the one it names, if this origin may
    /// use it, or the origin's own host.
    ///
    /// It may use its own host and every parent of it that is no public
    /// suffix (HTML: "is a registrable domain suffix of or is equal to").
    ///
    /// # Errors
    /// [`Error::RpId`].
    pub fn rp_id(&self, named: Option<&str>) -> Result<String, Error> {
        let Some(named) = named else { return Ok(self.domain.clone()) };
        let parent = self.domain.strip_suffix(named).is_some_and(|child| child.ends_with('.'));
        if named == self.domain || (parent && psl::domain(named.as_bytes()).is_some()) {
            Ok(named.to_owned())
        } else {
            Err(Error::RpId { rp_id: named.to_owned(), origin: self.text.clone() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_use(origin: &str, rp_id: &str) -> bool {
        Origin::parse(origin).unwrap().rp_id(Some(rp_id)).is_ok()
    }

    #[test]
    fn a_site_may_use_its_host_and_its_registrable_parents() {
        assert!(may_use("https://example.com", "example.com"));
        assert!(may_use("https://login.example.com:8443", "example.com"));
        assert!(may_use("https://a.b.example.co.uk", "b.example.co.uk"));
        assert!(may_use("https://a.b.example.co.uk", "example.co.uk"));
        assert!(may_use("http://localhost:8080", "localhost"));
        // A public suffix may still be its own host.
        assert!(may_use("https://github.io", "github.io"));
    }

    #[test]
    fn a_site_may_use_nothing_else() {
        assert!(!may_use("https://example.com", "login.example.com"));
        assert!(!may_use("https://example.com", "com"));
        assert!(!may_use("https://example.co.uk", "co.uk"));
        assert!(!may_use("https://me.github.io", "github.io"));
        assert!(!may_use("https://notexample.com", "example.com"));
        assert!(!may_use("https://example.com", "Example.com"));
        assert!(!may_use("https://example.com", ".example.com"));
        assert!(!may_use("https://example.com", ""));
        assert!(!may_use("https://example.com.", "example.com"));
    }

    #[test]
    fn only_secure_names_are_origins() {
        for bad in [
            "http://example.com",
            "ftp://example.com",
            "https://192.0.2.1",
            "https://[::1]",
            "https://example.com/login",
            "https://example.com?x",
            "https://user@example.com",
            "example.com",
            "",
        ] {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Origin::parse("https://EXAMPLE.com:443/").unwrap().as_str(), "https://example.com");
        assert_eq!(
            Origin::parse("https://bücher.example").unwrap().as_str(),
            "https://xn--bcher-kva.example"
        );
    }
}
