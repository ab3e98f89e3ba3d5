//! What can be said of a phone before it comes, and between two requests.

use cablecar_protocol::cbor::Writer;
use cablecar_protocol::ctap::GetInfo;

use crate::defaults;

/// Extensions that need more of a phone than makeCredential and getAssertion:
/// an agreement on keys, the large-blob array, a PIN.
const NOT_THROUGH_A_TUNNEL: [&str; 5] =
    ["hmac-secret", "hmac-secret-mc", "largeBlobKey", "minPinLength", "pinComplexityPolicy"];

/// Options that are about makeCredential and getAssertion alone. `plat` is not
/// among them: to this computer a phone is never a part of it.
const THROUGH_A_TUNNEL: [&str; 5] = ["alwaysUv", "makeCredUvNotRqd", "rk", "up", "uv"];

/// The map of getInfo.
///
/// | key | before a phone has come | once one has |
/// |---|---|---|
/// | 1 versions | FIDO_2_0, FIDO_2_1 | its own, as far as they are CTAP2's |
/// | 2 extensions | none: nobody knows | its own that pass a tunnel |
/// | 3 AAGUID | zeros, which say that the model is not known | its own |
/// | 4 options | `rk`, `up`, `uv`: what makes a phone hold passkeys | its own that pass a tunnel |
/// | 5 maxMsgSize | [`defaults::MAX_REQUEST`] | the same |
/// | 6 PIN/UV protocols | 2, 1 | the same |
/// | 7, 8 longest list and id | [`defaults::MAX_CREDENTIALS`], [`defaults::MAX_CREDENTIAL_ID`] | the same |
/// | 9 transports | hybrid, internal | its own |
///
/// Keys 7 and 8 are those of this computer's door, and there so that clients
/// do not ask silently which credentials of a list are here: without them
/// Firefox and Chromium ask for one after the other, and nobody could answer.
/// Key 6 promises nothing where neither `clientPin` nor `pinUvAuthToken` is an
/// option: nobody has a use for a protocol then. But python-fido2's client
/// verifies nobody, by whatever means, at a key that lists none.
/// Algorithms (key 10) are left out, before and after: a client that hears of
/// ES256 alone would not even ask a phone that has more.
pub(super) fn get_info(phone: Option<&GetInfo>) -> Vec<u8> {
    let versions = names(phone.map(|info| &info.versions), &["FIDO_2_0", "FIDO_2_1"], is_ctap2);
    let extensions = names(phone.map(|info| &info.extensions), &[], passes_a_tunnel);
    let transports = names(phone.map(|info| &info.transports), &["hybrid", "internal"], |_| true);
    Writer::map_of(|map| {
        map.entry(1, |w| write_texts(&versions, w));
        if !extensions.is_empty() {
            map.entry(2, |w| write_texts(&extensions, w));
        }
        map.entry(3, |w| w.bytes(&phone.map_or([0; 16], |info| info.aaguid)));
        map.entry(4, |w| {
            w.map(|map| {
                for (name, value) in options(phone) {
                    map.text_entry(name, |w| w.bool(value));
                }
            });
        });
        map.entry(5, |w| w.unsigned(u64::try_from(defaults::MAX_REQUEST).unwrap_or_default()));
        map.entry(6, |w| {
            w.array(|list| [2, 1].into_iter().for_each(|version| list.push(|w| w.unsigned(version))));
        });
        map.entry(7, |w| w.unsigned(defaults::MAX_CREDENTIALS));
        map.entry(8, |w| w.unsigned(defaults::MAX_CREDENTIAL_ID));
        map.entry(9, |w| write_texts(&transports, w));
    })
}

/// Those that a phone said and that pass, or these if there are none.
fn names<'a>(said: Option<&'a Vec<String>>, otherwise: &[&'a str], pass: fn(&str) -> bool) -> Vec<&'a str> {
    let passing: Vec<_> = said.into_iter().flatten().map(String::as_str).filter(|name| pass(name)).collect();
    if passing.is_empty() { otherwise.to_vec() } else { passing }
}

fn passes_a_tunnel(extension: &str) -> bool {
    !NOT_THROUGH_A_TUNNEL.contains(&extension)
}

/// U2F's messages do not pass a tunnel, nor do the commands that a preview
/// stands for.
fn is_ctap2(version: &str) -> bool {
    version.starts_with("FIDO_2_") && !version.ends_with("_PRE")
}

fn options(phone: Option<&GetInfo>) -> Vec<(&str, bool)> {
    match phone {
        None => vec![("rk", true), ("up", true), ("uv", true)],
        Some(info) => {
            let options = info.options.iter().map(|(name, value)| (name.as_str(), *value));
            options.filter(|(name, _)| THROUGH_A_TUNNEL.contains(name)).collect()
        }
    }
}

fn write_texts(texts: &[&str], writer: &mut Writer) {
    writer.array(|list| texts.iter().for_each(|text| list.push(|w| w.text(text))));
}
