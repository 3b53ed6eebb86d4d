// SPDX-License-Identifier: GPL-2.0

//! Which configuration a command is about.

use std::path::PathBuf;

use crate::config;
use crate::error::Result;
use crate::plan::{self, Change};
use crate::rehearsal::now;
use crate::sysfs::{Module, Sysfs};

/// The files that a command is about, as clap reads them.
#[derive(Debug, clap::Args)]
pub struct Choice {
    /// What this host is, en or router; without it, whatever modules are loaded
    #[arg(long, value_name = "ROLE", hide_possible_values = true)]
    role: Option<Module>,
    /// A configuration in the place of /etc/natf/ROLE.toml
    #[arg(requires = "role")]
    file: Option<PathBuf>,
}

impl Choice {
    /// What has to be changed. Everything is read and checked before anything is done.
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
