//! libwebauthn's computer: shows a code, waits for a phone, does one ceremony.
//!
//! `libwebauthn-desktop create|get [--offer local] < ceremony`
//!
//! With `--offer local` its code offers Bluetooth's own channel (CTAP 2.3) beside
//! the tunnel, as its users mostly have it; the phone chooses.
//!
//! Says `{"code": "FIDO:/…"}`, its states, and `{"result": …}` in the end. It has
//! no way to be sent to another relay than the one that the advert names: it
//! dials `wss://` that name, port 443, with TLS 1.3.

use cablecar_judges_peers::{Ceremony, Outcome, Words, log, say};
use libwebauthn::ops::webauthn::psl::PublicSuffixList;
use libwebauthn::ops::webauthn::{
    GetAssertionRequest, MakeCredentialRequest, OriginValidation, RelatedOrigins, RequestOrigin,
    RequestSettings, WebAuthnIDLResponse as _,
};
use libwebauthn::transport::hybrid::channel::{HybridChannel, HybridUxUpdate};
use libwebauthn::transport::hybrid::qr_code_device::{PxpQrCodeDevice, PxpTransports, QrCodeOperationHint};
use libwebauthn::transport::{Channel as _, ChannelSettings, Device as _};
use libwebauthn::webauthn::WebAuthn as _;
use serde_json::Value;

/// Every top level domain is a suffix, and nothing else: enough for one page.
struct TopLevels;

impl PublicSuffixList for TopLevels {
    fn public_suffix(&self, host: &str) -> Option<String> {
        host.rsplit('.').next().map(str::to_owned)
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    log();
    let words = Words::read()?;
    let ceremony = Ceremony::read()?;
    let hint = match words.what.as_str() {
        "create" => QrCodeOperationHint::MakeCredential,
        "get" => QrCodeOperationHint::GetAssertionRequest,
        other => return Err(format!("create or get, not {other}").into()),
    };
    let offer = match words.option("offer") {
        None => PxpTransports::CloudAssistedOnly,
        Some("local") => PxpTransports::CloudAssistedOrLocal,
        Some(other) => return Err(format!("--offer local, not {other}").into()),
    };
    let mut device = PxpQrCodeDevice::new_transient(hint, offer)?;
    say("code", device.qr_code.to_string());
    let mut channel = device.channel(ChannelSettings::default()).await?;
    let mut updates = channel.get_ux_update_receiver();
    tokio::spawn(async move {
        while let Ok(update) = updates.recv().await {
            match update {
                HybridUxUpdate::PxpUpdate(update) => say("state", format!("{update:?}")),
                HybridUxUpdate::UvUpdate(_) => say("state", "the phone wants its owner"),
            }
        }
    });
    let result = answer(&mut channel, &ceremony, hint).await?;
    channel.close().await;
    say("result", result);
    Ok(())
}

async fn answer(
    channel: &mut HybridChannel,
    ceremony: &Ceremony,
    hint: QrCodeOperationHint,
) -> Outcome<Value> {
    let origin: RequestOrigin = ceremony.origin.as_str().try_into()?;
    let settings = RequestSettings {
        origin: OriginValidation::Validate {
            public_suffix_list: &TopLevels,
            related_origins: RelatedOrigins::Disabled,
        },
    };
    let options = ceremony.public_key.to_string();
    if hint == QrCodeOperationHint::MakeCredential {
        let request = MakeCredentialRequest::prepare(&origin, &options, &settings).await?;
        let response = channel.webauthn_make_credential(&request).await?;
        return Ok(response.to_json_value(&request)?);
    }
    let request = GetAssertionRequest::prepare(&origin, &options, &settings).await?;
    let response = channel.webauthn_get_assertion(&request).await?;
    let assertion = response.assertions.first().ok_or("the phone signed nothing")?;
    Ok(assertion.to_json_value(&request)?)
}
