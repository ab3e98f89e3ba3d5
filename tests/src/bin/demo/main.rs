//! The whole chain in one process: a relying party that is not ours, a relay
//! with TLS, a computer and a phone. Registers a passkey, signs in with it,
//! and shows a phone that must be ignored. Ends with 0 only if all three went
//! as they must. With `--web`, a website and a relay for a person to try.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a demo that cannot be set up has nothing to show"
)]
#![allow(clippy::print_stdout, reason = "printing is what a demo is for")]

mod authority;
mod web;

use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cablecar::error::Error as ComputerError;
use cablecar::screen::Notice;
use cablecar::screen::code::Code;
use cablecar::transaction::Ask;
use cablecar::tunnel::{Dialer, Joining, Line, Network, Socket};
use cablecar::webauthn::{Create, Get, Origin};
use cablecar_phone::consent::scripted::Scripted;
use cablecar_phone::passphrase::Passphrase;
use cablecar_phone::transaction::{Outcome, Phone};
use cablecar_phone::vault::{Kdf, Vault};
use cablecar_protocol::client_platform::qr_initiated::ExpectAdvert;
use cablecar_protocol::qr::{Hint, QrInvitation};
use cablecar_protocol::tunnel::{Dial, TunnelServiceDomain};
use cablecar_relay::{Config, Event, Relay, Security, Side};
use cablecar_tests::people::{Knows, PASSPHRASE};
use cablecar_tests::relying_party::RelyingParty;
use clap::Parser as _;
use rand_core::OsRng;
use serde_json::Value;
use tokio::sync::{oneshot, watch};

use authority::Authority;

const ORIGIN: &str = "https://login.example.com";
const RP_ID: &str = "example.com";

/// The whole of Cablecar in one process, or a website to try it on.
#[derive(clap::Parser)]
#[command(name = "demo")]
struct Arguments {
    /// Serve a website and a relay until Ctrl-C, and say what to type elsewhere
    #[arg(long)]
    web: bool,
    /// The website's port on localhost; 0 takes a free one
    #[arg(long, value_name = "N", requires = "web", default_value_t = 8420)]
    port: u16,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.web {
        return web::serve(arguments.port).await;
    }
    let stage = Stage::set();
    let relying_party = RelyingParty::new(RP_ID, ORIGIN);
    println!("A relay with TLS at {}, reached as {}.", stage.relay_address, stage.domain.host());
    println!("No radio in this demo: adverts go over loopback, which proves no proximity.");

