//! Who started us. Browsers start a native host with arguments of their own,
//! and a manifest can name none: they are what tells that this is one.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::fault::Fault;

/// The name of the native host, and of its manifests.
pub const HOST_NAME: &str = "org.cablecar.browser_host";

/// The extension's id in Chromium and its kin: it follows from the `key` in
/// the extension's manifest.
pub const CHROMIUM_ID: &str = "fofkehcnphggfjnjalpbdcmkapdnkfld";

/// The extension's id in Firefox and its kin.
pub const FIREFOX_ID: &str = "cablecar@cablecar.invalid";

/// The command that a browser means.
const COMMAND: &str = "browser-host";

/// What stands before an id in Chromium's argument.
const CHROMIUM_SCHEME: &str = "chrome-extension://";

/// The arguments as somebody would have typed them: where a browser started
/// the program, with the command that it means.
///
/// Chromium gives `chrome-extension://ID/`, on Windows with the number of a
/// window behind it; Firefox the path of the manifest and the id of the
/// extension.
pub fn spelled_out(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let of_chromium = |first: &OsStr| first.as_encoded_bytes().starts_with(CHROMIUM_SCHEME.as_bytes());
    let of_firefox = |first: &OsStr| Path::new(first).file_name() == Some(OsStr::new(&manifest_name()));
    if arguments.get(1).is_some_and(|first| of_chromium(first) || of_firefox(first)) {
        arguments.insert(1, COMMAND.into());
    }
    arguments
}

/// The file name of a manifest.
pub fn manifest_name() -> String {
    format!("{HOST_NAME}.json")
}

/// The extension's origin as Chromium writes it, in its argument and in a
/// manifest.
pub fn chromium_origin() -> String {
    format!("{CHROMIUM_SCHEME}{CHROMIUM_ID}/")
}

/// Refuses all extensions but ours. A browser lets no other one start us, so
/// this is the second lock of that door. Whoever starts the program by hand
/// gives nothing, and could have asked for a passkey without a browser.
///
/// # Errors
/// [`Fault::Caller`].
pub fn check(arguments: &[OsString]) -> Result<(), Fault> {
    let is = |given: Option<&OsString>, ours: &str| given.is_some_and(|given| given == ours);
    let Some(first) = arguments.first() else { return Ok(()) };
    if is(Some(first), &chromium_origin()) || is(arguments.get(1), FIREFOX_ID) {
        return Ok(());
    }
    let caller = arguments.get(1).filter(|_| Path::new(first).is_absolute()).unwrap_or(first);
    Err(Fault::Caller(caller.to_string_lossy().into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(all: &[&str]) -> Vec<OsString> {
        all.iter().map(OsString::from).collect()
    }

    const MANIFEST: &str = "/home/a/.mozilla/native-messaging-hosts/org.cablecar.browser_host.json";

    #[test]
    fn what_a_browser_passes_means_the_host() {
        let spelled = |all: &[&str]| spelled_out(arguments(all));
        let ours = chromium_origin();
        assert_eq!(spelled(&["cablecar", &ours]), arguments(&["cablecar", "browser-host", &ours]));
        assert_eq!(
            spelled(&["cablecar", MANIFEST, FIREFOX_ID]),
            arguments(&["cablecar", "browser-host", MANIFEST, FIREFOX_ID])
        );
        // Somebody else's extension is sent to the door that refuses it.
        let other = "chrome-extension://abcdefghijklmnopabcdefghijklmnop/";
        assert_eq!(spelled(&["cablecar", other]), arguments(&["cablecar", "browser-host", other]));
        for typed in [&["cablecar"][..], &["cablecar", "get"], &["cablecar", "get", "--origin", &ours]] {
            assert_eq!(spelled(typed), arguments(typed));
        }
    }

    #[test]
    fn only_our_extension_is_served() {
        let served = |all: &[&str]| check(&arguments(all)).is_ok();
        assert!(served(&[]));
        assert!(served(&[&chromium_origin()]));
        assert!(served(&[&chromium_origin(), "--parent-window=0"]));
        assert!(served(&[MANIFEST, FIREFOX_ID]));
        assert!(!served(&["chrome-extension://abcdefghijklmnopabcdefghijklmnop/"]));
        assert!(!served(&[&format!("{}x", chromium_origin())]));
        assert!(!served(&["chrome-extension://"]));
        assert!(!served(&[MANIFEST, "somebody@example.com"]));
        assert!(!served(&[MANIFEST]));
        assert!(!served(&["anything"]));
        let refused = check(&arguments(&[MANIFEST, "somebody@example.com"]));
        assert_eq!(refused, Err(Fault::Caller("somebody@example.com".into())));
    }
}
