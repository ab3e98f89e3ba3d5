//! The owner is whoever has one of the fingers that fprintd knows, by the
//! system bus (net.reactivated.Fprint).

use dbus::Path;

use super::Fault;
use crate::defaults;
use crate::desktop_bus::{Bus, Service, Signals};

const NAME: &str = "net.reactivated.Fprint";
const MANAGER_PATH: &str = "/net/reactivated/Fprint/Manager";
const MANAGER: &str = "net.reactivated.Fprint.Manager";
const DEVICE: &str = "net.reactivated.Fprint.Device";
/// To fprintd: whoever calls.
const MYSELF: &str = "";

/// Whether one of the person's fingers was on the reader, in a few tries.
/// However it ends, the reader is given back.
pub(super) async fn verify() -> Result<bool, Fault> {
    let (service, mut signals) = Service::on(Bus::System, NAME, defaults::DESKTOP).await.map_err(failed)?;
    let (device,): (Path<'static>,) =
        service.call(MANAGER_PATH, MANAGER, "GetDefaultDevice", ()).await.map_err(failed)?;
    let (fingers,): (Vec<String>,) =
        service.call(&device, DEVICE, "ListEnrolledFingers", (MYSELF,)).await.map_err(failed)?;
    if fingers.is_empty() {
        return Err(Fault::NoFingers);
    }
    // From before it is known to be ours: nobody else gives it back.
    let mut reader = Reader { service, device, verifying: false };
    reader.call("Claim", (MYSELF,)).await?;
    for _ in 0..defaults::FINGER_TRIES {
        // What was said before this start is about somebody else's finger.
        while signals.try_recv().is_ok_and(|signal| signal.is_some()) {}
        reader.verifying = true;
        reader.call("VerifyStart", ("any",)).await?;
        let matched = reader.status(&mut signals).await?;
        reader.call("VerifyStop", ()).await?;
        reader.verifying = false;
        if matched {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The reader, until it is given back.
struct Reader {
    service: Service,
    device: Path<'static>,
    verifying: bool,
}

impl Reader {
    async fn call<A: dbus::arg::AppendAll>(&self, method: &str, arguments: A) -> Result<(), Fault> {
        self.service.call(&self.device, DEVICE, method, arguments).await.map_err(failed)
    }

    /// Whether the finger that comes is known. One that slipped comes again.
    async fn status(&self, signals: &mut Signals) -> Result<bool, Fault> {
        while let Some(Some(signal)) = signals.recv().await {
            let ours = signal.member().as_deref() == Some("VerifyStatus")
                && signal.path() == Some(self.device.clone());
            let (Some(word), Some(done)) = signal.get2::<&str, bool>() else { continue };
            match word {
                _ if !ours => {}
                "verify-match" => return Ok(true),
                "verify-no-match" => return Ok(false),
                _ if done => return Err(Fault::ReaderFailed),
                _ => {}
            }
        }
        Err(Fault::ReaderFailed)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if self.verifying {
            self.service.tell(&self.device, DEVICE, "VerifyStop", ());
        }
        self.service.tell(&self.device, DEVICE, "Release", ());
    }
}

fn failed(error: dbus::Error) -> Fault {
    match error.name().and_then(|name| name.rsplit('.').next()).unwrap_or_default() {
        "NoSuchDevice" => Fault::NoReader,
        "NoEnrolledPrints" => Fault::NoFingers,
        "AlreadyInUse" => Fault::ReaderInUse,
        "PermissionDenied" | "AccessDenied" => Fault::ReaderDenied,
        _ if error.name().is_some_and(|name| name.starts_with(NAME)) => Fault::ReaderFailed,
        _ => Fault::NoFprintd,
    }
}
