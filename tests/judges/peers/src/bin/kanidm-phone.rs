//! kanidm's phone: is shown a code, advertises, answers one command.
//!
//! `kanidm-phone --token FILE --domain-id N [--tunnel-uri wss://HOST:PORT] < code`
//!
//! Its keys are in FILE, which it makes if it is not there. Its library leaves
//! the advertising to whoever uses it; BlueZ does it here, as in its example.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::time::Duration;

use async_trait::async_trait;
use bluer::adv::{Advertisement, AdvertisementHandle, Type};
use cablecar_judges_peers::{Outcome, Words, log, say, standard_input};
use http::Uri;
use http::uri::Builder;
use uuid::Uuid;
use webauthn_authenticator_rs::cable::{
    Advertiser, ShareCableAuthenticatorOptions, share_cable_authenticator,
};
use webauthn_authenticator_rs::error::WebauthnCError;
use webauthn_authenticator_rs::softtoken::{SoftToken, SoftTokenFile};
use webauthn_authenticator_rs::types::{CableRequestType, CableState, EnrollSampleStatus};
use webauthn_authenticator_rs::ui::UiCallback;

/// Its owner, who says yes to everything.
#[derive(Debug)]
struct Owner;

impl UiCallback for Owner {
    fn request_pin(&self) -> Option<String> {
        None
    }

    fn request_touch(&self) {}

    fn processing(&self) {}

    fn fingerprint_enrollment_feedback(&self, _: u32, _: Option<EnrollSampleStatus>) {}

    fn cable_qr_code(&self, _: CableRequestType, _: String) {}

    fn dismiss_qr_code(&self) {}

    fn cable_status_update(&self, state: CableState) {
        say("state", format!("{state:?}"));
    }
}

/// BlueZ's default adapter, and what it advertises now.
struct Air {
    session: bluer::Session,
    advert: Option<AdvertisementHandle>,
}

impl Air {
    async fn advertise(&mut self, uuid: Uuid, payload: &[u8]) -> bluer::Result<()> {
        let adapter = self.session.default_adapter().await?;
        let advert = Advertisement {
            advertisement_type: Type::Broadcast,
            service_data: BTreeMap::from([(uuid, payload.to_vec())]),
            min_interval: Some(Duration::from_millis(100)),
            max_interval: Some(Duration::from_millis(500)),
            ..Advertisement::default()
        };
        self.advert = Some(adapter.advertise(advert).await?);
        Ok(())
    }
}

#[async_trait]
impl Advertiser for Air {
    async fn start_advertising(&mut self, uuid: u16, payload: &[u8]) -> Result<(), WebauthnCError> {
        let long = Uuid::from_u128(0x0000_0000_0000_1000_8000_0080_5f9b_34fb | (u128::from(uuid) << 96));
        say("advert", payload.to_vec());
        self.advertise(long, payload).await.map_err(|error| {
            tracing::error!("cannot advertise: {error}");
            WebauthnCError::BluetoothError(error.to_string())
        })
    }

    async fn stop_advertising(&mut self) -> Result<(), WebauthnCError> {
        self.advert = None;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    log();
    let words = Words::read()?;
    let file = words.option("token").ok_or("--token FILE is missing")?;
    let domain: u16 = words.option("domain-id").ok_or("--domain-id N is missing")?.parse()?;
    let code = standard_input()?;

    let mut options = ShareCableAuthenticatorOptions::default().tunnel_server_id(domain);
    if let Some(uri) = words.option("tunnel-uri") {
        let parts = uri.parse::<Uri>()?.into_parts();
        let scheme = parts.scheme.ok_or("the relay's URI has no scheme")?;
        let authority = parts.authority.ok_or("the relay's URI has no host")?;
        options = options.tunnel_uri(Builder::new().scheme(scheme).authority(authority));
    }
    let mut token = open(file)?;
    let info = token.as_ref().get_info();
    let mut air = Air { session: bluer::Session::new().await?, advert: None };
    share_cable_authenticator(&mut token, info, code.trim(), &mut air, &Owner, options)
        .await
        .map_err(|error| format!("{error:?}"))?;
    say("state", "done");
    Ok(())
}

/// The keys of `path`, or new ones that will be there when they are dropped.
fn open(path: &str) -> Outcome<SoftTokenFile> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    let opened = if file.metadata()?.len() == 0 {
        SoftToken::new(true).map(|(token, _)| SoftTokenFile::new(token, file))
    } else {
        SoftTokenFile::open(file)
    };
    Ok(opened.map_err(|error| format!("{error:?}"))?)
}
