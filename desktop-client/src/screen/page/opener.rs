//! Bringing the page in front of a person: the default browser, or words where
//! there is none.

use std::process::{Child, Command, Stdio};

/// Brings a page in front of a person.
pub trait Opener: Send {
    /// Called once, with the page's URL, which is a secret. Must not block.
    fn open(&mut self, url: &str);
}

/// The person's default browser. `tell` gets a sentence with the URL if none
/// could be opened: it must put it where the person is, and nowhere else.
pub struct Browser<T> {
    tell: Option<T>,
    programs: Vec<Vec<String>>,
}

impl<T> std::fmt::Debug for Browser<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Browser").field("programs", &self.programs).finish_non_exhaustive()
    }
}

impl<T: FnOnce(&str) + Send + 'static> Browser<T> {
    /// The browsers of `BROWSER`, or what the system opens pages with.
    pub fn of_environment(tell: T) -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let has_screen = set("DISPLAY").is_some() || set("WAYLAND_DISPLAY").is_some();
        Self { tell: Some(tell), programs: programs(set("BROWSER").as_deref(), has_screen) }
    }
}

/// The programs to try, each with its arguments before the URL. `BROWSER` is a
/// list with colons between; without a screen there would be only browsers
/// that take the terminal for themselves.
fn programs(browser: Option<&str>, has_screen: bool) -> Vec<Vec<String>> {
    if let Some(list) = browser {
        let words = |one: &str| one.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        return list.split(':').map(words).filter(|words| !words.is_empty()).collect();
    }
    let program: &[&str] = if cfg!(target_os = "macos") {
        &["open"]
    } else if cfg!(windows) {
        &["rundll32", "url.dll,FileProtocolHandler"]
    } else if has_screen {
        &["xdg-open"]
    } else {
        return Vec::new();
    };
    vec![program.iter().map(|&word| word.to_owned()).collect()]
}

impl<T: FnOnce(&str) + Send + 'static> Opener for Browser<T> {
    fn open(&mut self, url: &str) {
        let (programs, url) = (std::mem::take(&mut self.programs), url.to_owned());
        let Some(tell) = self.tell.take() else { return };
        // A thread of its own: some of these programs end at once, and some
        // are the browser. Nobody waits for it.
        std::thread::spawn(move || {
            if !programs.iter().any(|program| opens(program, &url)) {
                tell(&format!("no browser could be opened; the code is on this page, once: {url}"));
            }
        });
    }
}

/// Whether this program took the page: it runs on, or ended well.
fn opens(program: &[String], url: &str) -> bool {
    let Some((name, arguments)) = program.split_first() else { return false };
    let mut command = Command::new(name);
    let named = arguments.iter().any(|word| word.contains("%s"));
    command.args(arguments.iter().map(|word| word.replace("%s", url)));
    if !named {
        command.arg(url);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().and_then(|mut child: Child| child.wait()).is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::programs;

    #[test]
    fn the_persons_choice_comes_before_the_systems() {
        assert_eq!(
            programs(Some("firefox -P mine:w3m"), false),
            [vec!["firefox", "-P", "mine"], vec!["w3m"]]
        );
        assert_eq!(programs(Some(" : "), true), Vec::<Vec<String>>::new());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn without_a_screen_nothing_is_opened() {
        assert_eq!(programs(None, true), [vec!["xdg-open"]]);
        assert_eq!(programs(None, false), Vec::<Vec<String>>::new());
    }
}
