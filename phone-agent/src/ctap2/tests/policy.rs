//! Which passkeys a phone makes through a tunnel: the same as elsewhere.

use super::*;
use crate::vault::Policy;

#[test]
fn a_device_bound_passkey_says_so_and_counts_its_signatures_on_the_disk() {
    let mut world = World::new();
    let mut vault = world.vault.unlock(&passphrase()).unwrap();
    let mut state = vault.state().clone();
    state.policy = Policy::DeviceBound;
    vault
        .change(&mut OsRng, |contents| {
            contents.set_state(state);
            Ok(())
        })
        .unwrap();
    let made = world.make(&make("example.com", b"1"));
    let data = &made.authenticator_data;
    assert_eq!((data.flags.0, data.counter), (Flags::UP | Flags::UV | Flags::AT, 0));
    for counter in 1..4 {
        let got = world.get(&get("example.com"));
        let data = &got.authenticator_data;
        assert_eq!((data.flags.0, data.counter), (Flags::UP | Flags::UV, counter));
        assert_signed(&got, &key_of(&made), [9; 32]);
        let unlocked = world.vault.unlock(&passphrase()).unwrap();
        assert_eq!(unlocked.passkeys().next().unwrap().counter, counter);
    }
}

#[test]
fn no_signature_leaves_that_could_not_be_counted() {
    let mut world = World::new();
    world.make(&make("example.com", b"1"));
    let mut vault = world.vault.unlock(&passphrase()).unwrap();
    let id = vault.passkeys().next().unwrap().id.clone();
    vault
        .change(&mut OsRng, |contents| {
            Ok(contents.update(&id, |one| one.backup = crate::vault::Backup::DEVICE_BOUND))
        })
        .unwrap();
    let Next::Verify(checked) = world.session.take(&get("example.com").to_bytes()) else { panic!("verify") };
    let (question, ready) = checked.look_up(world.vault.unlock(&passphrase()).unwrap());
    let reply = ready.act(question.approve(0), &mut NoRandomness, NOW);
    assert_eq!(reply.bytes, [0x7f]);
}
