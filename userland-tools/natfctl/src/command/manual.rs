// SPDX-License-Identifier: GPL-2.0

//! `natfctl manual`

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_complete::{generate_to, Shell};
use clap_mangen::Man;
use serde_json::json;

use crate::cli::Cli;
use crate::error::{Error, Result};
use crate::Context;

/// Write manual pages and completions, for packages
///
/// Makes DIR/man8 with a page for natfctl and each of its commands, and DIR/bash, DIR/zsh and DIR/fish with the
/// completions.
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub struct Args {
    /// Where
    dir: PathBuf,
}

impl Args {
    /// Does it.
    pub fn run(&self, context: &mut Context) -> Result {
        let files = write(&self.dir).map_err(|error| Error::file(self.dir.display(), &error))?;
        context.output.done(&json!({ "files": files }))
    }
}

fn write(dir: &Path) -> io::Result<usize> {
    let mut command = Cli::command();
    command.build();
    let pages = dir.join("man8");
    fs::create_dir_all(&pages)?;
    let mut files = page(&command, &pages)?;
    for (shell, name) in [
        (Shell::Bash, "bash"),
        (Shell::Zsh, "zsh"),
        (Shell::Fish, "fish"),
    ] {
        let folder = dir.join(name);
        fs::create_dir_all(&folder)?;
        // Not the built one: generators build for themselves.
        generate_to(shell, &mut Cli::command(), "natfctl", folder)?;
        files += 1;
    }
    Ok(files)
}

/// The page of `command`, which has been built, and those of its own commands.
fn page(command: &Command, dir: &Path) -> io::Result<usize> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let mut text = Vec::new();
    Man::new(command.clone())
        .title(name.to_uppercase())
        .section("8")
        .manual("NAT-f")
        .render(&mut text)?;
    fs::write(dir.join(format!("{name}.8")), text)?;
    let mut files = 1;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        files += page(sub, dir)?;
    }
    Ok(files)
}
