//! Whether this computer would hear a phone.

use super::{Check, Outcome, Subject};
use crate::error::Error;
use crate::proximity::Ear;
use crate::proximity::air::Air;
use crate::proximity::btleplug::Adapter;
use crate::proximity::fault::Fault;

pub(super) async fn check(ear: &Ear) -> Vec<Check> {
    let (target, radio, permission) = match ear {
        Ear::Air(address) => {
            let radio = match Air::bind(*address).await {
                Ok(_) => Outcome::Ok("stands in for the radio (--danger-air)".into()),
                Err(error) => Outcome::from(&error),
            };
            (address.to_string(), radio, Outcome::Skipped("--danger-air needs none".into()))
        }
        Ear::Bluetooth(wanted) => match Adapter::choose(wanted.as_deref()).await {
            Ok(adapter) => {
                (adapter.name().to_owned(), Outcome::Ok("is there and on".into()), permission(adapter).await)
            }
            Err(fault) => refused(wanted.as_deref(), fault),
        },
    };
    let of = |subject, outcome| Check { subject, target: target.clone(), outcome };
    vec![of(Subject::Radio, radio), of(Subject::Permission, permission)]
}

/// To be refused an answer is about permission, and not about the radio.
fn refused(wanted: Option<&str>, fault: Fault) -> (String, Outcome, Outcome) {
    let target = match &fault {
        Fault::Off(name) => name,
        _ => wanted.unwrap_or("Bluetooth"),
    };
    let (target, denied) = (target.to_owned(), matches!(fault, Fault::Denied(_)));
    let finding = Outcome::from(&Error::from(fault));
    if denied {
        (target, Outcome::Skipped("the system does not let it be asked for".into()), finding)
    } else {
        (target, finding, Outcome::Skipped("the radio cannot be used".into()))
    }
}

async fn permission(adapter: Adapter) -> Outcome {
    match adapter.listen().await {
        Ok(radio) => {
            drop(radio);
            Outcome::Ok("listened, and stopped again".into())
        }
        Err(fault) => Outcome::from(&Error::from(fault)),
    }
}
