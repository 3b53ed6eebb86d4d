// SPDX-License-Identifier: GPL-2.0

//! `natfctl manual`

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_complete::{generate, Shell};
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
    for (shell, file) in [
        (Shell::Bash, "bash/natfctl"),
        (Shell::Zsh, "zsh/_natfctl"),
        (Shell::Fish, "fish/natfctl.fish"),
    ] {
        let file = dir.join(file);
        fs::create_dir_all(file.parent().unwrap_or(dir))?;
        let mut text = Vec::new();
        // Not the built one: generators build for themselves.
        generate(shell, &mut Cli::command(), "natfctl", &mut text);
        fs::write(file, text)?;
        files += 1;
    }
    Ok(files)
}

/// What every page ends with.
const LAST_SECTIONS: &str = r#".SH "EXIT STATUS"
.TP
0
It is done.
.TP
1
It failed; standard error says why, in the words of the kernel where the kernel refused.
.TP
2
The command line is wrong.
.TP
3
The kernel module is not loaded.
.SH ENVIRONMENT
.TP
NO_COLOR
If it is set and not empty, there are no colours.
.SH FILES
.TP
\fI/sys/kernel/natf_en\fR, \fI/sys/kernel/natf_router\fR
Settings and tables of the modules, in the network namespace of the process that opens them.
.SH "SEE ALSO"
natfctl(8), natf_en(4), natf_router(4), ip\-netns(8), conntrack(8)
"#;

/// The page of `command`, which has been built, and those of its own commands.
fn page(command: &Command, dir: &Path) -> io::Result<usize> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let mut text = Vec::new();
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .section("8")
        .source(concat!("natfctl ", env!("CARGO_PKG_VERSION")))
        .manual("NAT-f");
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    text.extend_from_slice(LAST_SECTIONS.as_bytes());
    fs::write(dir.join(format!("{name}.8")), text)?;
    let mut files = 1;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        files += page(sub, dir)?;
    }
    Ok(files)
}
