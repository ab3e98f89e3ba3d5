//! The page that asks, and what its browser says of the frame around it.

use serde::Serialize;
use url::{Host, Url};

use super::Origin;
use super::bytes::Bytes;
use crate::error::Error;

/// The page that asks: its origin, and whose page it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    origin: Origin,
    /// Some page above it is of another origin (`sameOriginWithAncestors` is
    /// false).
    cross_origin: bool,
    /// The origin of the topmost page, if one above is of another origin.
    top_origin: Option<String>,
}

/// A page in no frame, or only in frames of its own origin.
impl From<&Origin> for Page {
    fn from(origin: &Origin) -> Self {
        Self { origin: origin.clone(), cross_origin: false, top_origin: None }
    }
}

impl Page {
    /// A page in a frame, of which at least one page above is of another
    /// origin. `top` is the origin of the topmost one, where the browser says
    /// it: it may be the frame's own, with somebody else in between.
    ///
    /// # Errors
    /// [`Error::Usage`] if `top` is no origin, or none under which a browser
    /// would let a frame use passkeys.
    pub fn in_frame(origin: Origin, top: Option<&str>) -> Result<Self, Error> {
        let top_origin = top.map(top_origin).transpose()?;
        Ok(Self { origin, cross_origin: true, top_origin })
    }

    /// Who asks.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// `CollectedClientData` in the byte form that the specification fixes:
    /// members in this order, nothing between them (WebAuthn Level 3,
    /// "Serialization").
    pub(super) fn client_data(&self, kind: &str, challenge: &Bytes) -> Result<Vec<u8>, Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct CollectedClientData<'a> {
            #[serde(rename = "type")]
            kind: &'a str,
            challenge: &'a Bytes,
            origin: &'a str,
            cross_origin: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            top_origin: Option<&'a str>,
        }
        let (origin, top_origin) = (self.origin.as_str(), self.top_origin.as_deref());
        let data =
            CollectedClientData { kind, challenge, origin, cross_origin: self.cross_origin, top_origin };
        serde_json::to_vec(&data).map_err(|cause| Error::Options(cause.to_string()))
    }
}

/// The topmost page needs no name of its own, as an [`Origin`] does, but it
/// must be trustworthy: below an insecure page nobody may use passkeys.
fn top_origin(text: &str) -> Result<String, Error> {
    let bad = || Error::Usage(format!("{text:?} is no origin of a secure page"));
    let url = Url::parse(text).map_err(|_| bad())?;
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(bad()),
    };
    let origin = url.origin().ascii_serialization();
    // The same again with nothing but a slash behind it.
    let bare = url.as_str().strip_suffix('/') == Some(origin.as_str());
    match url.scheme() {
        "https" if bare => Ok(origin),
        "http" if bare && local => Ok(origin),
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(page: &Page) -> String {
        String::from_utf8(page.client_data("webauthn.get", &Bytes(vec![1, 2, 3])).unwrap()).unwrap()
    }

    fn origin() -> Origin {
        Origin::parse("https://login.example.com").unwrap()
    }

    #[test]
    fn a_page_says_in_whose_frame_it_stands_in_the_order_of_level_3() {
        const HEAD: &str =
            r#"{"type":"webauthn.get","challenge":"AQID","origin":"https://login.example.com","#;
        assert_eq!(said(&Page::from(&origin())), format!(r#"{HEAD}"crossOrigin":false}}"#));
        let framed = |top| Page::in_frame(origin(), top).unwrap();
        assert_eq!(
            said(&framed(Some("https://shop.example:8443"))),
            format!(r#"{HEAD}"crossOrigin":true,"topOrigin":"https://shop.example:8443"}}"#)
        );
        // Somebody else stands between a page and another one of its own.
        assert_eq!(
            said(&framed(Some("https://login.example.com"))),
            format!(r#"{HEAD}"crossOrigin":true,"topOrigin":"https://login.example.com"}}"#)
        );
        assert_eq!(said(&framed(None)), format!(r#"{HEAD}"crossOrigin":true}}"#));
    }

    #[test]
    fn the_topmost_page_is_one_that_a_browser_would_trust() {
        let top = |text| Page::in_frame(origin(), Some(text)).map(|page| page.top_origin.unwrap());
        for (given, meant) in [
            ("https://shop.example", "https://shop.example"),
            ("https://SHOP.example:443/", "https://shop.example"),
            ("https://192.0.2.1", "https://192.0.2.1"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ] {
            assert_eq!(top(given).unwrap(), meant);
        }
        for bad in [
            "",
            "null",
            "shop.example",
            "http://shop.example",
            "http://192.0.2.1",
            "https://",
            "https://shop.example/cart",
            "https://shop.example?x",
            "https://shop.example#x",
            "https://user:secret@shop.example",
            "file:///etc/passwd",
            "data:text/html,x",
            "moz-extension://9f1d/page.html",
        ] {
            assert!(top(bad).is_err(), "{bad}");
        }
    }
}
