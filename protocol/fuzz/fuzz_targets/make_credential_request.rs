#![no_main]

use cablecar_protocol_fuzz::make_credential_request;

libfuzzer_sys::fuzz_target!(|data: &[u8]| make_credential_request(data));
