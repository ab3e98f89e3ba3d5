//! The effective settings, as a file that reads back to the same.

use std::fmt::Write;

use super::layers::{Layers, Origin};
use super::reasons::reason;
use super::rows;

/// Columns of a comment.
const WIDTH: usize = 100;

/// All settings as TOML, each with what it is and where it came from.
pub(crate) fn effective(layers: &Layers) -> String {
    let mut text = String::new();
    let mut table = "";
    let values = layers.settings.shown();
    for ((row, origin), value) in rows().iter().zip(&layers.origins).zip(values) {
        if row.table != table {
            table = row.table;
            let _ = writeln!(text, "[{table}]");
        }
        comment(&mut text, &format!("{}.", row.help));
        match (origin, row.constant.and_then(reason)) {
            (Origin::Default, Some(reason)) => comment(&mut text, &format!("Default. {reason}")),
            (Origin::Default, None) => comment(&mut text, "Default."),
            _ => comment(&mut text, &format!("From {}.", layers.place(row, *origin))),
        }
        let _ = match value {
            Some(value) => writeln!(text, "{} = {value}\n", row.key),
            None => writeln!(text, "# {} =\n", row.key),
        };
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn comment(text: &mut String, words: &str) {
    let mut width = 0;
    for word in words.split_whitespace() {
        if width == 0 || width + 1 + word.len() > WIDTH {
            text.push_str(if width == 0 { "#" } else { "\n#" });
            width = 1;
        }
        let _ = write!(text, " {word}");
        width += 1 + word.len();
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_wrapped() {
        let mut text = String::new();
        comment(&mut text, &"word ".repeat(45));
        assert_eq!(text.lines().count(), 3);
        assert!(text.lines().all(|line| line.starts_with("# word") && line.len() <= WIDTH));
        assert_eq!(text.matches("word").count(), 45);
    }
}
