//! Listening, accepting, and ending.
//!
//! Structured: [`Relay::run`] owns every task it starts. When it ends, or is
//! dropped, all of them end.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use cablecar_protocol::ids::RoutingId;
use rustls::ServerConfig;
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::access::Access;
use crate::acme::Authority;
use crate::address::Address;
use crate::admin::Admin;
use crate::config::{Config, Security};
use crate::control::{Board, Control};
use crate::defaults;
use crate::desk::{Desk, Terms};
use crate::door::Door;
use crate::drain::Drain;
#[cfg(unix)]
use crate::drain::Stage;
use crate::error::Error;
use crate::identity::Identity;
#[cfg(unix)]
use crate::identity::Place;
use crate::listeners::{self, Listener};
use crate::observer::{Event, Observer};
#[cfg(unix)]
use crate::passing;
use crate::reload::{Reload, Reloader};
use crate::roll_call::RollCall;
#[cfg(unix)]
use crate::service;
use crate::tls::Certificates;
use crate::upgrade::Inheritance;
#[cfg(unix)]
use crate::upgrade::{NotUpgraded, Successor, Upgrade};

/// A relay that is bound to its addresses and not running yet.
#[derive(Debug)]
pub struct Relay {
    listeners: Vec<Listener>,
    identity: Identity,
    access: Arc<Access>,
    drain: Drain,
    #[cfg(unix)]
    upgrade: Upgrade,
    inheritance: Inheritance,
    reloader: Arc<Reloader>,
    roll_call: RollCall,
    tls: Option<Arc<ServerConfig>>,
    authority: Option<Authority>,
    config: Config,
    board: Arc<Board>,
    admin: Option<Arc<Admin>>,
}

impl Relay {
    /// Binds the addresses of `config`. From here on clients can connect; they
    /// are served once it runs.
    ///
    /// # Errors
    /// [`Error::Setting`] for limits that contradict each other,
    /// [`Error::Listen`] if an address cannot be had. Must be called within
    /// a tokio runtime.
    pub fn bind(config: Config) -> Result<Self, Error> {
        Self::bind_with(config, Inheritance::default())
    }

    /// The same for a process that takes the place of another one: what that
    /// one listens on is not bound again.
    ///
    /// # Errors
    /// As of [`Relay::bind`].
    pub fn bind_with(config: Config, mut inheritance: Inheritance) -> Result<Self, Error> {
        config.check()?;
        let access = Arc::new(Access::new(&config.access)?);
        let listeners = listeners::bind(&config.listen, &mut inheritance)?;
        let admin = config.admin.listen.as_ref();
        let admin = admin.map(|address| Admin::bind(address, &mut inheritance)).transpose()?;
        let rules: Arc<Access> = Arc::clone(&access);
        let mut files: Vec<Arc<dyn Reload>> = vec![rules];
        let mut authority = None;
        let tls = match &config.security {
            Security::Tls(tls) => Some(Arc::clone(tls)),
            Security::Files(certificates) => {
                let file: Arc<Certificates> = Arc::clone(certificates);
                files.push(file);
                Some(certificates.server()?)
            }
            Security::Acme(acme) => Some(authority.insert(Authority::new(acme)?).server()?),
            Security::Plain => None,
        };
        let reloader = Arc::new(Reloader::new(files));
        let drain = Drain::default();
        let board = Arc::new(Board::new(&config, &reloader, &drain));
        Ok(Self {
            listeners,
            identity: Identity::of(&config)?,
            access,
            drain,
            #[cfg(unix)]
            upgrade: Upgrade::default(),
            inheritance,
            reloader,
            roll_call: RollCall::new(),
            tls,
            authority,
            config,
            board,
            admin,
        })
    }

    /// The first bound IP address, with the port that was really taken;
    /// `0.0.0.0:0` if it listens at none.
    pub fn local_addr(&self) -> SocketAddr {
        let mut addresses = self.listeners.iter().filter_map(|listener| match listener.address() {
            Address::Tcp(addr) => Some(*addr),
            _ => None,
        });
        addresses.next().unwrap_or_else(|| (std::net::Ipv4Addr::UNSPECIFIED, 0).into())
    }

    /// Where its admin listener is, if it has one.
    pub fn admin_addr(&self) -> Option<Address> {
        self.admin.as_ref().map(|admin| admin.listener().address().clone())
    }

    /// The routing id that it gives and answers to.
    pub fn routing_id(&self) -> RoutingId {
        self.identity.routing_id
    }

    /// What makes it drain.
    pub fn drain(&self) -> Drain {
        self.drain.clone()
    }

    /// What puts a new program in its place.
    #[cfg(unix)]
    pub fn upgrade(&self) -> Upgrade {
        self.upgrade.clone()
    }

