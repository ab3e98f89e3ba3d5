//! `/dev/uhid`: a HID device for all programs of this computer, as the kernel
//! lets a program be one. Pulled out when the file is closed.

pub mod event;

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use tokio::io::unix::AsyncFd;
use tokio::time::sleep;

use self::event::Event;
use super::packet::Report;
use super::wire::{Heard, Wire};
use crate::defaults;
use crate::error::Error;

/// Where the kernel has it.
pub const DEVICE: &str = "/dev/uhid";

/// Why this computer has no virtual security key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No such file, or nobody behind it.
    #[error("this kernel offers no /dev/uhid: {0}")]
    Missing(String),
    /// Not for this user.
    #[error("this user may not use /dev/uhid: {0}")]
    Denied(String),
    /// The kernel took the file and not what it was told.
    #[error("/dev/uhid does not do its work: {0}")]
    Broken(String),
}

impl Fault {
    /// Stable id and remedy.
    pub fn advice(&self) -> (&'static str, &'static str) {
        match self {
            Fault::Missing(_) => (
                "uhid.missing",
                "sudo modprobe uhid, and echo uhid | sudo tee /etc/modules-load.d/uhid.conf to keep it; containers have none: run this outside, or use the browser extension",
            ),
            Fault::Denied(_) => (
                "uhid.denied",
                "sudo cp desktop-client/deploy/70-cablecar-device.rules /etc/udev/rules.d/, then sudo udevadm control --reload && sudo udevadm trigger /dev/uhid",
            ),
            Fault::Broken(_) => ("uhid.broken", "sudo dmesg has what the kernel says; then try again"),
        }
    }

    fn of(cause: &io::Error) -> Self {
        match cause.kind() {
            ErrorKind::PermissionDenied => Fault::Denied(cause.to_string()),
            _ => Fault::Missing(cause.to_string()),
        }
    }

    fn later(cause: &io::Error) -> Error {
        Error::Uhid(Fault::Broken(cause.to_string()))
    }
}

/// A virtual security key that is plugged in.
#[derive(Debug)]
pub struct Uhid {
    file: AsyncFd<File>,
    /// Reports sent since the last pause.
    burst: u32,
}

impl Uhid {
    /// Plugs it in.
    ///
    /// # Errors
    /// [`Error::Uhid`].
    pub async fn plug_in(device: &Path) -> Result<Self, Error> {
        let opened = OpenOptions::new().read(true).write(true).open(device);
        let file = opened.map_err(|cause| Error::Uhid(Fault::of(&cause)))?;
        Self::over(file.into()).await
    }

    /// The same, on a file that is open.
    ///
    /// # Errors
    /// [`Error::Uhid`].
    pub async fn over(file: OwnedFd) -> Result<Self, Error> {
        let ready = rustix::io::ioctl_fionbio(&file, true).map_err(io::Error::from);
        let file = ready.and_then(|()| watched(File::from(file))).map_err(|cause| Fault::later(&cause))?;
        let mut uhid = Self { file, burst: 0 };
        uhid.write(&event::create()).await?;
        Ok(uhid)
    }

    async fn read(&mut self) -> Result<Event, Error> {
        let mut bytes = [0; event::LONGEST];
        let read = async {
            loop {
                let mut ready = self.file.readable().await?;
                if let Ok(read) = ready.try_io(|file| file.get_ref().read(&mut bytes)) {
                    break read;
                }
            }
        };
        let read = read.await.map_err(|cause| Fault::later(&cause))?;
        if read == 0 {
            return Err(Fault::later(&ErrorKind::UnexpectedEof.into()));
        }
        Ok(Event::read(bytes.get(..read).unwrap_or_default()))
    }

    /// An event is taken whole or not at all.
    async fn write(&mut self, event: &[u8]) -> Result<(), Error> {
        let written = async {
            loop {
                let mut ready = self.file.writable().await?;
                if let Ok(written) = ready.try_io(|file| file.get_ref().write(event)) {
                    break written;
                }
            }
        };
        written.await.map(|_| ()).map_err(|cause| Fault::later(&cause))
    }
}

/// tokio's newer door to this is unsafe, for the sake of types that name another
/// descriptor later on or none at all.
#[allow(
    deprecated,
    reason = "a File has one descriptor, open as long as it lives, which is all that is asked"
)]
fn watched(file: File) -> io::Result<AsyncFd<File>> {
    AsyncFd::new(file)
}

impl Uhid {
    /// At once, so that what was read is not lost over it: the kernel takes
    /// every event without waiting. A reply that nobody waits for any more is
    /// refused, which is no failure.
    fn reply(&self, event: &[u8]) {
        let _ = self.file.get_ref().write(event);
    }
}

impl Wire for Uhid {
    async fn receive(&mut self) -> Result<Heard, Error> {
        loop {
            match self.read().await? {
                Event::Report(report, asked) => {
                    if let Some(id) = asked {
                        self.reply(&event::set_report(id, true));
                    }
                    self.burst = 0;
                    return Ok(Heard::Report(report));
                }
                Event::Close => return Ok(Heard::Left),
                Event::GetReport(id) => self.reply(&event::no_report(id)),
                Event::SetReport(id) => self.reply(&event::set_report(id, false)),
                Event::Open | Event::Other => {}
            }
        }
    }

    async fn send(&mut self, report: &Report) -> Result<(), Error> {
        if self.burst >= defaults::BURST {
            sleep(defaults::BURST_PAUSE).await;
            self.burst = 0;
        }
        self.write(&event::input(report)).await?;
        self.burst += 1;
        Ok(())
    }

    async fn close(mut self) {
        // Closing the file does the same; this way it is done when we say so.
        let _ = self.write(&event::destroy()).await;
    }
}

#[cfg(test)]
mod tests;
