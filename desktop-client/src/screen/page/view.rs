//! What is to be seen on the page, and its HTML.

use std::fmt::Write as _;
use std::sync::OnceLock;

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::Ending;
use crate::defaults;
use crate::screen::Stage;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The stages that a person waits for, one after the other.
const WAY: [(Stage, &str); 4] = [
    (Stage::WaitingForPhone, "Scan"),
    (Stage::Connecting, "Connect"),
    (Stage::VerifyingOnPhone, "Confirm"),
    (Stage::Done, "Done"),
];

/// A code on the page.
pub(super) struct Shown {
    pub(super) svg: Zeroizing<String>,
    pub(super) text: Zeroizing<String>,
    /// When another one takes its place.
    pub(super) until: Instant,
}

/// What is to be seen.
pub(super) struct View {
    version: u64,
    heading: String,
    code: Option<Shown>,
    stage: Stage,
    heard_another: bool,
    cautions: Vec<String>,
    ending: Option<Ending>,
}

impl View {
    pub(super) fn new(heading: &str) -> Self {
        Self {
            version: 0,
            heading: heading.to_owned(),
            code: None,
            stage: Stage::WaitingForPhone,
            heard_another: false,
            cautions: Vec::new(),
            ending: None,
        }
    }

    /// Changes with everything that is new.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ending.is_some()
    }

    pub(super) fn show(&mut self, code: Shown) {
        self.code = Some(code);
        self.version += 1;
    }

    /// A code has served as soon as a phone has come: nobody else should scan it.
    pub(super) fn reach(&mut self, stage: Stage) {
        if stage != Stage::WaitingForPhone {
            self.code = None;
        }
        self.stage = stage;
        self.version += 1;
    }

    /// A phone that scanned another code; said once.
    pub(super) fn hear_another(&mut self) -> bool {
        let is_news = !std::mem::replace(&mut self.heard_another, true);
        self.version += u64::from(is_news);
        is_news
    }

    pub(super) fn warn(&mut self, caution: String) {
        self.cautions.push(caution);
        self.version += 1;
    }

    pub(super) fn end(&mut self, ending: Ending) {
        self.code = None;
        self.ending = Some(ending);
        self.version += 1;
    }

    /// The page. Its script and browsers without scripts go on at `next`, until
    /// the request has ended.
    pub(super) fn to_html(&self, next: &str, now: Instant) -> Zeroizing<String> {
        let mut page = Zeroizing::new(String::with_capacity(64 * 1024));
        let (state, sentence, hint) = match &self.ending {
            None => ("open", self.stage.sentence(), format!("If it stays so: {}.", self.stage.if_stuck())),
            Some(Ending::Done(sentence)) => ("done", &**sentence, String::new()),
            Some(Ending::Failed(what, remedy)) => ("failed", &**what, format!("What to do: {remedy}.")),
        };
        let (heading, sentence) = (escaped(&self.heading), escaped(&capital(sentence)));
        push(
            &mut page,
            &format!("{START}<title>{sentence} \u{2013} {heading}</title>\n<style>{STYLE}</style>\n"),
        );
        if state == "open" {
            let refresh = format!("<meta http-equiv=\"refresh\" content=\"0; url={next}\">");
            push(
                &mut page,
                &format!("<noscript>{refresh}</noscript>\n</head>\n<body>\n<main data-next=\"{next}\">\n"),
            );
        } else {
            push(&mut page, &format!("</head>\n<body>\n<main data-ending=\"{state}\">\n"));
        }
        push(
            &mut page,
            &format!("<h1>{heading}</h1>\n<p id=\"stage\" role=\"status\" tabindex=\"-1\">{sentence}</p>\n"),
        );
        push(
            &mut page,
            &format!("<p id=\"hint\">{}</p>\n<div id=\"code\">{}</div>\n", escaped(&hint), *self.code(now)),
        );
        push(&mut page, &format!("<ol id=\"way\" aria-label=\"How far it is\">\n{}</ol>\n", self.way()));
        push(&mut page, &format!("<div id=\"notes\" role=\"status\">{}</div>\n</main>\n", self.notes()));
        push(&mut page, &format!("{FOOTER}<script>{SCRIPT}</script>\n</body>\n</html>\n"));
        page
    }

    fn code(&self, now: Instant) -> Zeroizing<String> {
        let Some(code) = &self.code else { return Zeroizing::default() };
        // The picture's inside, without the head of a file.
        let svg = code.svg.split_once("<svg ").map_or("", |(_, svg)| svg);
        let minutes = defaults::CODE_LIFE.as_secs() / 60;
        let left = code.until.saturating_duration_since(now).as_millis();
        let mut html = Zeroizing::new(String::with_capacity(svg.len() + 2048));
        push(&mut html, "\n<div class=\"qr\"><svg role=\"img\" aria-label=\"QR code for the phone\" ");
        push(&mut html, svg);
        push(
            &mut html,
            &format!(
                "</div>\n<p>Every {minutes} minutes a new code takes its place<span id=\"left\" data-ms=\"{left}\"></span>.</p>\n"
            ),
        );
        push(&mut html, "<details><summary>Show the code as text</summary>\n");
        push(&mut html, "<p>For a phone that cannot scan, and for nobody else:</p>\n<p id=\"text\">");
        push(&mut html, &escaped(&code.text));
        push(&mut html, "</p></details>\n");
        html
    }

    fn way(&self) -> String {
        let failed = matches!(self.ending, Some(Ending::Failed(..)));
        let here = match self.stage {
            _ if self.has_ended() => WAY.len() - 1,
            Stage::WaitingForPhone => 0,
            Stage::PhoneNearby | Stage::Connecting | Stage::Connected => 1,
            Stage::VerifyingOnPhone => 2,
            // What the phone said is checked before it counts.
            Stage::Done => 2,
        };
        let mut html = String::new();
        for (at, (_, words)) in WAY.iter().enumerate() {
            let (mark, words) = match at {
                at if at < here && !failed => (" class=\"past\"", *words),
                at if at == here && failed => (" class=\"failed\" aria-current=\"step\"", "Not done"),
                at if at == here => (" aria-current=\"step\"", *words),
                _ => ("", *words),
            };
            let _ = writeln!(html, "<li{mark}>{words}</li>");
        }
        html
    }

    fn notes(&self) -> String {
        let another = self.heard_another.then_some("A phone that scanned another code was heard.");
        let cautions = self.cautions.iter().map(|caution| format!("Warning: {caution}."));
        let notes = cautions.chain(another.map(str::to_owned));
        notes.fold(String::new(), |html, note| html + &format!("\n<p>{}</p>", escaped(&note)))
    }

    /// For whoever comes a second time.
    pub(super) fn spent() -> String {
        format!(
            "{START}<title>Cablecar: shown already</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <h1>This page is shown once</h1>\n<p>It was shown already, here or elsewhere. If you did not \
             see it, stop the request and begin again.</p>\n</main>\n</body>\n</html>\n"
        )
    }
}

const START: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
    <meta name=\"color-scheme\" content=\"light dark\">\n";

const FOOTER: &str = "<footer><p>This page comes from Cablecar on this computer. It is shown once, and nothing \
    of it is kept.</p></footer>\n";

/// What the page may do: our own style and script, by their hashes, and ask
/// where it came from.
pub(super) fn policy() -> &'static str {
    static POLICY: OnceLock<String> = OnceLock::new();
    let hash = |text: &str| Base64::encode_string(&Sha256::digest(text));
    POLICY.get_or_init(|| {
        format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            hash(STYLE),
            hash(SCRIPT)
        )
    })
}

fn push(page: &mut Zeroizing<String>, text: &str) {
    page.push_str(text);
}

/// A sentence of the terminal begins in lower case, one of a page does not.
fn capital(sentence: &str) -> String {
    let mut rest = sentence.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// Text, and never anything else.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
