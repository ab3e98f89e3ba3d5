//! Who may open a tunnel, and who may do nothing at all. Whoever joins one
//! needs only its id: that alone is 128 bits that two devices share.

mod callout;
mod list;
mod token;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::SystemTime;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::config::{self, MayOpen};
use crate::error::Error;
use crate::refusal::Why;
use crate::reload::{Commit, Reload};
use crate::source::Network;

use callout::Callout;
use list::List;
use token::Tokens;

/// A file that is read while the relay runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListFile {
    /// The bearer tokens.
    Tokens,
    /// The networks that may do nothing.
    Blocked,
}

impl std::fmt::Display for ListFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ListFile::Tokens => "token",
            ListFile::Blocked => "block",
        })
    }
}

/// Who may open a tunnel, and who may do nothing.
#[derive(Debug)]
pub(crate) struct Access {
    rule: Rule,
    blocked: Vec<Network>,
    more_blocked: Option<List<Vec<Network>>>,
}

#[derive(Debug)]
enum Rule {
    Anyone,
    Networks(Vec<Network>),
    Token(List<Tokens>),
    Callout(Callout),
}

/// What is known of a request at once.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It may.
    Yes,
    /// It may not.
    No(Why),
    /// Somebody else has to be asked: [`Access::ask`].
    Ask(Question),
}

/// What somebody else is told of a request.
#[derive(Debug)]
pub(crate) struct Question {
    from: IpAddr,
    token: Option<String>,
}

impl Access {
    /// Reads the files.
    ///
    /// # Errors
    /// [`Error::Setting`] for a rule without what it needs, [`Error::List`]
    /// for a file that cannot be used.
    pub(crate) fn new(config: &config::Access) -> Result<Self, Error> {
        let needed = |setting, problem| Error::Setting { setting, problem };
        let rule = match config.open {
            MayOpen::Anyone => Rule::Anyone,
            MayOpen::Networks if config.networks.is_empty() => {
                return Err(needed("--access-networks", "must name at least one for --access-open networks"));
            }
            MayOpen::Networks => Rule::Networks(config.networks.clone()),
            MayOpen::Token => {
                let path = config.token_file.clone();
                let path =
                    path.ok_or_else(|| needed("--access-token-file", "is needed for --access-open token"))?;
                Rule::Token(List::read(ListFile::Tokens, path, Tokens::parse)?)
            }
            MayOpen::Callout => {
                let url = config.callout_url.as_deref();
                let url =
                    url.ok_or_else(|| needed("--access-callout-url", "is needed for --access-open callout"))?;
                Rule::Callout(Callout::new(url)?)
            }
        };
        let blocks = |path: &PathBuf| List::read(ListFile::Blocked, path.clone(), list::networks);
        let more_blocked = config.block_file.as_ref().map(blocks).transpose()?;
        Ok(Self { rule, blocked: config.blocked.clone(), more_blocked })
    }

    /// Whether this address may do nothing.
    pub(crate) fn blocks(&self, address: IpAddr) -> bool {
        let holds = |networks: &[Network]| networks.iter().any(|network| network.contains(address));
        holds(&self.blocked) || self.more_blocked.as_ref().is_some_and(|list| holds(&list.get()))
    }

    /// Whether this request may open a tunnel. A token is looked for in every
    /// line, so that the time says nothing of how near it came.
    pub(crate) fn may_open(&self, from: IpAddr, headers: &HeaderMap) -> Verdict {
        match &self.rule {
            Rule::Anyone => Verdict::Yes,
            Rule::Networks(networks) if networks.iter().any(|network| network.contains(from)) => Verdict::Yes,
            Rule::Networks(_) => Verdict::No(Why::NotAllowed),
            Rule::Token(tokens) if tokens.get().hold(bearer(headers).unwrap_or_default()) => Verdict::Yes,
            Rule::Token(_) => Verdict::No(Why::Token),
            Rule::Callout(_) => Verdict::Ask(Question { from, token: bearer(headers).map(str::to_owned) }),
        }
    }

    /// Asks whoever decides. Nobody who decides means no.
    ///
    /// # Errors
    /// [`Why::NotAllowed`] for a no, [`Why::Undecided`] for no answer.
    pub(crate) async fn ask(&self, question: Question) -> Result<(), Why> {
        match &self.rule {
            Rule::Callout(callout) => callout.ask(&question).await,
            _ => Err(Why::Undecided),
        }
    }
}

impl Reload for Access {
    fn files(&self) -> Vec<PathBuf> {
        let tokens = match &self.rule {
            Rule::Token(tokens) => Some(tokens.path()),
            _ => None,
        };
        tokens.into_iter().chain(self.more_blocked.as_ref().map(List::path)).collect()
    }

    fn prepare(&self, _: SystemTime) -> Result<Commit, Error> {
        let tokens = match &self.rule {
            Rule::Token(tokens) => Some(tokens.prepare()?),
            _ => None,
        };
        let blocked = self.more_blocked.as_ref().map(List::prepare).transpose()?;
        Ok(Box::new(move || tokens.into_iter().chain(blocked).for_each(|commit| commit())))
    }
}

/// The token of an `Authorization: Bearer` header that is there once.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests;
