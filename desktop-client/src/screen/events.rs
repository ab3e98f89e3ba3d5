//! Stages as JSON lines on standard error, for programs. The code itself is a
//! secret and not among them.

use serde::Serialize;

use super::{Notice, Screen, Stage};
use crate::error::Error;

/// Programs' surface.
#[derive(Debug, Default)]
pub struct Events;

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event<'a> {
    Stage { stage: Stage, elapsed_ms: u128, if_stuck: &'static str },
    NotOurs { adverts: u64 },
    Warning { id: &'a str, message: String },
    CodeShown,
    Device { state: &'a str },
    Error { id: &'a str, exit: u8, message: String, remedy: &'a str },
}

impl Screen for Events {
    fn notice(&mut self, notice: &Notice<'_>) {
        write(&match notice {
            Notice::Code(_) => Event::CodeShown,
            Notice::Stage(stage, elapsed) => {
                Event::Stage { stage: *stage, elapsed_ms: elapsed.as_millis(), if_stuck: stage.if_stuck() }
            }
            Notice::NotOurs(adverts) => Event::NotOurs { adverts: *adverts },
            Notice::Caution(caution) => Event::Warning { id: caution.id(), message: caution.to_string() },
        });
    }
}

/// The last event of a request that failed.
pub fn failed(error: &Error) {
    let (class, id, remedy) = error.advice();
    write(&Event::Error { id, exit: class.code(), message: error.to_string(), remedy });
}

/// What became of a security key that is a phone: `ready`, `asked`, `wink`,
/// `withdrawn`.
pub fn device(state: &str) {
    write(&Event::Device { state });
}

#[allow(clippy::print_stderr, reason = "this is the surface for programs; results go to standard output")]
fn write(event: &Event<'_>) {
    if let Ok(line) = serde_json::to_string(event) {
        eprintln!("{line}");
    }
}
