//! Where one request is followed: all of its surfaces together.

use std::future::Future;

use super::events::Events;
use super::page::opener::Browser;
use super::page::{Ending, Page};
use super::terminal::{Form, Terminal};
use super::{Notice, Screen};
use crate::error::Error;

/// Where a code is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At the terminal, in this form.
    Terminal(Form),
    /// On a page in the browser of this computer.
    Page,
}

impl Place {
    /// What the terminal has of the code.
    pub fn form(&self) -> Form {
        match self {
            Place::Terminal(form) => form.clone(),
            Place::Page => Form::Elsewhere,
        }
    }
}

/// All surfaces of one request: the terminal, the events for programs if they
/// were asked for, and the page.
pub struct Screens {
    others: Vec<Box<dyn Screen>>,
    page: Option<Page>,
}

impl Screens {
    /// Opens them. `heading` says on a page what is wanted; `tell` gets the
    /// sentence with its address if no browser can be opened, and must put it
    /// where the person is, and nowhere else.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Usage`] for a picture or a page that cannot be
    /// had.
    pub async fn open(
        place: &Place,
        json_events: bool,
        heading: &str,
        tell: impl FnOnce(&str) + Send + 'static,
    ) -> Result<Self, Error> {
        let mut others: Vec<Box<dyn Screen>> = vec![Box::new(Terminal::new(place.form(), json_events)?)];
        if json_events {
            others.push(Box::new(Events));
        }
        let page = match place {
            Place::Terminal(_) => None,
            Place::Page => {
                Some(Page::open(heading, Browser::of_environment(tell), &mut rand_core::OsRng).await?)
            }
        };
        Ok(Self { others, page })
    }

    /// Takes the code off everywhere, and says on the page how it ended.
    pub fn end(self, ending: Ending) -> impl Future<Output = ()> + Send {
        drop(self.others);
        let page = self.page;
        async move {
            if let Some(page) = page {
                page.end(ending).await;
            }
        }
    }
}

impl std::fmt::Debug for Screens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Screens(..)")
    }
}

impl Screen for Screens {
    fn notice(&mut self, notice: &Notice<'_>) {
        self.others.notice(notice);
        if let Some(page) = &mut self.page {
            page.notice(notice);
        }
    }
}