    let passed = match scenes(&stage, &relying_party).await {
        Ok(()) => true,
        Err(why) => {
            println!("\nFAILED: {why}");
            false
        }
    };
    stage.strike().await;
    if passed {
        println!("\nAll three went as they must.");
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn scenes(stage: &Stage, relying_party: &RelyingParty) -> Result<(), String> {
    heading("1. Register a passkey that stays on the phone");
    let (options, state) = relying_party.register("alice");
    let create = Create::from_json(options.to_string().as_bytes(), &origin()).map_err(text)?;
    let played = stage.play(&create.ask(), true).await?;
    let response = serde_json::to_value(create.finish(&played.answer).map_err(text)?).map_err(text)?;
    let credential = relying_party.registered(&response, &state).map_err(text)?;
    verdict(&format!(
        "new {:?} key for alice, user verified: {}",
        credential.cred.type_, credential.user_verified
    ));

    heading("2. Sign in with it");
    let (options, state) = relying_party.sign_in(vec![credential.clone()]);
    let get = Get::from_json(without_allow_list(options).to_string().as_bytes(), &origin()).map_err(text)?;
    let played = stage.play(&get.ask(), false).await?;
    let response = serde_json::to_value(get.finish(&played.answer).map_err(text)?).map_err(text)?;
    let result = relying_party.signed_in(&response, &state).map_err(text)?;
    if !result.user_verified() || result.cred_id() != &credential.cred_id {
        return Err("the relying party took the sign-in for somebody else's".into());
    }
    verdict(&format!("alice is signed in, user verified: {}", result.user_verified()));
    played.print_exchanges()?;

    heading("3. A phone that scanned another code must be ignored");
    stage.stranger().await
}

/// The page names no credential: whoever has a passkey may come.
fn without_allow_list(mut options: Value) -> Value {
    if let Some(options) = options.as_object_mut() {
        options.remove("allowCredentials");
    }
    options
}

/// What the demo plays on.
struct Stage {
    relay_address: std::net::SocketAddr,
    domain: TunnelServiceDomain,
    seen_by_relay: Arc<Mutex<Vec<Event>>>,
    network: Network,
    phone_network: cablecar_phone::tunnel::Network,
    vault: Vault,
    stop: oneshot::Sender<()>,
    relay: tokio::task::JoinHandle<()>,
}

/// What came of one request.
struct Played {
    answer: Vec<u8>,
    /// From the advert heard to the answer.
    took: Duration,
    exchanges: Vec<(&'static str, Duration)>,
}

impl Stage {
    /// A certificate authority of its own, a relay, an empty vault.
    fn set() -> Self {
        let domain = TunnelServiceDomain::new(266).unwrap();
        let authority = Authority::new();
        let tls = authority.server(&domain.host());
        let mut config = Config::new(([127, 0, 0, 1], 0).into(), Security::Tls(tls));
        config.domain = Some(domain);
        let relay = Relay::bind(config).unwrap();
        let relay_address = relay.local_addr();
        let seen_by_relay = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = oneshot::channel();
        let observer = {
            let seen = Arc::clone(&seen_by_relay);
            move |event| seen.lock().unwrap().push(event)
        };
        let relay = tokio::spawn(relay.run(async move { drop(stopped.await) }, observer));

        let ca_file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(ca_file.path(), authority.pem()).unwrap();
        let rule = format!("{}:443:{}:{}", domain.host(), relay_address.ip(), relay_address.port());
        let rules = vec![rule.parse().unwrap()];
        let vault = Vault::in_memory();
        let passphrase = Passphrase::new(PASSPHRASE.to_vec()).unwrap();
        vault.create(&passphrase, Kdf::STANDARD, &mut OsRng).unwrap();
        Self {
            relay_address,
            domain,
            seen_by_relay,
            network: Network::new(Some(ca_file.path()), rules.clone(), None).unwrap(),
            phone_network: cablecar_phone::tunnel::Network::new(Some(ca_file.path()), rules, None).unwrap(),
            vault,
            stop,
            relay,
        }
    }

    async fn strike(self) {
        let _ = self.stop.send(());
        let _ = self.relay.await;
    }

    /// One request, both sides, to the end.
    async fn play(&self, ask: &Ask, show_code: bool) -> Result<Played, String> {
        self.seen_by_relay.lock().unwrap().clear();
        let mut air = cablecar::proximity::air::Air::bind(([127, 0, 0, 1], 0).into()).await.map_err(text)?;
        let voice = cablecar_phone::proximity::air::Air::to(air.address().map_err(text)?).map_err(text)?;
        let (code, shown) = watch::channel(None);
        let mut screen = ComputerScreen { code, show_code, not_ours: 0, heard: None, done: None };
        let dialer = Stopwatch { network: &self.network, exchanges: Arc::default() };
        let mut rng = OsRng;
        let computer = cablecar::transaction::run(ask, &mut air, &dialer, &mut screen, &now, &mut rng);
        let phone = self.phone(voice, shown);
        let (answer, outcome) = tokio::join!(computer, phone);
        let answer = answer.map_err(text)?;
        outcome?.verdict().map_err(text)?;
        self.print_relay();
        let exchanges = dialer.exchanges.lock().unwrap().clone();
        let heard = screen.heard.ok_or("no phone was heard")?;
        let done = screen.done.ok_or("it was never done")?;
        Ok(Played { answer, took: done - heard, exchanges })
    }

    /// A phone in the hand of somebody who agrees, with a code in front.
    async fn phone(
        &self,
        voice: cablecar_phone::proximity::air::Air,
        mut shown: watch::Receiver<Option<String>>,
    ) -> Result<Outcome, String> {
        let code = shown.wait_for(Option::is_some).await.map_err(text)?.clone().unwrap_or_default();
        let mut phone = Phone {
            dialer: self.phone_network.clone(),
            advertiser: voice,
            consent: Scripted::Allow,
            passphrases: Knows,
            screen: PhoneScreen,
            vault: self.vault.clone(),
        };
        let invitation = QrInvitation::parse(&code).map_err(text)?;
        phone.run(invitation, self.domain, &mut OsRng, now()).await.map_err(text)
    }

    /// A computer waits; beside it a phone answers to somebody else's code.
    async fn stranger(&self) -> Result<(), String> {
        self.seen_by_relay.lock().unwrap().clear();
        let (_, elsewhere) = ExpectAdvert::invite(Hint::GetAssertion, now(), &mut OsRng).map_err(text)?;
        let (_code, scanned) = watch::channel(Some(elsewhere.to_text().to_string()));
        let mut air = cablecar::proximity::air::Air::bind(([127, 0, 0, 1], 0).into()).await.map_err(text)?;
        let voice = cablecar_phone::proximity::air::Air::to(air.address().map_err(text)?).map_err(text)?;
        let mut screen = ComputerScreen {
            code: watch::channel(None).0,
            show_code: false,
            not_ours: 0,
            heard: None,
            done: None,
        };
        let ask = Ask {
            request: vec![0x02],
            hint: Hint::GetAssertion,
            life: Duration::from_secs(2),
            needs_uv: false,
            needs_rk: false,
        };
        let mut rng = OsRng;
        let computer = cablecar::transaction::run(&ask, &mut air, &self.network, &mut screen, &now, &mut rng);
        // The phone would go on for a minute; the computer's end is the scene's.
        let ended = tokio::select! {
            ended = computer => ended,
            phone = self.phone(voice, scanned) => {
                return Err(format!("the stranger stopped first: {:?}", phone.map(|o| o.requests.len())));
            }
        };
        if !matches!(ended, Err(ComputerError::NotOurs(_))) {
            return Err(format!("the computer should have found a stranger alone, but: {ended:?}"));
        }
        if screen.not_ours == 0 {
            return Err("the stranger's advert was never heard".into());
        }
        let events = self.seen_by_relay.lock().unwrap().clone();
        let count = |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
        let (opened, joined) = (
            count(|event| matches!(event, Event::Opened { .. })),
            count(|event| matches!(event, Event::Joined { .. })),
        );
        println!("  computer  adverts heard and not for this code: at least {}", screen.not_ours);
        println!("  relay     tunnels opened by the stranger: {opened}, joined by the computer: {joined}");
        if (opened, joined) != (1, 0) {
            return Err("the relay should have seen one tunnel opened and none joined".into());
        }
        verdict("not a byte was sent to the stranger");
        Ok(())
    }

    /// All that a relay can tell: that there was something, and how large.
    fn print_relay(&self) {
        println!("  relay     saw only this:");
        for event in self.seen_by_relay.lock().unwrap().iter() {
            match event {
                Event::Opened { .. } => println!("            the phone opened a tunnel"),
                Event::Joined { .. } => println!("            the computer joined it"),
                Event::Forwarded { from, bytes, .. } => {
                    let from =
                        if *from == Side::First { "phone    -> computer" } else { "computer -> phone   " };
                    println!("            {from}  {bytes:4} bytes");
                }
                Event::Closed { .. } => println!("            the tunnel was closed and forgotten"),
                _ => {}
            }
        }
    }
}

impl Played {
    /// TCP, TLS, upgrade, greeting and reply, request and answer: each needs
    /// what the one before it brought, so there can be no fewer.
    const FORCED: usize = 5;

    fn print_exchanges(&self) -> Result<(), String> {
        println!("  exchanges from the advert heard to the assertion out:");
        for (number, (what, took)) in self.exchanges.iter().enumerate() {
            println!("    {}. {what:42} {:7.2} ms", number + 1, took.as_secs_f64() * 1e3);
        }
        println!("    in all, with what lies between        {:12.2} ms", self.took.as_secs_f64() * 1e3);
        if self.exchanges.len() != Self::FORCED {
            return Err(format!("the protocol forces {} exchanges", Self::FORCED));
        }
        Ok(())
    }
}

/// Shows what a person at the computer sees.
struct ComputerScreen {
    code: watch::Sender<Option<String>>,
    show_code: bool,
    not_ours: u64,
    heard: Option<Instant>,
    done: Option<Instant>,
}

impl cablecar::screen::Screen for ComputerScreen {
    fn notice(&mut self, notice: &Notice<'_>) {
        match notice {
            Notice::Code(invitation) => {
                if self.show_code
                    && let Ok(code) = Code::of(invitation)
                {
                    println!("{}", code.to_terminal());
                }
                self.code.send_replace(Some(invitation.to_text().to_string()));
            }
            Notice::Stage(stage, elapsed) => {
                match stage {
                    cablecar::screen::Stage::PhoneNearby => self.heard = Some(Instant::now()),
                    cablecar::screen::Stage::Done => self.done = Some(Instant::now()),
                    _ => {}
                }
                println!("  computer  {:7.3} s  {}", elapsed.as_secs_f64(), stage.sentence());
            }
            Notice::NotOurs(adverts) => self.not_ours = *adverts,
            Notice::Caution(_) => {}
        }
    }
}

/// Shows what a person at the phone sees.
struct PhoneScreen;

impl cablecar_phone::screen::Screen for PhoneScreen {
    fn notice(&mut self, notice: cablecar_phone::screen::Notice<'_>) {
        use cablecar_phone::screen::Notice;
        match notice {
            Notice::Stage(stage, elapsed) => {
                println!("  phone     {:7.3} s  {}", elapsed.as_secs_f64(), stage.sentence());
            }
            Notice::Asked(what) => println!("  phone                asked: {what}? (the script says yes)"),
            Notice::Verify(_) | Notice::Served(_) => {}
            Notice::NotServed(error) => println!("  phone     not served: {error}"),
            Notice::Caution(caution) => println!("  phone     warning: {caution}"),
        }
    }
}

/// Dials as the network does, and takes the time of each exchange.
struct Stopwatch<'a> {
    network: &'a Network,
    exchanges: Arc<Mutex<Vec<(&'static str, Duration)>>>,
}

struct Timed {
    socket: Socket,
    exchanges: Arc<Mutex<Vec<(&'static str, Duration)>>>,
    asked: Option<Instant>,
}

impl Dialer for Stopwatch<'_> {
    type Line = Timed;

    async fn dial(&self, dial: &Dial) -> Result<Timed, ComputerError> {
        let socket = self.network.dial(dial).await?;
        let Joining { tcp, tls, upgrade } = socket.joining();
        self.exchanges.lock().unwrap().extend([
            ("TCP", tcp),
            ("TLS", tls),
            ("websocket upgrade, joins the tunnel", upgrade),
        ]);
        Ok(Timed { socket, exchanges: Arc::clone(&self.exchanges), asked: None })
    }
}

impl Line for Timed {
    async fn send(&mut self, message: Vec<u8>) -> Result<(), ComputerError> {
        self.asked = Some(Instant::now());
        self.socket.send(message).await
    }

    /// The first message after one of ours ends an exchange; what follows
    /// unasked costs none.
    async fn receive(&mut self) -> Result<Option<Vec<u8>>, ComputerError> {
        let message = self.socket.receive().await?;
        if let Some(message) = &message {
            let mut exchanges = self.exchanges.lock().unwrap();
            // The update comes unasked and is as long as no answer of ours.
            let unasked = message.len() == 528;
            if !unasked && let Some(asked) = self.asked.take() {
                let what = if exchanges.len() == 3 {
                    "greeting, reply (and hello)"
                } else {
                    "CTAP request, answer (vault, person)"
                };
                exchanges.push((what, asked.elapsed()));
            }
        }
        Ok(message)
    }

    async fn close(self) {
        self.socket.close().await;
    }
}

fn origin() -> Origin {
    Origin::parse(ORIGIN).unwrap()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn heading(words: &str) {
    println!("\n== {words}\n");
}

fn verdict(words: &str) {
    println!("  verdict   {words}");
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
