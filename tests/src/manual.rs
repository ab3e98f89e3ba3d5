//! The manual of the three programs, and what shells complete: made of what
//! the programs themselves say of their arguments.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;

/// The shells whose files lie in the docs. The programs print the rest too.
const SHELLS: [Shell; 4] = [Shell::Bash, Shell::Fish, Shell::PowerShell, Shell::Zsh];

/// Where the files are, seen from the project's root.
pub const FOLDERS: [&str; 2] = ["docs/completions", "docs/man"];

/// Every file by its path from the project's root.
///
/// # Errors
/// None that is known: it is written to memory.
pub fn pages() -> io::Result<BTreeMap<String, Vec<u8>>> {
    let programs = [cablecar::cli::Cli::command(), cablecar_phone::cli::Cli::command()];
    let mut pages = BTreeMap::new();
    for program in programs.into_iter().chain([cablecar_relay::cli::command()]) {
        let name = program.get_name().to_owned();
        for shell in SHELLS {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut without_load(program.clone()), &name, &mut text);
            let file = clap_complete::Generator::file_name(&shell, &name);
            pages.insert(format!("docs/completions/{file}"), text);
        }
        // `help` has nothing to say that is not said elsewhere.
        let mut program = without_load(program).disable_help_subcommand(true);
        program.build();
        write_man(&program, &name, &mut pages)?;
    }
    Ok(pages)
}

/// Without the load generator, which is there only if somebody asks for it.
fn without_load(program: Command) -> Command {
    match program.find_subcommand("bench") {
        Some(_) => program.mut_subcommand("bench", |bench| bench.hide(true)),
        None => program,
    }
}

/// The page of a command, and those of the commands below it.
fn write_man(command: &Command, name: &str, pages: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write_man(below, &format!("{name}-{}", below.get_name()), pages)?;
    }
    let mut page = Vec::new();
    let program = name.split('-').take(if name.starts_with("cablecar-") { 2 } else { 1 });
    let program = program.collect::<Vec<_>>().join("-");
    let man = Man::new(command.clone());
    man.title(name.to_uppercase()).source("Cablecar").manual(program).render(&mut page)?;
    pages.insert(format!("docs/man/{name}.1"), page);
    Ok(())
}

/// Writes all of them below this root, and takes away what is no more.
///
/// # Errors
/// Those of the file system.
pub fn write(root: &Path) -> io::Result<usize> {
    let pages = pages()?;
    for folder in FOLDERS {
        if root.join(folder).exists() {
            fs::remove_dir_all(root.join(folder))?;
        }
        fs::create_dir_all(root.join(folder))?;
    }
    for (path, page) in &pages {
        fs::write(root.join(path), page)?;
    }
    Ok(pages.len())
}
