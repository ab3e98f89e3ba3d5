//! Errors as pages know them: the names of WebAuthn's exceptions (Level 3,
//! "create() Exceptions" and "get() Exceptions").

use super::fault::Fault;
use super::message::Ceremony;
use crate::error::Error;

/// The name of the exception that stands for an error. A page must not learn
/// from it what it has no right to know, so it is `NotAllowedError` unless the
/// specification has a name that says more.
///
/// `TypeError` is no `DOMException`: whoever passes it on to a page makes a
/// `TypeError` of it.
pub(super) fn name_of(error: &Error, ceremony: Option<Ceremony>) -> &'static str {
    let at_registration = ceremony != Some(Ceremony::Get);
    match error {
        Error::Interrupted => "AbortError",
        Error::RpId { .. } | Error::Browser(Fault::Page { .. }) => "SecurityError",
        Error::Options(_) | Error::Browser(Fault::Message(_)) => "TypeError",
        Error::Unsupported(_) | Error::Algorithm => "NotSupportedError",
        // Only after the person has agreed on the phone.
        Error::AlreadyRegistered => "InvalidStateError",
        // Sign-in has no such exception, so as not to tell phones apart.
        Error::Unsuitable(_) if at_registration => "ConstraintError",
        _ => "NotAllowedError",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Mismatch;

    #[test]
    fn a_page_is_told_no_more_than_the_specification_lets_it() {
        let rp_id = || Error::RpId { rp_id: "com".into(), origin: "https://example.com".into() };
        let page = || Error::from(Fault::Page { origin: "http://example.com".into(), why: String::new() });
        let of = |error: &Error| [Ceremony::Create, Ceremony::Get].map(|one| name_of(error, Some(one)));
        let both = |name| [name, name];
        assert_eq!(of(&Error::Interrupted), both("AbortError"));
        assert_eq!(of(&rp_id()), both("SecurityError"));
        assert_eq!(of(&page()), both("SecurityError"));
        assert_eq!(of(&Error::Options(String::new())), both("TypeError"));
        assert_eq!(of(&Error::Unsupported("")), both("NotSupportedError"));
        assert_eq!(of(&Error::Algorithm), both("NotSupportedError"));
        assert_eq!(of(&Error::AlreadyRegistered), both("InvalidStateError"));
        assert_eq!(of(&Error::Unsuitable("")), ["ConstraintError", "NotAllowedError"]);
        for silent in [
            Error::Declined,
            Error::NoPasskey,
            Error::NobodyCame,
            Error::NotOurs(3),
            Error::PhoneSilent(""),
            Error::PhoneHungUp(""),
            Error::TunnelBroke(String::new()),
            Error::Answer(Mismatch::RpIdHash),
            Fault::Busy.into(),
            Fault::Unsendable.into(),
        ] {
            assert_eq!(of(&silent), both("NotAllowedError"), "{silent}");
        }
    }
}
