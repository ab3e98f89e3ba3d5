//! What C sees: `sk-api.h` of OpenSSH, version 0x000a0000. The one file with
//! `unsafe` in it.
//!
//! - What comes in is read once, copied where it is not borrowed for the call,
//!   and checked for null.
//! - What goes out lies in memory of `malloc`, because OpenSSH clears and frees
//!   it; until all of it is there it belongs to `Block`s, which clear it
//!   themselves.
//! - No panic leaves: it becomes `SSH_SK_ERR_GENERAL`.
//!
//! The structures have not changed since this version came (OpenSSH 9.1).

#![allow(unsafe_code, reason = "OpenSSH's interface for providers is C")]

#[cfg(test)]
mod tests;

use std::ffi::{CStr, CString, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::{mem, ptr, slice};

use zeroize::Zeroize;

use crate::call::{self, Code};
use crate::enrol::{ECDSA, Enrol, Enrolled};
use crate::flags::{Flags, Options};
use crate::resident::Resident;
use crate::sign::{Sign, Signed};

/// `SSH_SK_VERSION_MAJOR`, all 16 bits of which must be the caller's, and a
/// minor version of 0.
const VERSION: u32 = 0x000a_0000;

/// More options than any caller has: a list without an end is not read on.
const MOST_OPTIONS: usize = 64;

/// `struct sk_enroll_response`
#[repr(C)]
#[derive(Debug)]
pub struct EnrollResponse {
    flags: u8,
    public_key: *mut u8,
    public_key_len: usize,
    key_handle: *mut u8,
    key_handle_len: usize,
    signature: *mut u8,
    signature_len: usize,
    attestation_cert: *mut u8,
    attestation_cert_len: usize,
    authdata: *mut u8,
    authdata_len: usize,
}

/// `struct sk_sign_response`
#[repr(C)]
#[derive(Debug)]
pub struct SignResponse {
    flags: u8,
    counter: u32,
    sig_r: *mut u8,
    sig_r_len: usize,
    sig_s: *mut u8,
    sig_s_len: usize,
}

/// `struct sk_resident_key`
#[repr(C)]
#[derive(Debug)]
pub struct ResidentKey {
    alg: u32,
    slot: usize,
    application: *mut c_char,
    key: EnrollResponse,
    flags: u8,
    user_id: *mut u8,
    user_id_len: usize,
}

/// `struct sk_option`
#[repr(C)]
#[derive(Debug)]
pub struct SkOption {
    name: *mut c_char,
    value: *mut c_char,
    required: u8,
}

/// The version of the interface that this library speaks.
#[unsafe(no_mangle)]
pub extern "C" fn sk_api_version() -> u32 {
    VERSION
}

/// Makes a key on a phone.
///
/// # Safety
/// As `sk-api.h` has it: pointers are null or good for what they are named
/// for, strings end with a zero, and `options` with a null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sk_enroll(
    alg: u32,
    challenge: *const u8,
    challenge_len: usize,
    application: *const c_char,
    flags: u8,
    _pin: *const c_char,
    options: *const *const SkOption,
    enroll_response: *mut *mut EnrollResponse,
) -> c_int {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (slot, wanted) = unsafe {
            let slot = Slot::at(enroll_response)?;
            let (challenge, application) = (bytes(challenge, challenge_len)?, text(application)?);
            (
                slot,
                Enrol {
                    algorithm: alg,
                    challenge,
                    application,
                    flags: Flags(flags),
                    options: read(options)?,
                },
            )
        };
        slot.fill(give_enrolled(&call::enrol(&wanted)?).ok_or(Code::GENERAL)?);
        Ok(())
    })
}

