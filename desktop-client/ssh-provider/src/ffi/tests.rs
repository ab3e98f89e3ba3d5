//! What crosses the border, without a phone: also run under valgrind by
//! `tests/run ssh`, which sees what is read, kept or freed wrongly.

use super::*;

/// As OpenSSH's `freezero` does it.
fn take(at: *mut u8, length: usize) -> Vec<u8> {
    assert!(!at.is_null());
    // SAFETY: it was given with this length, and is freed once.
    unsafe {
        let taken = slice::from_raw_parts(at, length).to_vec();
        slice::from_raw_parts_mut(at, length).zeroize();
        libc::free(at.cast());
        taken
    }
}

fn enrolled() -> Enrolled {
    Enrolled {
        flags: Flags(0x25),
        public_key: vec![4; 65],
        key_handle: (0..=255).collect(),
        signature: Vec::new(),
        certificate: Vec::new(),
        authenticator_data: vec![9; 200],
    }
}

#[test]
fn the_structures_are_those_of_the_header() {
    // From a C program with sk-api.h, on machines whose pointers have 8 bytes.
    if cfg!(target_pointer_width = "64") {
        let sizes = [
            size_of::<EnrollResponse>(),
            size_of::<SignResponse>(),
            size_of::<ResidentKey>(),
            size_of::<SkOption>(),
        ];
        assert_eq!(sizes, [88, 40, 136, 24]);
        assert_eq!(mem::offset_of!(SignResponse, counter), 4);
        assert_eq!([mem::offset_of!(ResidentKey, key), mem::offset_of!(ResidentKey, flags)], [24, 112]);
    }
    assert_eq!(sk_api_version() & 0xffff_0000, 0x000a_0000);
}

#[test]
fn what_goes_out_arrives_whole_and_can_be_freed() {
    let given = give_enrolled(&enrolled()).unwrap().give().cast::<EnrollResponse>();
    // SAFETY: it was given as that.
    let response = unsafe { given.read() };
    assert_eq!(response.flags, 0x25);
    assert_eq!(take(response.public_key, response.public_key_len), vec![4; 65]);
    assert_eq!(take(response.key_handle, response.key_handle_len), (0..=255).collect::<Vec<u8>>());
    assert_eq!(take(response.signature, response.signature_len), b"");
    assert_eq!(take(response.attestation_cert, response.attestation_cert_len), b"");
    assert_eq!(take(response.authdata, response.authdata_len), vec![9; 200]);
    take(given.cast(), size_of::<EnrollResponse>());

    let signed = Signed { flags: 5, counter: 0x0102_0304, r: [1; 32], s: [2; 32] };
    let given = give_signed(&signed).unwrap().give().cast::<SignResponse>();
    // SAFETY: it was given as that.
    let response = unsafe { given.read() };
    assert_eq!((response.flags, response.counter), (5, 0x0102_0304));
    assert_eq!(take(response.sig_r, response.sig_r_len), [1; 32]);
    assert_eq!(take(response.sig_s, response.sig_s_len), [2; 32]);
    take(given.cast(), size_of::<SignResponse>());
}

#[test]
fn a_resident_key_arrives_in_a_list_of_one() {
    let resident = Resident {
        application: "ssh:work".into(),
        flags: Flags(0x25),
        public_key: vec![4; 65],
        key_handle: vec![5; 16],
        user_handle: vec![0; 32],
    };
    let list = give_residents(&resident).unwrap().give().cast::<*mut ResidentKey>();
    // SAFETY: they were given as that.
    let (given, key) = unsafe { (list.read(), list.read().read()) };
    assert_eq!((key.alg, key.slot, key.flags), (0, 0, 0x25));
    assert_eq!(take(key.application.cast(), 9), b"ssh:work\0");
    assert_eq!(take(key.key.public_key, key.key.public_key_len), vec![4; 65]);
    assert_eq!(take(key.key.key_handle, key.key.key_handle_len), vec![5; 16]);
    assert!(key.key.signature.is_null() && key.key.authdata.is_null());
    assert_eq!(take(key.user_id, key.user_id_len), vec![0; 32]);
    take(given.cast(), size_of::<ResidentKey>());
    take(list.cast(), size_of::<*mut ResidentKey>());
}

