//! The program `cablecar`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cablecar::main(std::env::args_os())
}
