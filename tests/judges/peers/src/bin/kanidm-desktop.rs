//! kanidm's computer: shows a code, waits for a phone, does one ceremony.
//!
//! `kanidm-desktop create|get [--tunnel-uri wss://HOST:PORT] < ceremony`
//!
//! Says `{"code": "FIDO:/…"}`, its states, and `{"result": …}` in the end.

use cablecar_judges_peers::{Ceremony, Outcome, Words, log, say};
use http::Uri;
use http::uri::Builder;
use serde_json::json;
use url::Url;
use webauthn_authenticator_rs::WebauthnAuthenticator;
use webauthn_authenticator_rs::cable::{
    connect_cable_authenticator, connect_cable_authenticator_with_tunnel_uri,
};
use webauthn_authenticator_rs::types::{CableRequestType, CableState, EnrollSampleStatus};
use webauthn_authenticator_rs::ui::UiCallback;

#[derive(Debug)]
struct Screen;

impl UiCallback for Screen {
    fn request_pin(&self) -> Option<String> {
        None
    }

    fn request_touch(&self) {}

    fn processing(&self) {}

    fn fingerprint_enrollment_feedback(&self, _: u32, _: Option<EnrollSampleStatus>) {}

    fn cable_qr_code(&self, _: CableRequestType, url: String) {
        say("code", url);
    }

    fn dismiss_qr_code(&self) {
        say("state", "a phone was heard");
    }

    fn cable_status_update(&self, state: CableState) {
        say("state", format!("{state:?}"));
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    log();
    let words = Words::read()?;
    let ceremony = Ceremony::read()?;
    let kind = match words.what.as_str() {
        "create" => CableRequestType::MakeCredential,
        "get" => CableRequestType::GetAssertion,
        other => return Err(format!("create or get, not {other}").into()),
    };
    let mut phone = match words.option("tunnel-uri") {
        None => connect_cable_authenticator(kind, &Screen).await,
        Some(uri) => {
            let relay = relay(uri)?;
            connect_cable_authenticator_with_tunnel_uri(kind, &Screen, relay).await
        }
    }
    .map_err(|error| format!("{error:?}"))?;
    let origin = Url::parse(&ceremony.origin)?;
    let options = json!({ "publicKey": ceremony.public_key });
    // Its library blocks the thread that waits for the phone.
    let result = tokio::task::block_in_place(|| -> Outcome<serde_json::Value> {
        Ok(match kind {
            CableRequestType::GetAssertion => serde_json::to_value(
                phone
                    .do_authentication(origin, serde_json::from_value(options)?)
                    .map_err(|error| format!("{error:?}"))?,
            )?,
            _ => serde_json::to_value(
                phone
                    .do_registration(origin, serde_json::from_value(options)?)
                    .map_err(|error| format!("{error:?}"))?,
            )?,
        })
    })?;
    say("result", result);
    Ok(())
}

/// The relay to ask instead of the one that the advert names.
fn relay(uri: &str) -> Outcome<Builder> {
    let parts = uri.parse::<Uri>()?.into_parts();
    let scheme = parts.scheme.ok_or("the relay's URI has no scheme")?;
    let authority = parts.authority.ok_or("the relay's URI has no host")?;
    Ok(Builder::new().scheme(scheme).authority(authority))
}
