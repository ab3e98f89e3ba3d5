//! Both devices of the sign-in.

use cablecar_protocol::authenticator::qr_initiated::ExpectRoutingId;
use cablecar_protocol::channel::{AuthenticatorEvent, ClientEvent, Request};
use cablecar_protocol::client_platform::{Heard as Air, qr_initiated::ExpectAdvert};
use cablecar_protocol::ctap::{
    AuthenticatorData, CredentialDescriptor, Flags, GetInfo, Options, Response, Status, get_assertion,
};
use cablecar_protocol::eid::ServiceData;
use cablecar_protocol::message::Hello;
use cablecar_protocol::qr::{Hint, QrInvitation};
use cablecar_protocol::tunnel::TunnelServiceDomain;
use rand_core::CryptoRngCore;

use super::finding::{Finding, NO_ROUTING_ID};
use super::legs::{Leg, Legs};
use crate::caller::{Fault, Socket, Stream, Way, request};

/// Length of a P-256 signature as CTAP has it.
const SIGNATURE: usize = 71;

/// A phone scans a computer's code and signs in there, through the relay at
/// the end of this way. The air and the code are left out; everything that
/// the relay sees is real, but for the signature: it is random bytes, which
/// nobody here has to believe.
pub(crate) async fn sign_in(
    way: &Way,
    domain: Option<TunnelServiceDomain>,
    token: Option<&str>,
    now: u64,
    rng: &mut dyn CryptoRngCore,
    legs: &mut Legs,
) -> Result<(), Finding> {
    let authority = way.url.authority();
    let relay = legs.walk(Leg::Name, way.resolve()).await?;
    let tcp = legs.walk(Leg::Tcp, Way::tcp(relay, None)).await?;
    let stream = match way.url.tls {
        true => legs.walk(Leg::Tls, way.secure(tcp)).await?,
        false => Stream::Plain(tcp),
    };

    // The domain is in the code and the advert, which stay in here, so any will do.
    let ours = |error| Finding::new(Leg::Open, ours(error));
    let any = TunnelServiceDomain::new(TunnelServiceDomain::FIRST_HASHED).map_err(ours)?;
    let (computer, shown) = ExpectAdvert::invite(Hint::GetAssertion, now, rng).map_err(ours)?;
    let scanned = QrInvitation::parse(&shown.to_text()).map_err(ours)?;
    let phone = ExpectRoutingId::accept(scanned, domain.unwrap_or(any));
    let open = request(&authority, &phone.tunnel().route.path(), token);
    let opened = async {
        let (socket, answer) = Socket::upgrade(stream, &open, mask(rng)).await?;
        Ok((socket, answer.routing_id.ok_or(Fault::Answer(NO_ROUTING_ID))?))
    };
    let (mut phone_line, routing_id) = legs.walk(Leg::Open, opened).await?;
    let (phone, advert) = phone.routed(routing_id, rng).map_err(ours)?;
    let on_the_air = ServiceData::new(advert.as_bytes());
    let Some(Air::Ours(nearby)) = on_the_air.map(|advert| computer.hear(&advert)) else {
        return Err(Finding::new(Leg::Join, Fault::Frame("an advert of ours that is not ours")));
    };

    let join = request(&authority, &nearby.tunnel().route.path(), None);
    let joined = async {
        let stream = way.secure(Way::tcp(relay, None).await?).await?;
        Ok(Socket::upgrade(stream, &join, mask(rng)).await?.0)
    };
    let mut computer_line = legs.walk(Leg::Join, joined).await?;

    let hello = Hello::new(info());
    let greeted = async {
        let (computer, greeting) = nearby.greet(rng).map_err(altered)?;
        computer_line.say(&greeting).await?;
        let met = phone.read(phone_line.message().await?, &hello, rng).map_err(altered)?;
        let (phone, [reply, sealed_hello]) = met;
        phone_line.say(&reply).await?;
        let computer = computer.read(computer_line.message().await?).map_err(altered)?;
        Ok((computer, phone, sealed_hello))
    };
    let (computer, mut phone, sealed_hello) = legs.walk(Leg::Greeting, greeted).await?;
    let told = async {
        phone_line.say(&sealed_hello).await?;
        computer.read(computer_line.message().await?).map_err(altered)
    };
    let (mut computer, _) = legs.walk(Leg::Hello, told).await?;

    let asked_and_answered = async {
        let wanted = question(rng).to_bytes();
        computer_line.say(&computer.send(Request::Ctap(&wanted)).map_err(altered)?).await?;
        let AuthenticatorEvent::Ctap(asked) = phone.receive(phone_line.message().await?).map_err(altered)?
        else {
            return Err(Fault::Frame("no CTAP request arrived"));
        };
        if asked != wanted {
            return Err(Fault::Frame("another request arrived than was sent"));
        }
        let answer = Status::OK.with(&passkey(rng)?.to_bytes());
        phone_line.say(&phone.send(&answer).map_err(altered)?).await?;
        match computer.receive(computer_line.message().await?).map_err(altered)? {
            ClientEvent::Ctap(answered) if answered == answer => {
                let body = Response::split(&answered).map_err(altered)?.body;
                get_assertion::Response::parse(body).map(drop).map_err(altered)
            }
            _ => Err(Fault::Frame("another answer arrived than was sent")),
        }
    };
    legs.walk(Leg::RoundTrip, asked_and_answered).await?;

    let parted = async {
        computer_line.say(&computer.shutdown().map_err(altered)?).await?;
        if phone.receive(phone_line.message().await?).map_err(altered)? != AuthenticatorEvent::Shutdown {
            return Err(Fault::Frame("no shutdown arrived"));
        }
        computer_line.close().await?;
        tokio::try_join!(phone_line.gone(false), computer_line.gone(true)).map(drop)
    };
    legs.walk(Leg::Close, parted).await
}

