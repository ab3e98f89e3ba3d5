//! Hearing through btleplug's own events: every system but Linux.

#![cfg_attr(target_os = "linux", allow(dead_code, reason = "compiled here, used elsewhere"))]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use btleplug::api::bleuuid::uuid_from_u16;
use btleplug::api::{Central, CentralEvent, CentralState, ScanFilter};
use btleplug::platform;
use cablecar_protocol::eid::{SERVICE_UUID, SERVICE_UUID_OLD};
use futures_util::StreamExt;
use tokio::task::JoinHandle;

use super::fault;
use crate::proximity::fault::Fault;
use crate::proximity::inbox::Inbox;
use crate::proximity::sieve::Address;

/// New devices after which btleplug's records of them are thrown away.
const FORGET_AFTER: u32 = 4_096;

/// A scan, and the task that reads what it brings.
#[derive(Debug)]
pub(super) struct Ear {
    central: platform::Adapter,
    reader: JoinHandle<()>,
}

impl Ear {
    /// Starts one long scan, for everything: a system that filters by UUID
    /// looks for a list of them, and service data is none.
    pub(super) async fn listen(
        central: platform::Adapter,
        name: &str,
        inbox: Arc<Inbox>,
    ) -> Result<Self, Fault> {
        let failed = |cause| fault(cause, Some(name));
        let mut events = central.events().await.map_err(failed)?;
        central.start_scan(ScanFilter::default()).await.map_err(failed)?;
        let (records, name) = (central.clone(), name.to_owned());
        let reader = tokio::spawn(async move {
            let mut discovered = 0u32;
            while let Some(event) = events.next().await {
                if let CentralEvent::DeviceDiscovered(_) = event {
                    discovered = discovered.wrapping_add(1);
                    if discovered.is_multiple_of(FORGET_AFTER) {
                        // Not being able to forget is no reason to stop.
                        let _ = records.clear_peripherals().await;
                    }
                }
                pass_on(event, &name, &inbox);
            }
            inbox.failed(Fault::Unavailable("the system has stopped listening".into()));
        });
        Ok(Self { central, reader })
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.reader.abort();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let central = self.central.clone();
            // If the runtime ends as well, the system ends the scan with us.
            runtime.spawn(async move {
                let _ = central.stop_scan().await;
            });
        }
    }
}

fn pass_on(event: CentralEvent, adapter: &str, inbox: &Inbox) {
    match event {
        CentralEvent::ServiceDataAdvertisement { id, service_data } => {
            for uuid in [SERVICE_UUID, SERVICE_UUID_OLD] {
                if let Some(data) = service_data.get(&uuid_from_u16(uuid)) {
                    inbox.heard(address(&id), data);
                }
            }
        }
        CentralEvent::StateUpdate(CentralState::PoweredOff) => inbox.failed(Fault::Off(adapter.to_owned())),
        _ => {}
    }
}

/// Some systems hide the address behind an id of their own; either tells one
/// device from another.
fn address(id: &platform::PeripheralId) -> Address {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    let [_, _, address @ ..] = hasher.finish().to_be_bytes();
    address
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::collections::HashMap;

    use cablecar_protocol::eid::ServiceData;

    use super::*;

    fn advert(uuid: u16, data: &[u8]) -> CentralEvent {
        let id = serde_json::json!({"object_path": "/org/bluez/hci0/dev_C0_00_00_00_00_01"});
        let id: bluez_async::DeviceId = serde_json::from_value(id).unwrap();
        let service_data = HashMap::from([(uuid_from_u16(uuid), data.to_vec())]);
        CentralEvent::ServiceDataAdvertisement { id: id.into(), service_data }
    }

    #[tokio::test]
    async fn adverts_under_both_uuids_are_passed_on_and_so_is_the_loss_of_power() {
        let inbox = Inbox::default();
        for (uuid, byte) in [(0xfff9, 1), (0xfcf1, 2), (0xfde2, 3)] {
            pass_on(advert(uuid, &[byte; 20]), "hci0", &inbox);
        }
        pass_on(advert(0xfff9, &[4; 19]), "hci0", &inbox);
        let mut heard = [inbox.next().await.unwrap(), inbox.next().await.unwrap()];
        heard.sort_by_key(|data| *data == ServiceData::new(&[3; 20]).unwrap());
        assert_eq!(heard, [1, 3].map(|byte| ServiceData::new(&[byte; 20]).unwrap()));
        pass_on(CentralEvent::StateUpdate(CentralState::PoweredOn), "hci0", &inbox);
        pass_on(CentralEvent::StateUpdate(CentralState::PoweredOff), "hci0", &inbox);
        assert_eq!(inbox.next().await, Err(Fault::Off("hci0".into())));
    }
}