    /// What shows how it is, and steers it.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.board))
    }

    /// Reads its files again. While it runs, it does so by itself whenever
    /// they change.
    pub fn reloader(&self) -> Arc<Reloader> {
        Arc::clone(&self.reloader)
    }

    /// Asks whether it still accepts.
    pub fn roll_call(&self) -> RollCall {
        self.roll_call.clone()
    }

    /// Serves until `shutdown` ends; then closes every tunnel and waits for
    /// the last, for at most two seconds. Ends by itself once it has been
    /// made to [`Drain`], or another process has taken its place, and no
    /// tunnel is left.
    pub async fn run(self, shutdown: impl Future<Output = ()>, observer: impl Observer) {
        let control = self.control();
        let Self { listeners, identity, access, reloader, roll_call, tls, authority, config, .. } = self;
        let (hosts, tls) = (config.hosts(), tls.map(TlsAcceptor::from));
        let connections = config.limits.connections.unwrap_or_else(connections_by_descriptors);
        let terms = Terms { proxy: config.proxy, hosts, routing_id: identity.routing_id, access };
        let (board, admin) = (self.board, self.admin);
        let desk = Desk::new(config.limits, terms, connections, Arc::clone(&board), Box::new(observer));
        #[cfg(unix)]
        let possible = identity.place.as_ref().map(drop).map_err(|why| *why);
        #[cfg(unix)]
        let (desk, passed, _door) = match identity.place {
            Ok(Place { socket, siblings, door }) => (desk.among(siblings), Ok(socket), Some(door)),
            Err(why) => (desk, Err(why), None),
        };
        let house = House { desk: Arc::new(desk) };
        board.attach(&house.desk);
        let desk = Arc::downgrade(&house.desk);
        let tell = move |event| {
            if let Some(desk) = desk.upgrade() {
                desk.notice(event);
            }
        };
        reloader.tell(tell.clone());
        let renewal = async move {
            if let Some(authority) = authority {
                authority.attend(tell).await;
            }
            pending::<Infallible>().await
        };

        self.inheritance.begin().await;

        // Aborted with this set, whatever happens.
        let mut loops = JoinSet::new();
        let listeners: Vec<_> = listeners.into_iter().map(Arc::new).collect();
        for listener in &listeners {
            house.desk.notice(Event::Listening { addr: listener.address().clone() });
            let door = Door::new(Arc::clone(&house.desk), tls.clone());
            loops.spawn(door.accept_all(Arc::clone(listener), roll_call.enrol()));
        }
        board.accepting(true);
        // The operator's own door is handed over like the others.
        let mut listeners = listeners;
        if let Some(admin) = &admin {
            listeners.push(Arc::clone(admin.listener()));
            loops.spawn(Arc::clone(admin).serve(control));
        }
        #[cfg(unix)]
        let brought = house.take_in(passed.as_ref());
        #[cfg(not(unix))]
        let brought = pending::<Infallible>();
        let mut ended = pin!(async {
            tokio::select! {
                biased;
                () = shutdown => {}
                () = house.desk.drained() => {}
                never = reloader.watch() => match never {},
                never = renewal => match never {},
                never = brought => match never {},
            }
        });
        #[cfg(unix)]
        tokio::select! {
            biased;
            () = &mut ended => {}
            successor = house.succession(&self.upgrade, possible, &listeners) => {
                // In this order: nobody is to find two processes at the door.
                board.accepting(false);
                roll_call.dismiss();
                loops.shutdown().await;
                let process = successor.process();
                service::succeeded_by(process);
                successor.go().await;
                listeners.iter().for_each(|listener| listener.hand_over());
                drop((listeners, admin));
                house.desk.notice(Event::HandedOver { process });
                house.desk.drain.advance(Stage::HandedOver);
                ended.await;
            }
        }
        #[cfg(not(unix))]
        ended.await;
        board.accepting(false);
        roll_call.dismiss();
        loops.shutdown().await;
        house.desk.notice(Event::Stopping);
        house.desk.stop();
        let _ = timeout(defaults::STOP, house.desk.visits.nobody()).await;
    }
}

/// Stops everybody when dropped, so that no task outlives [`Relay::run`].
struct House {
    desk: Arc<Desk>,
}

impl Drop for House {
    fn drop(&mut self) {
        self.desk.stop();
    }
}

#[cfg(unix)]
impl House {
    /// Waits until a new program is ready that was asked for.
    async fn succession(
        &self,
        upgrade: &Upgrade,
        possible: Result<(), NotUpgraded>,
        listeners: &[Arc<Listener>],
    ) -> Successor {
        loop {
            upgrade.asked().await;
            let named: Vec<_> = listeners.iter().map(|listener| listener.named()).collect();
            let started = match possible {
                Ok(()) => Successor::start(&named).await,
                Err(why) => Err(why),
            };
            match started {
                Ok(successor) => return successor,
                Err(why) => self.desk.notice(Event::NotUpgraded { why }),
            }
        }
    }

    /// Serves whom other processes of this node pass on.
    async fn take_in(&self, socket: Result<&UnixListener, &NotUpgraded>) -> Infallible {
        let Ok(socket) = socket else { return pending().await };
        loop {
            match socket.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(passing::take_in(Arc::clone(&self.desk), stream))),
                Err(_) => sleep(defaults::ACCEPT_PAUSE).await,
            }
        }
    }
}

/// 0.9 × (descriptor limit − 64), raising the limit to what is allowed; at
/// least one, for a relay that refuses everybody helps nobody to find out why.
fn connections_by_descriptors() -> u64 {
    let Some(limit) = descriptor_limit() else { return defaults::CONNECTIONS_UNKNOWN };
    let spare = limit.saturating_sub(defaults::SPARE_DESCRIPTORS);
    (spare / 10).saturating_mul(defaults::CONNECTIONS_TENTHS).max(1)
}

/// The descriptor limit, raised to what is allowed.
#[cfg(unix)]
pub(crate) fn descriptor_limit() -> Option<u64> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Refused where the hard limit is above what the kernel allows; then the
    // soft one stays.
    let _ = setrlimit(Resource::Nofile, limit);
    getrlimit(Resource::Nofile).current
}

#[cfg(not(unix))]
pub(crate) fn descriptor_limit() -> Option<u64> {
    None
}
