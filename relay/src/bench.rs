//! `cablecar-relay bench URL`: a load, and how a relay bears it.
//!
//! With `--rate` the load is an open loop: what begins when is laid down
//! beforehand, waits for nobody, and its time counts from the moment at which
//! it should have begun. So a relay that stops for a second is found out by
//! everything that would have begun in that second. With `--concurrency` alone
//! it is a closed loop, which is the right thing for the CPU time of one
//! operation and the wrong one for latencies under load.
//!
//! One thread, so that it can be kept on a core of its own.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use cablecar_protocol::tunnel::ConnectTo;
use clap::{Args, ValueEnum};
use rand_core::{OsRng, RngCore};

use crate::caller::{Trust, Url, Way};
use crate::error::Error;

mod drip;
mod echo;
mod figures;
mod flood;
mod idle;
mod runner;
mod schedule;
mod sign_in;
mod site;

use figures::Report;
use runner::Runner;
use schedule::Shape;
use site::Site;

/// What is done, and what its time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// Whole sign-ins: new, connect, the seven frames, close
    SignIns,
    /// Tunnels that wait; then some are joined. The time is that of joining
    Idle,
    /// Messages through paired tunnels. The time is one way
    Echo,
    /// Connections that never get to the point. The time is until they are evicted
    Drip,
    /// TLS hellos that nobody follows up. The time is until the relay answers
    Flood,
}

/// What of an opening a dripping connection drips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stage {
    /// Nothing at all
    Tcp,
    /// TLS's first message
    Hello,
    /// The request's head
    Head,
    /// A message, in a tunnel that waits
    Frame,
}

/// Loads a relay and prints as JSON how it bore that.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Relay to load, as wss://HOST[:PORT] or ws://HOST[:PORT]
    url: Url,
    /// What to do
    #[arg(long, value_enum, default_value = "sign-ins")]
    mode: Mode,
    /// Begin so many a second, come what may (open loop)
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// When they begin, with --rate
    #[arg(long, value_enum, default_value = "poisson", requires = "rate")]
    schedule: Shape,
    /// Keep so many going (closed loop); with --rate, begin no more than so many at once
    #[arg(long, value_name = "N")]
    concurrency: Option<usize>,
    /// Stop after so many
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Stop after so long; for idle, how long to hold them
    #[arg(long, value_name = "TIME", value_parser = crate::cli::time)]
    seconds: Option<Duration>,
    /// Tunnels to hold, for idle and echo; connections, for drip
    #[arg(long, value_name = "N", default_value_t = 64)]
    tunnels: u64,
    /// Join so many of a hundred of the idle tunnels, at random
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    pair: f64,
    /// Bytes of a message, for echo
    #[arg(long, value_name = "SIZE", value_parser = crate::cli::size, default_value_t = 512)]
    size: usize,
    /// Messages per side after which echo takes a new tunnel
    #[arg(long, value_name = "N", default_value_t = 50)]
    per_tunnel: u64,
    /// What to drip
    #[arg(long, value_enum, default_value = "tcp")]
    stage: Stage,
    /// Have both connections ready first, so that nothing lies between the 101 and the connect
    #[arg(long)]
    eager: bool,
    /// Come from so many addresses of 127.1.0.0/16, in turn; for a relay on loopback
    #[arg(long, value_name = "N", default_value_t = 0)]
    sources: u32,
    /// How long one may take before it counts as failed
    #[arg(long, value_name = "TIME", value_parser = crate::cli::time, default_value = "30")]
    patience: Duration,
    /// Certificate authorities to believe instead of the system's
    #[arg(long, value_name = "FILE", conflicts_with = "insecure_loopback")]
    ca_file: Option<PathBuf>,
    /// Look at no certificate, which saves this side half its work; loopback only
    #[arg(long)]
    insecure_loopback: bool,
    /// Dial ADDR:PORT instead of HOST:PORT
    #[arg(long, value_name = "HOST:PORT:ADDR:PORT")]
    connect_to: Vec<ConnectTo>,
    /// File with the token for opening tunnels
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Of the schedule and the choices; random if absent
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl Bench {
    /// Runs it and prints the report. Failures of the relay are figures of
    /// the report and no failure of this program.
    pub(crate) fn run(self) -> Result<ExitCode, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::System(error.to_string()))?;
        let _ = crate::server::descriptor_limit();
        let report = runtime.block_on(self.load())?;
        for warning in report.warnings() {
            let _ = writeln!(std::io::stderr(), "warning: {warning}");
        }
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{}", report.json()).and_then(|()| out.flush());
        runtime.shutdown_timeout(Duration::from_millis(100));
        Ok(ExitCode::SUCCESS)
    }

    async fn load(&self) -> Result<Report, Error> {
        if self.count == Some(0) || self.concurrency == Some(0) || self.tunnels == 0 || self.per_tunnel == 0 {
            return Err(Error::Usage("nothing to do: counts begin at 1".into()));
        }
        let trust = match &self.ca_file {
            _ if self.insecure_loopback => Trust::Anybody,
            Some(file) => Trust::File(file.clone()),
            None => Trust::System,
        };
        let way = Way::new(self.url.clone(), self.connect_to.clone(), &trust)?;
        let relay = way.resolve().await.map_err(|fault| Error::Usage(format!("{}: {fault}", self.url)))?;
        if trust == Trust::Anybody && !relay.ip().is_loopback() {
            return Err(Error::Usage(format!("--insecure-loopback: {} is not loopback", relay.ip())));
        }
        let token = self.token_file.as_deref().map(crate::probe::token).transpose()?;
        let site = Site::new(way, relay, self.sources, token, OsRng.next_u64());
        let runner = Runner {
            rate: self.rate.map(|rate| (rate, self.schedule)),
            concurrency: self.concurrency,
            count: self.count,
            lasts: self.seconds,
            patience: self.patience,
            seed: self.seed.unwrap_or_else(|| OsRng.next_u64()),
        };
        Ok(match self.mode {
            Mode::SignIns => sign_in::load(site, &runner, self.eager).await,
            Mode::Idle => idle::load(site, &runner, self.tunnels, self.pair).await,
            Mode::Echo => echo::load(site, &runner, self.tunnels, self.size, self.per_tunnel).await,
            Mode::Drip => drip::load(site, &runner, self.tunnels, self.stage).await,
            Mode::Flood => flood::load(site, &runner).await?,
        })
    }
}

fn rate(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("not a number above 0"),
    }
}
