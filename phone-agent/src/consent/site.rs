//! A website's name as a person has to see it: what is plain as it is, what
//! is not in punycode, and set apart in it the part that somebody registered.
//! `example.com.evil.org` belongs to whoever has `evil.org`, whatever stands
//! before it.

use std::fmt;

/// An RP ID in parts. Shown, it is `accounts.[example.com]`: the brackets hold
/// the registrable domain, and nothing is in brackets where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// What stands before the registrable domain, with its dot, or everything
    /// where there is none; safe to show.
    pub before: String,
    /// The domain under the last public suffix, by the list of
    /// publicsuffix.org: the part that somebody owns. None of `localhost`, of
    /// addresses, of suffixes themselves and of what is no name at all.
    pub registrable: Option<String>,
    /// How it was written, where that is not how it is shown; safe to show.
    pub written: Option<String>,
}

impl Site {
    /// Takes an RP ID apart.
    pub fn of(rp_id: &str) -> Self {
        let (shown, written) = ascii(rp_id);
        let owned = shown.to_ascii_lowercase();
        let registrable = registrable(&owned).filter(|_| is_plain(&shown));
        // Only ASCII changes its case in ASCII, so lengths stay.
        let split = shown.len() - registrable.map_or(0, str::len);
        let (before, domain) = shown.split_at_checked(split).unwrap_or((&shown, ""));
        let registrable = registrable.map(|_| domain.to_owned());
        Self { before: before.to_owned(), registrable, written }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.before)?;
        if let Some(registrable) = &self.registrable {
            write!(f, "[{registrable}]")?;
        }
        match &self.written {
            Some(written) => write!(f, " (written {written})"),
            None => Ok(()),
        }
    }
}

/// The part that somebody registered, of a name in lower case.
fn registrable(name: &str) -> Option<&str> {
    // The list takes numbers for names.
    if !matches!(url::Host::parse(name), Ok(url::Host::Domain(_))) {
        return None;
    }
    let domain = psl::domain(name.as_bytes())?;
    std::str::from_utf8(domain.as_bytes()).ok()
}

/// An RP ID as a person should see it: plain ASCII as it is, anything else in
/// punycode with what it pretends to be behind it, all of it readable.
pub fn readable_rp_id(rp_id: &str) -> String {
    match ascii(rp_id) {
        (shown, None) => shown,
        (shown, Some(written)) => format!("{shown} (written {written})"),
    }
}

/// How it is shown, and how it was written if that is something else.
fn ascii(rp_id: &str) -> (String, Option<String>) {
    if is_plain(rp_id) {
        return (rp_id.to_owned(), None);
    }
    match url::Host::parse(rp_id) {
        Ok(url::Host::Domain(ascii)) if ascii != rp_id => (ascii, Some(readable(rp_id))),
        _ => (format!("{:?}", readable(rp_id)), None),
    }
}

fn is_plain(rp_id: &str) -> bool {
    !rp_id.is_empty() && rp_id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
}

/// Whether an RP ID needs a second look: it is not plain ASCII, or it is
/// punycode, which browsers show as what it pretends to be.
pub(crate) fn is_deceptive(rp_id: &str) -> bool {
    let punycode = |label: &str| label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    !rp_id.is_ascii() || rp_id.split('.').any(punycode)
}

/// Text of a stranger's, safe to put on a terminal: characters that move the
/// cursor, colour the screen or turn the direction of writing become `?`, and
/// what is too long is cut.
pub fn readable(text: &str) -> String {
    const LONGEST: usize = 80;
    let safe = |c: char| {
        let invisible = matches!(
            c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        );
        if c.is_control() || invisible { '?' } else { c }
    };
    let mut out: String = text.chars().take(LONGEST).map(safe).collect();
    if text.chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_registered_stands_in_brackets() {
        for (rp_id, shown) in [
            ("example.com", "[example.com]"),
            ("accounts.example.com", "accounts.[example.com]"),
            ("example.com.evil.org", "example.com.[evil.org]"),
            ("www.bbc.co.uk", "www.[bbc.co.uk]"),
            ("alice.github.io", "[alice.github.io]"),
            ("WWW.Example.COM", "WWW.[Example.COM]"),
            ("example.com.", "[example.com.]"),
            ("xn--pple-43d.com", "[xn--pple-43d.com]"),
            ("login.аpple.com", "login.[xn--pple-43d.com] (written login.аpple.com)"),
        ] {
            assert_eq!(Site::of(rp_id).to_string(), shown);
        }
    }

    #[test]
    fn what_nobody_registered_stands_in_none() {
        for rp_id in ["localhost", "co.uk", "github.io", "com", "127.0.0.1", "10.1", ".."] {
            let site = Site::of(rp_id);
            assert_eq!((site.to_string().as_str(), site.registrable), (rp_id, None));
        }
        assert_eq!(Site::of("evil[example.com]").to_string(), "\"evil[example.com]\"");
        assert_eq!(Site::of("").to_string(), "\"\"");
    }

    #[test]
    fn a_name_in_another_alphabet_is_shown_in_punycode() {
        assert_eq!(readable_rp_id("example.com"), "example.com");
        assert_eq!(readable_rp_id("аpple.com"), "xn--pple-43d.com (written аpple.com)");
        assert_eq!(readable_rp_id("a b\u{1b}.com"), "\"a b?.com\"");
        assert!(is_deceptive("аpple.com") && is_deceptive("www.xn--pple-43d.com") && is_deceptive("XN--a.b"));
        assert!(!is_deceptive("apple.com"));
    }
}
