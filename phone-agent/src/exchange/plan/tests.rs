use super::*;
use crate::exchange::tests::{passkey, passkeys, passphrase, rng};
use crate::vault::{Algorithm, Contents, Kdf, Vault};

fn unlocked() -> Unlocked {
    let vault = Vault::in_memory();
    vault.create(&passphrase("right"), Kdf::DANGER_WEAK, &mut rng()).unwrap();
    vault.unlock(&passphrase("right")).unwrap()
}

fn found(passkeys: Vec<Foreign>) -> Vec<Found> {
    passkeys.into_iter().map(|passkey| Found { title: passkey.title(), passkey: Ok(passkey) }).collect()
}

fn outcomes(rows: &[Row]) -> Vec<String> {
    rows.iter()
        .map(|row| match &row.outcome {
            Err(reason) => reason.id().to_owned(),
            Ok(notes) => notes.iter().fold("in".into(), |text, note| format!("{text} {}", note.id())),
        })
        .collect()
}

const ALL: Words = Words { prf: true, blob: true, discoverable: true, eddsa: true };

#[test]
fn what_comes_in_signs_and_is_synced_and_never_counts() {
    let mut vault = unlocked();
    let mut coming = passkeys();
    coming[0].counter = 5;
    coming[0].prf = Prf::new(&[1; 32], None);
    coming[1].prf = Prf::new(&[1; 32], Some(&[2; 32]));
    coming[2].eligible = false;
    let signatures: Vec<_> = coming.iter().map(|passkey| passkey.key.sign(b"x").unwrap()).collect();
    let before = vault.generation();
    let rows = import(found(coming), &mut vault, 5, &mut rng()).unwrap();
    assert_eq!(outcomes(&rows), ["in counter-zeroed", "in", "in not-eligible"]);
    assert_eq!(vault.generation(), before + 1);
    let here: Vec<_> = vault.passkeys().collect();
    assert_eq!(here.iter().map(|passkey| passkey.key.sign(b"x").unwrap()).collect::<Vec<_>>(), signatures);
    assert!(here.iter().all(|passkey| passkey.counter == 0 && passkey.created_at == 1_706_623_773));
    assert_eq!([here[0].backup, here[1].backup], [Backup::IMPORTED; 2]);
    assert_eq!(here[2].backup, Backup::DEVICE_BOUND);
    assert_eq!((here[0].prf.expose()[31], here[1].prf.expose()[32]), (1, 2));
    assert_ne!(here[0].prf.expose()[32..], here[2].prf.expose()[32..]);
}

#[test]
fn a_preview_says_the_same_and_changes_nothing() {
    let mut vault = unlocked();
    let rows = preview(&found(passkeys()), &vault).unwrap();
    assert_eq!((vault.generation(), vault.passkeys().count()), (1, 0));
    let done = import(found(passkeys()), &mut vault, 5, &mut rng()).unwrap();
    assert_eq!(outcomes(&rows), outcomes(&done));
}

#[test]
fn the_same_passkey_comes_in_once_and_another_of_its_id_not_at_all() {
    let mut vault = unlocked();
    let mut other = passkey(&[7; 16], Algorithm::EdDsa);
    other.rp_id = "other.example".into();
    let twice = || vec![passkey(&[7; 16], Algorithm::Es256), passkey(&[7; 16], Algorithm::Es256)];
    let mut file = found(twice());
    file.extend(found(vec![other]));
    let rows = import(file, &mut vault, 5, &mut rng()).unwrap();
    assert_eq!(outcomes(&rows), ["in", "duplicate", "conflict"]);
    let generation = vault.generation();
    let rows = import(found(twice()), &mut vault, 5, &mut rng()).unwrap();
    assert_eq!(outcomes(&rows), ["already-here", "already-here"]);
    assert_eq!((vault.generation(), vault.passkeys().count()), (generation, 1));
    let mut changed = twice();
    changed[0].user_handle = b"another".to_vec();
    let rows = import(found(changed), &mut vault, 5, &mut rng()).unwrap();
    assert_eq!(outcomes(&rows), ["conflict", "already-here"]);
}

