//! `admin`: a running relay's own door, from a shell.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use crate::config::{Address, LogLevel};
use crate::error::Error;
use crate::settings::layers::Layers;

/// Longer than a relay takes to answer, or to hang up.
const PATIENCE: Duration = Duration::from_secs(15);

/// No answer is larger.
const LONGEST: u64 = 1 << 20;

#[derive(Debug, Args)]
pub(super) struct Admin {
    #[command(subcommand)]
    what: What,
    /// Where the relay's admin listener is, as in its own --admin-listen
    #[arg(long, global = true, value_name = "ADDR", env = "CABLECAR_RELAY_ADMIN_LISTEN")]
    admin_listen: Option<Address>,
    /// The relay's settings, for where that is, if it is not said otherwise
    #[arg(long, global = true, value_name = "FILE", env = "CABLECAR_RELAY_CONFIG")]
    config: Option<PathBuf>,
    /// How to print the answer
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// Say how it is
    Status,
    /// Open no more tunnels, and end with the last
    Drain,
    /// Log at another level until the next start
    Loglevel {
        /// error, warn, info, debug or trace
        #[arg(value_parser = level)]
        level: LogLevel,
    },
    /// Read certificates and lists again
    Reload,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// As the relay said it
    Json,
}

impl Admin {
    pub(super) fn run(self) -> Result<ExitCode, Error> {
        let missing = "--admin-listen or --config is needed: where the relay's admin listener is";
        let addr = match (self.admin_listen, self.config) {
            (Some(addr), _) => addr,
            (None, None) => return Err(Error::Usage(missing.into())),
            (None, Some(file)) => listener_of(file)?,
        };
        let answer = match &self.what {
            What::Status => ask(&addr, "GET", "/status", "")?,
            What::Drain => ask(&addr, "POST", "/drain", "")?,
            What::Loglevel { level } => ask(&addr, "POST", "/loglevel", level.name())?,
            What::Reload => ask(&addr, "POST", "/reload", "")?,
        };
        let text = match (self.format, &self.what) {
            (Format::Json, _) => format!("{answer}\n"),
            (Format::Text, What::Status) => in_words(&answer),
            (Format::Text, What::Drain) if answer.get("changed") == Some(&Value::Bool(true)) => {
                "it opens no more tunnels, and ends with the last\n".into()
            }
            (Format::Text, What::Drain) => "it was draining already\n".into(),
            (Format::Text, What::Loglevel { level }) => format!("it logs at level {}\n", level.name()),
            (Format::Text, What::Reload) => "it has read its files again\n".into(),
        };
        let written = io::stdout().lock().write_all(text.as_bytes());
        written.map(|()| ExitCode::SUCCESS).map_err(|error| Error::System(error.to_string()))
    }
}

/// Where a relay with these settings has its admin listener. Nothing else of
/// them is looked at: the key may be readable for the relay alone.
fn listener_of(file: PathBuf) -> Result<Address, Error> {
    let named = file.display().to_string();
    let listen = Layers::of_file(file)?.settings.admin.listen;
    listen.ok_or_else(|| {
        Error::Usage(format!("{named} has no admin.listen, so its relay has no admin listener"))
    })
}

fn level(name: &str) -> Result<LogLevel, String> {
    LogLevel::from_name(name)
        .ok_or_else(|| format!("one of {}", LogLevel::ALL.map(LogLevel::name).join(", ")))
}

/// One question over a connection of its own.
fn ask(addr: &Address, method: &str, path: &str, body: &str) -> Result<Value, Error> {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(addr, &request);
    let answer = answer.map_err(|cause| Error::Unreachable { addr: addr.clone(), cause })?;
    let (status, json) = parse(&answer).ok_or_else(|| Error::Stranger { addr: addr.clone() })?;
    match json.get("error").and_then(Value::as_str) {
        _ if status == 200 => Ok(json),
        Some(error) => Err(Error::Refused(match json.get("id").and_then(Value::as_str) {
            Some(id) => format!("{error} [{id}]"),
            None => error.to_owned(),
        })),
        None => Err(Error::Stranger { addr: addr.clone() }),
    }
}

fn exchange(addr: &Address, request: &str) -> io::Result<String> {
    match addr {
        Address::Tcp(addr) => {
            let tcp = TcpStream::connect_timeout(addr, PATIENCE)?;
            tcp.set_read_timeout(Some(PATIENCE))?;
            tcp.set_write_timeout(Some(PATIENCE))?;
            say_and_hear(tcp, request)
        }
        #[cfg(unix)]
        Address::Unix(path) => {
            let unix = std::os::unix::net::UnixStream::connect(path)?;
            unix.set_read_timeout(Some(PATIENCE))?;
            unix.set_write_timeout(Some(PATIENCE))?;
            say_and_hear(unix, request)
        }
        _ => Err(io::Error::new(io::ErrorKind::Unsupported, "no address to connect to")),
    }
}

fn say_and_hear(mut stream: impl Read + Write, request: &str) -> io::Result<String> {
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Status and body; both programs are ours, so anything else is a stranger's.
fn parse(answer: &str) -> Option<(u16, Value)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some((status, serde_json::from_str(body).ok()?))
}

fn in_words(status: &Value) -> String {
    let number = |path: &str| status.pointer(path).and_then(Value::as_u64);
    let count = |path: &str| number(path).unwrap_or_default();
    let mut text = String::new();
    let version = status.get("version").and_then(Value::as_str).unwrap_or("?");
    // Writing to a string cannot fail.
    let _ = writeln!(text, "version      {version}, up {}", duration(count("/uptime_seconds")));
    let state = match (status.get("draining"), status.get("ready")) {
        (Some(Value::Bool(true)), _) => "draining: it opens no more tunnels",
        (_, Some(Value::Bool(true))) => "ready",
        _ => "not accepting",
    };
    let _ = writeln!(text, "state        {state}");
    let tunnels = ["waiting", "paired", "closing"].map(|of| count(&format!("/tunnels/{of}")));
    let [waiting, paired, closing] = tunnels;
    let _ = writeln!(text, "tunnels      {waiting} waiting, {paired} paired, {closing} closing");
    let _ = writeln!(text, "connections  {} of {}", count("/connections/now"), count("/connections/limit"));
    let _ = writeln!(text, "held         {} bytes", count("/held_bytes"));
    if let Some(descriptors) = number("/open_descriptors") {
        let _ = writeln!(text, "descriptors  {descriptors}");
    }
    if let Some(bytes) = number("/resident_bytes") {
        let _ = writeln!(text, "memory       {} MiB", bytes >> 20);
    }
    if let Some(expiry) = number("/certificate_expiry") {
        let at = std::time::UNIX_EPOCH + Duration::from_secs(expiry);
        let _ = writeln!(text, "certificate  valid until {}", httpdate::fmt_http_date(at));
    }
    if let Some(level) = status.get("log_level").and_then(Value::as_str) {
        let _ = writeln!(text, "log level    {level}");
    }
    text
}

/// The two largest units.
fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_answer_of_ours_is_none() {
        let good = "HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(parse(good), Some((409, serde_json::json!({}))));
        for bad in ["", "HTTP/1.1 200 OK\r\n\r\nok\n", "SSH-2.0-x\r\n\r\n{}", "HTTP/1.1 2\r\n\r\n{}"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_duration_has_two_units() {
        let said = [59, 60, 3600, 90_000].map(duration);
        assert_eq!(said, ["59 s", "1 min 0 s", "1 h 0 min", "1 d 1 h"]);
    }
}
