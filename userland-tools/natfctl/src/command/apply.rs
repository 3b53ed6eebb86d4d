// SPDX-License-Identifier: GPL-2.0

//! `natfctl apply` and what it has in common with `natfctl diff`

use std::path::PathBuf;

use serde_json::json;

use crate::config;
use crate::error::Result;
use crate::plan::{self, Change};
use crate::rehearsal::now;
use crate::sysfs::{Module, Sysfs};
use crate::Context;

/// Make the modules do what the configuration says
///
/// Reads /etc/natf/en.toml, /etc/natf/router.toml or both, for the modules that are loaded, and gives the modules what
/// is there, all or nothing: a file with a mistake changes nothing, and what the kernel refuses takes back the rest.
/// What the file leaves out gets the value that the module has when it is loaded. Only what differs is written, and
/// what is open stays open. natf.toml(5) has the format.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the configuration is about [default: every module that is loaded]
    #[arg(long, value_name = "ROLE")]
    pub role: Option<Module>,
    /// The configuration, in the place of /etc/natf/ROLE.toml
    #[arg(requires = "role")]
    pub file: Option<PathBuf>,
}

impl Args {
    /// Does it.
    pub fn run(&self, context: &mut Context) -> Result {
        let changes = self.changes(&context.sysfs)?;
        plan::apply(&context.sysfs, &changes)?;
        context.output.done(&json!({ "changes": changes }))
    }

    /// What would be changed. Everything is read and checked before anything is done.
    pub fn changes(&self, sysfs: &Sysfs) -> Result<Vec<Change>> {
        let modules = match self.role {
            Some(module) => vec![module],
            None => sysfs.loaded()?,
        };
        let mut read = Vec::new();
        for module in modules {
            let path = self.file.clone().unwrap_or_else(|| config::path(module));
            read.push((module, config::read(module, &path, now())?));
        }
        let mut all = Vec::new();
        for (module, wanted) in read {
            sysfs.require(module)?;
            all.extend(plan::changes(sysfs, module, wanted)?);
        }
        Ok(all)
    }
}
