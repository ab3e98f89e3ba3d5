#![no_main]

use cablecar_protocol_fuzz::make_credential_local;

libfuzzer_sys::fuzz_target!(|data: &[u8]| make_credential_local(data));
