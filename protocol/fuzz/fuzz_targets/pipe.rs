#![no_main]

use cablecar_protocol_fuzz::pipe_frames;

libfuzzer_sys::fuzz_target!(|data: &[u8]| pipe_frames(data));
