//! `create` and `get`: one request of a page, from its options to the response,
//! with everything that a person sees meanwhile.

use crate::cli;
use crate::doors::Phone as _;
use crate::error::Error;
use crate::reach::Reach;
use crate::screen::page::Ending;
use crate::screen::place::Screens;
use crate::screen::words::{NOTHING_STAYS, plain};
use crate::transaction::Ask;
use crate::webauthn::{Create, Get, Origin};
use crate::{cannot_start, json, print_result, read_options, stopped, tell, wait_for};

/// `cablecar create`.
pub(crate) fn create(typed: &cli::Request) -> Result<(), Error> {
    let config = Config::from_cli(typed)?;
    let site = site(&config.origin);
    // All that can be wrong with the input is told before a code is shown.
    let create = Create::from_json(&read_options()?, &config.origin)?;
    let (ask, heading) = (create.ask(), format!("Make a passkey for {site}"));
    put(typed, config, &ask, &heading, |answer| {
        let response = create.finish(answer)?;
        let whose = response.account().map_or_else(String::new, |name| format!(" of {}", plain(name)));
        Ok((json(&response)?, format!("a phone has a new passkey{whose} for {site}; {NOTHING_STAYS}")))
    })
}

/// `cablecar get`.
pub(crate) fn get(typed: &cli::Request) -> Result<(), Error> {
    let config = Config::from_cli(typed)?;
    let site = site(&config.origin);
    let get = Get::from_json(&read_options()?, &config.origin)?;
    let (ask, heading) = (get.ask(), format!("Sign in at {site}"));
    put(typed, config, &ask, &heading, |answer| {
        let response = get.finish(answer)?;
        // The site has not said yes yet, and only some phones say whose it is.
        let who = response.account().map_or_else(|| "whoever holds the phone".into(), plain);
        Ok((json(&response)?, format!("{who} signs in at {site} with a passkey on a phone; {NOTHING_STAYS}")))
    })
}

/// An origin as people say it.
fn site(origin: &Origin) -> String {
    let text = origin.as_str();
    text.split_once("://").map_or(text, |(_, site)| site).to_owned()
}

/// Everything that a request needs besides the options of the page.
#[derive(Debug)]
struct Config {
    /// Who asks.
    origin: Origin,
    /// The way to the phone.
    reach: Reach,
}

impl Config {
    /// Makes sense of what was typed.
    ///
    /// # Errors
    /// [`Error::Usage`], or [`Error::Io`] for a file that cannot be read.
    fn from_cli(typed: &cli::Request) -> Result<Self, Error> {
        Ok(Self {
            origin: Origin::parse(&typed.origin)?,
            reach: Reach::from_cli(&typed.radio, &typed.network)?,
        })
    }
}

/// Puts a request to a phone and prints its response; `finish` gives that, and
/// the sentence that is said last.
fn put(
    typed: &cli::Request,
    mut config: Config,
    ask: &Ask,
    heading: &str,
    finish: impl FnOnce(&[u8]) -> Result<(String, String), Error>,
) -> Result<(), Error> {
    let json_events = typed.showing.json_events();
    let (response, last_words) = wait_for(async {
        let mut screens = Screens::open(&typed.showing.place(), json_events, heading, tell).await?;
        let answer = tokio::select! {
            biased;
            // Listened for before there is a code, whose file would be left.
            stopped = stopped() => Err(stopped.map_or_else(cannot_start, |()| Error::Interrupted)),
            answer = config.reach.ask(ask, &mut screens) => answer,
        };
        config.reach.part().await;
        let finished = answer.and_then(|answer| finish(&answer));
        let ending = match &finished {
            Ok((_, last_words)) => Ending::Done(last_words.clone()),
            Err(error) => Ending::from(error),
        };
        screens.end(ending).await;
        finished
    })?;
    print_result(&response);
    if !json_events {
        tell(&last_words);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_named_as_people_say_it() {
        assert_eq!(site(&Origin::parse("https://login.example.com").unwrap()), "login.example.com");
        assert_eq!(site(&Origin::parse("http://localhost:8080").unwrap()), "localhost:8080");
    }
}
