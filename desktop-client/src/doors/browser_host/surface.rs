//! The extension as a surface: the code, the stages and the warnings of one
//! request.

use std::time::Duration;

use tokio::time::Instant;
use zeroize::Zeroizing;

use super::reply::{Event, Outbox};
use crate::defaults;
use crate::screen::code::Code;
use crate::screen::{Notice, Screen};

/// Tells the extension how far a request is.
#[derive(Debug)]
pub(super) struct Surface {
    id: i64,
    outbox: Outbox,
    /// The request's own time ends then, whatever code is on screen.
    ends: Instant,
}

impl Surface {
    /// For the request of this id, which lasts so long from now on.
    pub(super) fn new(id: i64, life: Duration, outbox: Outbox) -> Self {
        Self { id, outbox, ends: Instant::now() + life }
    }
}

impl Screen for Surface {
    fn notice(&mut self, notice: &Notice<'_>) {
        match notice {
            Notice::Code(invitation) => {
                let Ok(code) = Code::of(invitation) else { return };
                let picture = Zeroizing::new(code.to_svg());
                // Only the element: it is put into a page, not into a file.
                let svg = picture.find("<svg").and_then(|start| picture.get(start..)).unwrap_or(&picture);
                let left = self.ends.saturating_duration_since(Instant::now()).min(defaults::CODE_LIFE);
                let expires_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
                let event = Event::Code { svg, text: &invitation.to_text(), expires_ms };
                self.outbox.event(self.id, &event);
            }
            Notice::Stage(stage, _) => {
                let (word, sentence, if_stuck) = (stage.word(), stage.sentence(), stage.if_stuck());
                self.outbox.event(self.id, &Event::Stage { stage: word, sentence, if_stuck });
            }
            Notice::Caution(caution) => {
                self.outbox.event(self.id, &Event::Caution { message: &caution.to_string() });
            }
            Notice::NotOurs(1) => {
                let message = "a phone nearby scanned another code, perhaps an older one of this computer";
                self.outbox.event(self.id, &Event::Caution { message });
            }
            Notice::NotOurs(_) => {}
        }
    }
}
