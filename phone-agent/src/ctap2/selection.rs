//! selection (0b), and the two older ways to ask the same: the makeCredential
//! for `.dummy` that Chromium sends to authenticators that do not suit its
//! request, and, over the local pipe, an empty pinUvAuthParam.

use cablecar_protocol::ctap::Status;

use super::{Reply, Served};
use crate::consent::{Approval, Question, Ticket, What};
use crate::error::Error;

/// The RP that stands for none.
pub(super) const DUMMY: &str = ".dummy";

/// In which way it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Command 0b: yes is 00.
    Selection,
    /// makeCredential for `.dummy`: yes is 27, since nothing is made.
    Dummy,
    /// An empty pinUvAuthParam: yes is this, which tells whether there is a
    /// PIN.
    Touch(Status),
}

/// Waits for the answer.
#[derive(Debug)]
pub struct Ready {
    kind: Kind,
    ticket: Ticket,
}

pub(super) fn ask(kind: Kind) -> (Question, Ready) {
    let (question, ticket) = Question::new(What::UseThisPhone, String::new(), Vec::new());
    (question, Ready { kind, ticket })
}

impl Ready {
    /// Whether it is command 0b.
    pub(super) fn is_selection(&self) -> bool {
        self.kind == Kind::Selection
    }

    pub(super) fn act(self, approval: Approval) -> Reply {
        match (approval.redeem(&self.ticket), self.kind) {
            (None, _) => Reply::failed(Status::OPERATION_DENIED, Error::Declined),
            (Some(_), Kind::Selection) => Reply::served(&[], Served::Selected),
            (Some(_), Kind::Touch(status)) => Reply::new(status.with(&[]), None),
            (Some(_), Kind::Dummy) => Reply::new(Status::OPERATION_DENIED.with(&[]), None),
        }
    }
}