/// Signs with a key on a phone.
///
/// # Safety
/// As [`sk_enroll`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sk_sign(
    alg: u32,
    data: *const u8,
    data_len: usize,
    application: *const c_char,
    key_handle: *const u8,
    key_handle_len: usize,
    flags: u8,
    _pin: *const c_char,
    options: *const *const SkOption,
    sign_response: *mut *mut SignResponse,
) -> c_int {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (slot, wanted) = unsafe {
            let slot = Slot::at(sign_response)?;
            let (data, application) = (bytes(data, data_len)?, text(application)?);
            let (key_handle, options) = (bytes(key_handle, key_handle_len)?, read(options)?);
            (slot, Sign { algorithm: alg, data, application, key_handle, flags: Flags(flags), options })
        };
        slot.fill(give_signed(&call::sign(&wanted)?).ok_or(Code::GENERAL)?);
        Ok(())
    })
}

/// Finds a key that is on a phone alone.
///
/// # Safety
/// As [`sk_enroll`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sk_load_resident_keys(
    _pin: *const c_char,
    options: *const *const SkOption,
    rks: *mut *mut *mut ResidentKey,
    nrks: *mut usize,
) -> c_int {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (keys, number, options) = unsafe {
            let keys = Slot::at(rks)?;
            let number = NonNull::new(nrks).ok_or(Code::GENERAL)?;
            number.write(0);
            (keys, number, read(options)?)
        };
        let list = give_residents(&call::resident(&options)?).ok_or(Code::GENERAL)?;
        keys.fill(list);
        // SAFETY: it was written to above.
        unsafe { number.write(1) };
        Ok(())
    })
}

/// Runs a call; nothing of ours unwinds into C.
fn guarded(call: impl FnOnce() -> Result<(), Code>) -> c_int {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => 0,
        Ok(Err(code)) => code.0,
        Err(_) => Code::GENERAL.0,
    }
}

/// Where a caller wants a pointer.
struct Slot<T>(NonNull<*mut T>);

impl<T> Slot<T> {
    /// Null until all is there: what a caller may free after an error.
    ///
    /// # Safety
    /// `out` is null or good to write to.
    unsafe fn at(out: *mut *mut T) -> Result<Self, Code> {
        let slot = NonNull::new(out).ok_or(Code::GENERAL)?;
        // SAFETY: the caller's promise.
        unsafe { slot.write(ptr::null_mut()) };
        Ok(Self(slot))
    }

    fn fill(self, block: Block) {
        // SAFETY: `at` wrote there.
        unsafe { self.0.write(block.give().cast()) };
    }
}

/// # Safety
/// `at` is null or the start of so many bytes.
unsafe fn bytes<'a>(at: *const u8, length: usize) -> Result<&'a [u8], Code> {
    if length == 0 {
        return Ok(&[]);
    }
    if at.is_null() || isize::try_from(length).is_err() {
        return Err(Code::GENERAL);
    }
    // SAFETY: the caller's promise; the length is one that a slice can have.
    Ok(unsafe { slice::from_raw_parts(at, length) })
}

/// # Safety
/// `at` is null or a string that ends with a zero.
unsafe fn text<'a>(at: *const c_char) -> Result<&'a str, Code> {
    let at = NonNull::new(at.cast_mut()).ok_or(Code::GENERAL)?;
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(at.as_ptr()) }.to_str().map_err(|_| Code::GENERAL)
}

/// # Safety
/// `options` is null, or a list of options that ends with a null.
unsafe fn read(options: *const *const SkOption) -> Result<Options, Code> {
    let mut given = Vec::new();
    if !options.is_null() {
        for index in 0..MOST_OPTIONS {
            // SAFETY: no null has been met so far, so the list goes on.
            let Some(option) = NonNull::new(unsafe { *options.add(index) }.cast_mut()) else { break };
            // SAFETY: the caller's promise.
            let (name, value, required) = unsafe {
                let option = option.as_ref();
                (text(option.name)?, text(option.value)?, option.required)
            };
            given.push((name.to_owned(), value.to_owned(), required != 0));
        }
    }
    call::or_told(Options::of(given))
}

/// Memory of `malloc` that nobody was given: cleared and freed if nobody is.
struct Block {
    at: NonNull<u8>,
    length: usize,
}