#[test]
fn what_nobody_was_given_is_cleared_and_freed() {
    // Valgrind counts what is not.
    drop(Block::of(b"a secret"));
    drop(Block::room_for::<ResidentKey>());
}

#[test]
fn options_are_read_to_their_end() {
    let [name, value] = [c"user", c"alice"].map(|text| text.as_ptr().cast_mut());
    let option = SkOption { name, value, required: 1 };
    let list = [&raw const option, ptr::null()];
    // SAFETY: all of it is there, with its ends.
    unsafe {
        assert_eq!(read(list.as_ptr()).unwrap().user.as_deref(), Some("alice"));
        assert_eq!(read(ptr::null()).unwrap(), Options::default());
        assert_eq!(read(list[1..].as_ptr()).unwrap(), Options::default());
    }
    let unknown = SkOption { name: value, value, required: 1 };
    let list = [&raw const unknown, ptr::null()];
    // SAFETY: as above.
    assert_eq!(unsafe { read(list.as_ptr()) }, Err(Code::GENERAL));
    let empty = SkOption { name: ptr::null_mut(), value, required: 0 };
    let list = [&raw const empty, ptr::null()];
    // SAFETY: as above.
    assert_eq!(unsafe { read(list.as_ptr()) }, Err(Code::GENERAL));
}

#[test]
fn nothing_is_done_with_what_cannot_be() {
    let mut response = NonNull::dangling().as_ptr();
    let mut enroll = |alg, challenge: &[u8], application: *const c_char| {
        response = NonNull::dangling().as_ptr();
        // SAFETY: pointers with their lengths, and null where it is to be refused.
        let code = unsafe {
            sk_enroll(
                alg,
                challenge.as_ptr(),
                challenge.len(),
                application,
                1,
                ptr::null(),
                ptr::null(),
                &raw mut response,
            )
        };
        (code, response.is_null())
    };
    // Ed25519 and what nobody knows; nobody's application; no application; no text.
    assert_eq!(enroll(1, b"challenge", c"ssh:".as_ptr()), (-2, true));
    assert_eq!(enroll(7, b"challenge", c"ssh:".as_ptr()), (-2, true));
    assert_eq!(enroll(0, b"challenge", c"example.com".as_ptr()), (-1, true));
    assert_eq!(enroll(0, b"challenge", ptr::null()), (-1, true));
    assert_eq!(enroll(0, b"challenge", c"ssh:\xff".as_ptr()), (-1, true));

    let mut response = NonNull::dangling().as_ptr();
    // SAFETY: as above.
    let code = unsafe {
        let (challenge, application) = (ptr::null(), c"ssh:".as_ptr());
        sk_enroll(0, challenge, 8, application, 1, ptr::null(), ptr::null(), &raw mut response)
    };
    assert_eq!((code, response.is_null()), (-1, true));
    // SAFETY: nowhere to write to is refused before anything else.
    let code = unsafe {
        let nowhere = ptr::null_mut();
        sk_sign(0, ptr::null(), 0, c"ssh:".as_ptr(), ptr::null(), 0, 1, ptr::null(), ptr::null(), nowhere)
    };
    assert_eq!(code, -1);
    // SAFETY: as above.
    let code = unsafe { sk_load_resident_keys(ptr::null(), ptr::null(), ptr::null_mut(), ptr::null_mut()) };
    assert_eq!(code, -1);
}

#[test]
fn a_panic_stays_here() {
    assert_eq!(guarded(|| Ok(())), 0);
    assert_eq!(guarded(|| Err(Code::EXISTS)), -5);
    assert_eq!(guarded(|| panic!("a test of what a panic becomes")), -1);
}
