use cablecar_protocol::ctap::Status;

use crate::error::Error;

/// What an error is called where there is one byte for it.
pub fn status_of(error: &Error) -> Status {
    match error {
        Error::NobodyCame | Error::NotOurs(_) | Error::PhoneSilent(_) => Status::USER_ACTION_TIMEOUT,
        // Phones hang up when the person puts the question away.
        Error::Declined | Error::PhoneHungUp(_) => Status::OPERATION_DENIED,
        Error::Interrupted => Status::KEEPALIVE_CANCEL,
        Error::NoPasskey => Status::NO_CREDENTIALS,
        Error::AlreadyRegistered => Status::CREDENTIAL_EXCLUDED,
        Error::Algorithm => Status::UNSUPPORTED_ALGORITHM,
        Error::Unsuitable(_) => Status::UNSUPPORTED_OPTION,
        Error::Status(status) => *status,
        Error::Usage(_) | Error::Options(_) | Error::RpId { .. } => Status::INVALID_PARAMETER,
        // Radio, relay, protocol and this computer: a key that is out of order.
        _ => Status::OTHER,
    }
}