impl Block {
    /// So many zeros, at least one: OpenSSH takes null for "not there".
    fn zeros(length: usize) -> Option<Self> {
        let length = length.max(1);
        // SAFETY: calloc takes any two numbers, and says null if it cannot.
        let at = unsafe { libc::calloc(1, length) };
        Some(Self { at: NonNull::new(at.cast())?, length })
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let block = Self::zeros(bytes.len())?;
        // SAFETY: the block is new and as long.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), block.at.as_ptr(), bytes.len()) };
        Some(block)
    }

    /// Room for a structure of C.
    fn room_for<T>() -> Option<Self> {
        Self::zeros(mem::size_of::<T>())
    }

    /// Puts it there. What its pointers own must have been given.
    fn put<T>(self, value: T) -> Self {
        assert!(mem::size_of::<T>() <= self.length && self.at.cast::<T>().is_aligned());
        // SAFETY: the block is long enough and, as malloc's are for everything
        // that C has, aligned.
        unsafe { self.at.cast::<T>().write(value) };
        self
    }

    fn give(self) -> *mut u8 {
        mem::ManuallyDrop::new(self).at.as_ptr()
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: it is ours, as long as that, and nobody has it.
        unsafe {
            slice::from_raw_parts_mut(self.at.as_ptr(), self.length).zeroize();
            libc::free(self.at.as_ptr().cast());
        }
    }
}

// Whatever there is not enough memory for, nothing is lost: all parts are there
// before the first is given.

fn give_enrolled(enrolled: &Enrolled) -> Option<Block> {
    let response = Block::room_for::<EnrollResponse>()?;
    let (public_key, key_handle) = (Block::of(&enrolled.public_key)?, Block::of(&enrolled.key_handle)?);
    let (signature, certificate) = (Block::of(&enrolled.signature)?, Block::of(&enrolled.certificate)?);
    let authdata = Block::of(&enrolled.authenticator_data)?;
    Some(response.put(EnrollResponse {
        flags: enrolled.flags.0,
        public_key: public_key.give(),
        public_key_len: enrolled.public_key.len(),
        key_handle: key_handle.give(),
        key_handle_len: enrolled.key_handle.len(),
        signature: signature.give(),
        signature_len: enrolled.signature.len(),
        attestation_cert: certificate.give(),
        attestation_cert_len: enrolled.certificate.len(),
        authdata: authdata.give(),
        authdata_len: enrolled.authenticator_data.len(),
    }))
}

fn give_signed(signed: &Signed) -> Option<Block> {
    let response = Block::room_for::<SignResponse>()?;
    let (r, s) = (Block::of(&signed.r)?, Block::of(&signed.s)?);
    Some(response.put(SignResponse {
        flags: signed.flags,
        counter: signed.counter,
        sig_r: r.give(),
        sig_r_len: signed.r.len(),
        sig_s: s.give(),
        sig_s_len: signed.s.len(),
    }))
}

/// A list of one.
fn give_residents(resident: &Resident) -> Option<Block> {
    let (list, key) = (Block::room_for::<*mut u8>()?, Block::room_for::<ResidentKey>()?);
    let application = Block::of(CString::new(resident.application.as_str()).ok()?.as_bytes_with_nul())?;
    let (public_key, key_handle) = (Block::of(&resident.public_key)?, Block::of(&resident.key_handle)?);
    let user_id = Block::of(&resident.user_handle)?;
    let key = key.put(ResidentKey {
        alg: ECDSA,
        slot: 0,
        application: application.give().cast(),
        key: EnrollResponse {
            flags: resident.flags.0,
            public_key: public_key.give(),
            public_key_len: resident.public_key.len(),
            key_handle: key_handle.give(),
            key_handle_len: resident.key_handle.len(),
            signature: ptr::null_mut(),
            signature_len: 0,
            attestation_cert: ptr::null_mut(),
            attestation_cert_len: 0,
            authdata: ptr::null_mut(),
            authdata_len: 0,
        },
        flags: resident.flags.0,
        user_id: user_id.give(),
        user_id_len: resident.user_handle.len(),
    });
    Some(list.put(key.give()))
}
