//! Stages as JSON lines on standard error, for programs.

use std::io::Write;

use serde::Serialize;

use super::{Notice, Screen, Stage};
use crate::error::Error;

/// Programs' surface.
#[derive(Debug, Clone, Copy, Default)]
pub struct Events;

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event<'a> {
    Stage { stage: Stage, elapsed_ms: u64, if_stuck: &'static str },
    Asked { what: &'a str },
    Verify { what: &'a str },
    Served { what: String },
    NotServed { id: &'a str, message: String },
    Warning { id: &'a str, message: String },
    Error { id: &'a str, exit: u8, message: String, remedy: &'a str },
}

impl Screen for Events {
    fn notice(&mut self, notice: Notice<'_>) {
        write(&match notice {
            Notice::Stage(stage, elapsed) => Event::Stage {
                stage,
                elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
                if_stuck: stage.if_stuck(),
            },
            Notice::Asked(what) => Event::Asked { what },
            Notice::Verify(what) => Event::Verify { what },
            Notice::Served(served) => Event::Served { what: served.to_string() },
            Notice::NotServed(error) => {
                let (_, id, _) = error.advice();
                Event::NotServed { id, message: error.to_string() }
            }
            Notice::Caution(caution) => Event::Warning { id: caution.id(), message: caution.to_string() },
        });
    }
}

/// The last event of a run that failed.
pub fn failed(error: &Error) {
    let (class, id, remedy) = error.advice();
    write(&Event::Error { id, exit: class.code(), message: error.to_string(), remedy });
}

fn write(event: &Event<'_>) {
    if let Ok(line) = serde_json::to_string(event) {
        // Nobody is left to be told that nobody listens.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}
