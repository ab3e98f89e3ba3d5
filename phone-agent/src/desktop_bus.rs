//! A connection to one of the two buses of a desktop, for one question or one
//! verification, and the signals of one service on it.

#[cfg(feature = "notification")]
use std::env;
#[cfg(feature = "notification")]
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dbus::Message;
use dbus::arg::{AppendAll, ReadAll};
use dbus::channel::{BusType, Channel, MatchingReceiver, Sender};
use dbus::message::{MatchRule, MessageType};
use dbus::nonblock::{Proxy, SyncConnection};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

const BUS: &str = "org.freedesktop.DBus";
const BUS_PATH: &str = "/org/freedesktop/DBus";

/// Which bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bus {
    /// That of the person's session.
    #[cfg(feature = "notification")]
    Session,
    /// That of the machine.
    #[cfg(feature = "fprintd")]
    System,
}

/// A service on a bus, by a connection of its own.
pub(crate) struct Service {
    connection: Arc<SyncConnection>,
    reader: JoinHandle<()>,
    name: &'static str,
    patience: Duration,
}

/// The signals of a service, in order. `None` once it or its bus is gone.
pub(crate) type Signals = mpsc::UnboundedReceiver<Option<Message>>;

impl Service {
    /// Connects to this bus. No call takes longer than `patience`.
    pub(crate) async fn on(
        bus: Bus,
        name: &'static str,
        patience: Duration,
    ) -> Result<(Self, Signals), dbus::Error> {
        let channel = connect(bus, patience).await?;
        let (resource, connection) = dbus_tokio::connection::from_channel::<SyncConnection>(channel)?;
        let (tell, signals) = mpsc::unbounded_channel();
        let lost = tell.clone();
        let reader = tokio::spawn(async move {
            resource.await;
            let _ = lost.send(None);
        });
        let service = Self { connection, reader, name, patience };
        // Whoever has the name now: nobody else's signals count.
        let owner = service.owner().await?;
        service.listen(&owner, tell).await?;
        Ok((service, signals))
    }

    /// The unique name of who has the service's name. A service that starts
    /// on demand is started.
    async fn owner(&self) -> Result<String, dbus::Error> {
        let bus = Proxy::new(BUS, BUS_PATH, self.patience, Arc::clone(&self.connection));
        // A name that cannot be started may be owned all the same.
        let started = bus.method_call::<(u32,), _, _, _>(BUS, "StartServiceByName", (self.name, 0_u32)).await;
        let owner = bus.method_call::<(String,), _, _, _>(BUS, "GetNameOwner", (self.name,)).await;
        match (owner, started) {
            (Ok((owner,)), _) => Ok(owner),
            (Err(_), Err(cause)) | (Err(cause), Ok(_)) => Err(cause),
        }
    }

    async fn listen(
        &self,
        owner: &str,
        tell: mpsc::UnboundedSender<Option<Message>>,
    ) -> Result<(), dbus::Error> {
        let (from, name) = (owner.to_owned(), self.name);
        self.connection.start_receive(
            MatchRule::new().with_type(MessageType::Signal),
            Box::new(move |message, _| {
                let sender = message.sender();
                if sender.as_deref() == Some(from.as_str()) {
                    let _ = tell.send(Some(message));
                } else if sender.as_deref() == Some(BUS) && is_about(name, &message) {
                    let _ = tell.send(None);
                }
                true
            }),
        );
        let bus = Proxy::new(BUS, BUS_PATH, self.patience, Arc::clone(&self.connection));
        let signals = format!("type='signal',sender='{owner}'");
        let end = format!("type='signal',sender='{BUS}',member='NameOwnerChanged',arg0='{name}'");
        for rule in [signals, end] {
            bus.method_call::<(), _, _, _>(BUS, "AddMatch", (rule,)).await?;
        }
        Ok(())
    }

    /// Calls a method of the service.
    pub(crate) async fn call<R: ReadAll + 'static, A: AppendAll>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        arguments: A,
    ) -> Result<R, dbus::Error> {
        let proxy = Proxy::new(self.name, path, self.patience, Arc::clone(&self.connection));
        proxy.method_call(interface, method, arguments).await
    }

    /// Sends a call, and waits for nothing but for its being sent.
    pub(crate) fn tell<A: AppendAll>(&self, path: &str, interface: &str, method: &str, arguments: A) {
        let Ok(mut call) = Message::new_method_call(self.name, path, interface, method) else { return };
        call.append_all(arguments);
        call.set_no_reply(true);
        let _ = self.connection.send(call);
        let channel: &Channel = (*self.connection).as_ref();
        channel.flush();
    }
}

/// Whether the bus says that this name has another owner now, or none.
fn is_about(name: &str, message: &Message) -> bool {
    message.member().as_deref() == Some("NameOwnerChanged") && message.get1::<&str>() == Some(name)
}

impl Drop for Service {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Connecting blocks, so it does that elsewhere.
async fn connect(bus: Bus, patience: Duration) -> Result<Channel, dbus::Error> {
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || tell.send(open(bus)));
    match tokio::time::timeout(patience, told).await {
        Ok(Ok(channel)) => channel,
        _ => Err(dbus::Error::new_failed("the bus does not answer")),
    }
}

fn open(bus: Bus) -> Result<Channel, dbus::Error> {
    match bus {
        #[cfg(feature = "fprintd")]
        Bus::System => Channel::get_private(BusType::System),
        #[cfg(feature = "notification")]
        Bus::Session if env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some() => {
            Channel::get_private(BusType::Session)
        }
        // The library would start a bus of its own, on which nobody is.
        #[cfg(feature = "notification")]
        Bus::Session => {
            let folder = env::var_os("XDG_RUNTIME_DIR")
                .ok_or_else(|| dbus::Error::new_failed("there is no session bus"))?;
            let mut channel =
                Channel::open_private(&format!("unix:path={}", Path::new(&folder).join("bus").display()))?;
            channel.register()?;
            Ok(channel)
        }
    }
}
