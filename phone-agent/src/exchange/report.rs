//! What became of each passkey, for people and for programs.

use std::fmt::Write;

use serde::Serialize;

use super::base64;
use super::plan::Row;
use crate::consent::{readable, readable_rp_id};

/// A report of an import or an export.
#[derive(Debug)]
pub struct Report<'a> {
    /// Import or export.
    pub verb: Verb,
    /// The format's name.
    pub format: &'static str,
    /// Whether anything was written.
    pub written: bool,
    /// What became of each.
    pub rows: &'a [Row],
}

/// Which way passkeys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Into the vault.
    Import,
    /// Out of it.
    Export,
}

#[derive(Serialize)]
struct Told<'a> {
    verb: Verb,
    format: &'static str,
    written: bool,
    taken: usize,
    left_out: usize,
    passkeys: Vec<ToldRow<'a>>,
}

#[derive(Serialize)]
struct ToldRow<'a> {
    item: Option<&'a str>,
    rp_id: Option<&'a str>,
    account: Option<&'a str>,
    credential_id: Option<String>,
    taken: bool,
    reason: Option<&'static str>,
    why: Option<String>,
    notes: Vec<&'static str>,
}

impl Report<'_> {
    fn taken(&self) -> usize {
        self.rows.iter().filter(|row| row.outcome.is_ok()).count()
    }

    /// As one JSON value.
    ///
    /// # Errors
    /// None that can happen.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let passkeys = self.rows.iter().map(|row| ToldRow {
            item: row.title.item.as_deref(),
            rp_id: row.title.rp_id.as_deref(),
            account: row.title.account.as_deref(),
            credential_id: row.id.as_ref().map(|id| base64::url(id).as_str().to_owned()),
            taken: row.outcome.is_ok(),
            reason: row.outcome.as_ref().err().map(super::Reason::id),
            why: row.outcome.as_ref().err().map(ToString::to_string),
            notes: row.outcome.iter().flatten().map(|note| note.id()).collect(),
        });
        let (verb, format, written) = (self.verb, self.format, self.written);
        let (taken, left_out) = (self.taken(), self.rows.len() - self.taken());
        let told = Told { verb, format, written, taken, left_out, passkeys: passkeys.collect() };
        serde_json::to_string_pretty(&told).map(|text| text + "\n")
    }

    /// As a table with what is to be known about it below.
    pub fn to_text(&self) -> String {
        let word = if self.verb == Verb::Import { "comes in" } else { "goes out" };
        let cells: Vec<[String; 3]> = self.rows.iter().map(|row| cells(row, word)).collect();
        let widths = [0, 1, 2].map(|column| {
            let lengths = cells.iter().filter_map(|cells| cells.get(column)).map(|cell| cell.chars().count());
            lengths.max().unwrap_or_default()
        });
        let mut out = String::new();
        for (row, cells) in self.rows.iter().zip(&cells) {
            let mut line = String::new();
            for (cell, width) in cells.iter().zip(widths) {
                let _ = write!(line, "{cell:width$}  ");
            }
            match &row.outcome {
                Ok(_) => {}
                Err(reason) => {
                    let _ = write!(line, "{} ({})", readable(&reason.to_string()), reason.id());
                }
            }
            let _ = writeln!(out, "{}", line.trim_end());
        }
        self.add_notes(&mut out);
        let (taken, left) = (self.taken(), self.rows.len() - self.taken());
        let ending = if self.written { "" } else { "; nothing was written" };
        let _ = writeln!(out, "{taken} {word_s}, {left} left out{ending}", word_s = plural(self.verb, taken));
        out
    }

    /// Each note once, with whom it is about.
    fn add_notes(&self, out: &mut String) {
        let mut told: Vec<(super::Note, Vec<&Row>)> = Vec::new();
        for row in self.rows {
            for note in row.outcome.iter().flatten() {
                match told.iter_mut().find(|(known, _)| known == note) {
                    Some((_, about)) => about.push(row),
                    None => told.push((*note, vec![row])),
                }
            }
        }
        for (note, about) in told {
            let whom = match &about[..] {
                [row] => title(row).join(" ").trim().to_owned(),
                _ if about.len() == self.taken() => format!("all {}", about.len()),
                several => format!("{} of them", several.len()),
            };
            let _ = writeln!(out, "note: {whom}: {} ({})", note.sentence(), note.id());
        }
    }
}

fn cells(row: &Row, word: &str) -> [String; 3] {
    let [rp, account] = title(row);
    [if row.outcome.is_ok() { word.to_owned() } else { "left out".to_owned() }, rp, account]
}

fn title(row: &Row) -> [String; 2] {
    let rp = match (&row.title.rp_id, &row.title.item) {
        (Some(rp_id), _) => readable_rp_id(rp_id),
        (None, Some(item)) => format!("{:?}", readable(item)),
        (None, None) => "(no name)".to_owned(),
    };
    [rp, row.title.account.as_deref().map(readable).unwrap_or_default()]
}

fn plural(verb: Verb, number: usize) -> &'static str {
    match (verb, number) {
        (Verb::Import, 1) => "comes in",
        (Verb::Import, _) => "come in",
        (Verb::Export, 1) => "goes out",
        (Verb::Export, _) => "go out",
    }
}