/// What was sent is right, so it was changed on the way.
fn altered(_: cablecar_protocol::Error) -> Fault {
    Fault::Frame("a message does not open")
}

fn ours(error: cablecar_protocol::Error) -> Fault {
    Fault::Own(std::io::Error::other(error.to_string()))
}

fn mask(rng: &mut dyn CryptoRngCore) -> [u8; 4] {
    rng.next_u32().to_be_bytes()
}

fn info() -> GetInfo {
    GetInfo {
        versions: vec!["FIDO_2_0".into(), "FIDO_2_1".into()],
        extensions: vec!["prf".into()],
        aaguid: [0; 16],
        options: vec![("rk".into(), true), ("uv".into(), true)],
        transports: vec!["hybrid".into(), "internal".into()],
    }
}

fn question(rng: &mut dyn CryptoRngCore) -> get_assertion::Request {
    let mut client_data_hash = [0; 32];
    rng.fill_bytes(&mut client_data_hash);
    get_assertion::Request {
        rp_id: "relay-probe.invalid".into(),
        client_data_hash,
        allow: vec![CredentialDescriptor::new(vec![7; 32])],
        has_allow_list: true,
        prf: None,
        options: Options::default(),
        pin_uv_auth: false,
    }
}

fn passkey(rng: &mut dyn CryptoRngCore) -> Result<get_assertion::Response, Fault> {
    let mut signature = vec![0; SIGNATURE];
    rng.try_fill_bytes(&mut signature).map_err(|error| Fault::Own(std::io::Error::other(error)))?;
    let flags = Flags::UP | Flags::UV;
    Ok(get_assertion::Response {
        credential: Some(CredentialDescriptor::new(vec![7; 32])),
        authenticator_data: AuthenticatorData::new([7; 32], flags, 0, None),
        signature,
        user: None,
        number_of_credentials: None,
        user_selected: None,
        prf: None,
    })
}
