//! Whether this phone would be heard.

use cablecar_protocol::eid::{Advert, Eid};
use cablecar_protocol::ids::RoutingId;
use cablecar_protocol::secrets::EidKey;
use cablecar_protocol::tunnel::TunnelServiceDomain;
use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

use super::{Check, Outcome, Subject};
use crate::proximity::{Advertiser, Bluetooth, Error, Medium};

pub(super) async fn check(medium: Medium, rng: &mut (dyn CryptoRngCore + Send)) -> Vec<Check> {
    let (target, radio, permission) = match medium {
        Medium::Air(air) => (
            air.address().to_string(),
            Outcome::Ok("stands in for the radio (--danger-air)".into()),
            Outcome::Skipped("--danger-air needs none".into()),
        ),
        Medium::Bluetooth(wanted) => match Bluetooth::open(wanted.as_deref()).await {
            Ok(radio) => (
                radio.name().to_owned(),
                Outcome::Ok("is there, on, and has a place for an advert".into()),
                permission(radio, rng).await,
            ),
            Err(error) => refused(wanted, error),
        },
    };
    let of = |subject, outcome| Check { subject, target: target.clone(), outcome };
    vec![of(Subject::Radio, radio), of(Subject::Permission, permission)]
}

/// To be refused an answer is about permission, and not about the radio.
fn refused(wanted: Option<String>, error: Error) -> (String, Outcome, Outcome) {
    let target = match &error {
        Error::Off(name) | Error::Full(name) | Error::CannotAdvertise(name) => name.clone(),
        _ => wanted.unwrap_or_else(|| "Bluetooth".into()),
    };
    let denied = matches!(error, Error::Denied(_));
    let finding = Outcome::from(&error.into());
    if denied {
        (target, Outcome::Skipped("the system does not let it be asked for".into()), finding)
    } else {
        (target, finding, Outcome::Skipped("the radio cannot be used".into()))
    }
}

async fn permission(mut radio: Bluetooth, rng: &mut (dyn CryptoRngCore + Send)) -> Outcome {
    let advert = match noise(rng) {
        Ok(advert) => advert,
        Err(error) => return Outcome::from(&error.into()),
    };
    match radio.advertise(advert).await {
        Ok(beacon) => {
            drop(beacon);
            Outcome::Ok("an advert went on the air and off it again".into())
        }
        Err(error) => Outcome::from(&error),
    }
}

/// An advert under a key that nobody has.
fn noise(rng: &mut (dyn CryptoRngCore + Send)) -> Result<Advert, cablecar_protocol::Error> {
    let mut key = Zeroizing::new([0; 64]);
    rng.fill_bytes(key.as_mut());
    let domain = TunnelServiceDomain::new(0)?;
    Ok(Eid::routed(RoutingId::new([0; 3]), domain, rng)?.seal(&EidKey::new(&key)))
}
