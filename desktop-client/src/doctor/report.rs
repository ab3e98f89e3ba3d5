//! A report, for people and for programs.

use std::fmt;

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::{Check, Outcome, Report, Subject};

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Subject::Radio => "radio",
            Subject::Permission => "permission",
            Subject::Name => "name",
            Subject::Tcp => "tcp",
            Subject::Tls => "tls",
            Subject::Tunnel => "tunnel",
            Subject::Clock => "clock",
            Subject::Browser => "browser",
            Subject::Ssh => "ssh",
        })
    }
}

/// One line a check, and the remedy under a finding.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Check { subject, target, outcome } in &self.0 {
            match outcome {
                Outcome::Ok(detail) => writeln!(f, "ok       {subject:<10}  {target}: {detail}")?,
                Outcome::Skipped(why) => writeln!(f, "skipped  {subject:<10}  {target}: {why}")?,
                Outcome::Finding { detail, id, remedy } => {
                    writeln!(f, "finding  {subject:<10}  {target}: {detail} ({id})")?;
                    writeln!(f, "         remedy: {remedy}")?;
                }
            }
        }
        Ok(())
    }
}

/// `well` and `checks`.
impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_struct("Report", 2)?;
        report.serialize_field("well", &(self.findings() == 0))?;
        report.serialize_field("checks", &self.0)?;
        report.end()
    }
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (result, detail, advice) = match &self.outcome {
            Outcome::Ok(detail) => ("ok", detail, None),
            Outcome::Skipped(why) => ("skipped", why, None),
            Outcome::Finding { detail, id, remedy } => ("finding", detail, Some((id, remedy))),
        };
        let mut check = serializer.serialize_struct("Check", if advice.is_some() { 6 } else { 4 })?;
        check.serialize_field("check", &self.subject)?;
        check.serialize_field("target", &self.target)?;
        check.serialize_field("result", result)?;
        check.serialize_field("detail", detail)?;
        if let Some((id, remedy)) = advice {
            check.serialize_field("id", id)?;
            check.serialize_field("remedy", remedy)?;
        }
        check.end()
    }
}