#[test]
fn two_passkeys_of_one_account_are_both_kept() {
    let mut vault = unlocked();
    import(found(vec![passkey(b"1", Algorithm::Es256)]), &mut vault, 5, &mut rng()).unwrap();
    import(found(vec![passkey(b"2", Algorithm::EdDsa)]), &mut vault, 5, &mut rng()).unwrap();
    assert_eq!(vault.passkeys().count(), 2);
}

#[test]
fn nothing_comes_in_where_there_is_nothing_or_the_owner_forbade_it() {
    let mut vault = unlocked();
    let nothing = import(Vec::new(), &mut vault, 5, &mut rng()).unwrap_err();
    assert_eq!(nothing.advice().1, "import.no-passkeys");
    let forbid = |contents: &mut Contents| {
        contents.set_state(vault::State { policy: Policy::DeviceBound, ..contents.state().clone() });
        Ok(())
    };
    vault.change(&mut rng(), forbid).unwrap();
    let forbidden = import(found(passkeys()), &mut vault, 5, &mut rng()).unwrap_err();
    assert_eq!((forbidden.advice().1, vault.passkeys().count()), ("import.policy", 0));
    assert_eq!(preview(&found(passkeys()), &vault).unwrap_err(), Error::Policy);
}

#[test]
fn no_randomness_no_import() {
    let mut vault = unlocked();
    let error = import(found(passkeys()), &mut vault, 5, &mut vault::NoRandomness).unwrap_err();
    assert_eq!((error.advice().1, vault.passkeys().count()), ("system.no-randomness", 0));
}

#[test]
fn what_goes_out_is_marked_and_what_may_not_stays() {
    let mut vault = unlocked();
    import(found(passkeys()), &mut vault, 5, &mut rng()).unwrap();
    let change = |contents: &mut Contents| {
        contents.update(&CredentialId::new(b"x".to_vec()), |passkey| passkey.backup = Backup::DEVICE_BOUND);
        contents.update(&CredentialId::new(vec![7; 16]), |passkey| {
            passkey.backup = Backup::SYNCED;
            passkey.discoverable = false;
            passkey.protection = vault::Protection::Required;
            passkey.blob = Some(b"b".to_vec());
        });
        Ok(())
    };
    vault.change(&mut rng(), change).unwrap();
    let words = Words { prf: false, blob: false, discoverable: false, eddsa: false };
    let (going, rows) = export(&vault, &[], words).unwrap();
    assert_eq!(
        outcomes(&rows),
        ["in prf-left blob-left listed protection-left", "format-cannot", "device-bound"]
    );
    assert_eq!(going.len(), 1);
    let (all, rows) = export(&vault, &[], ALL).unwrap();
    assert_eq!((all.len(), outcomes(&rows).join(",").as_str()), (2, "in protection-left,in,device-bound"));
    assert_eq!(export(&vault, &["other.example".into()], ALL).unwrap().1.len(), 0);
    let before: Vec<_> = vault.passkeys().map(|passkey| passkey.backup).collect();
    let failing = || Err(vault::Error::DiskFull);
    assert_eq!(exported(&mut vault, &going, failing, &mut rng()), Err(vault::Error::DiskFull));
    assert!(vault.passkeys().map(|passkey| passkey.backup).eq(before), "nothing went out");
    let generation = vault.generation();
    exported(&mut vault, &going, || Ok::<_, vault::Error>(()), &mut rng()).unwrap();
    assert_eq!(vault.generation(), generation + 1);
    let backups: Vec<_> = vault.passkeys().map(|passkey| passkey.backup.done()).collect();
    assert_eq!(backups.iter().filter(|done| **done).count(), 2);
    assert!(vault.passkeys().all(|passkey| passkey.backup.done() == passkey.backup.eligible()));
}

#[test]
fn one_that_counts_stays() {
    let mut vault = unlocked();
    import(found(passkeys()), &mut vault, 5, &mut rng()).unwrap();
    let change = |contents: &mut Contents| {
        contents.update(&CredentialId::new(b"x".to_vec()), |passkey| passkey.counter = 1);
        Ok(())
    };
    vault.change(&mut rng(), change).unwrap();
    assert_eq!(outcomes(&export(&vault, &[], ALL).unwrap().1), ["in", "in", "counter"]);
}
