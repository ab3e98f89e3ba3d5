//! The program `cablecar`.

use std::process::ExitCode;

use cablecar::cli::Cli;
use clap::Parser;

fn main() -> ExitCode {
    cablecar::main(&Cli::parse())
}
