//! Words for people that more than one surface says.

/// Borrowed mode, in the words of the last line.
pub const NOTHING_STAYS: &str = "cablecar keeps nothing of it on this computer";

/// A name that somebody else chose, as one that can do nothing to a terminal
/// or to the sentence around it: nothing invisible, and not without end.
pub fn plain(name: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
    };
    let plain: String = name.chars().filter(|c| !is_hidden(*c)).take(LONGEST_NAME).collect();
    if name.chars().count() > LONGEST_NAME { plain + "\u{2026}" } else { plain }
}

/// Characters of a name in the last line: as many as sites commonly show.
const LONGEST_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_name_can_do_nothing_to_the_last_line() {
        assert_eq!(plain("alice@example.com"), "alice@example.com");
        assert_eq!(plain("Zo\u{eb} \u{674e}"), "Zo\u{eb} \u{674e}");
        assert_eq!(plain("al\x1b[2Jice\r\n\u{202e}\u{200b}"), "al[2Jice");
        assert_eq!(plain(&"x".repeat(65)), "x".repeat(64) + "\u{2026}");
    }
}
