#![no_main]

use cablecar_protocol_fuzz::credential_management;

libfuzzer_sys::fuzz_target!(|data: &[u8]| credential_management(data));
