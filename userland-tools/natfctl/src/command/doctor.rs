// SPDX-License-Identifier: GPL-2.0

//! `natfctl doctor`

use std::fs;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::json;

use crate::diagnosis::State;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::sysfs::{Module, Sysfs, TESTS_ROOT};
use crate::Context;

mod kernel;
mod network;
mod router;

/// Look at this host for what NAT-f needs
///
/// Looks at kernel and module; on an endpoint at route, resolver and domains; on a router at forwarding, NAT rule and
/// access control table; on both at keys and clock. Nothing is sent and nothing changed. The status is 1 if there is a problem.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What this host is; without it, what modules are loaded, or else an endpoint
    #[arg(long)]
    role: Vec<Module>,
}

/// Something that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    check: &'static str,
    state: State,
    text: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

impl Check {
    fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Check {
            check,
            state: State::Ok,
            text: text.into(),
            advice: None,
        }
    }

    fn warning(check: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Check {
            state: State::Warning,
            advice: Some(advice.into()),
            ..Check::ok(check, text)
        }
    }

    fn problem(check: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Check {
            state: State::Problem,
            advice: Some(advice.into()),
            ..Check::ok(check, text)
        }
    }
}

/// Where the files of the system are.
struct Files(PathBuf);

impl Files {
    fn from_environment() -> Self {
        let root = std::env::var_os(TESTS_ROOT).filter(|value| !value.is_empty());
        Files(root.map_or("/".into(), PathBuf::from))
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.path(path)).ok()
    }

    fn is(&self, path: &str, value: &str) -> bool {
        self.read(path).is_some_and(|text| text.trim() == value)
    }
}

impl Args {
    /// Does it.
    pub fn run(&self, context: &mut Context) -> Result {
        let Context { sysfs, output } = context;
        let files = Files::from_environment();
        let mut roles = match self.role.is_empty() {
            false => self.role.clone(),
            true => sysfs.loaded().unwrap_or(vec![Module::En]),
        };
        roles.sort_unstable();
        roles.dedup();
        let checks = look(sysfs, &files, &roles)?;
        let count = |state| checks.iter().filter(|check| check.state == state).count();
        let (problems, warnings) = (count(State::Problem), count(State::Warning));
        if output.is_json() {
            let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
            output.done(&json!({
                "roles": names,
                "checks": checks,
                "problems": problems,
                "warnings": warnings,
            }))?;
        } else {
            show(output, &checks)?;
        }
        match problems {
            0 => Ok(()),
            _ => Err(Error::Told(1)),
        }
    }
}

fn look(sysfs: &Sysfs, files: &Files, roles: &[Module]) -> Result<Vec<Check>> {
    let needs_build = roles.iter().any(|role| !sysfs.is_loaded(*role));
    let mut checks = vec![kernel::version(files), kernel::config(files, needs_build)];
    checks.push(kernel::metadata(files, needs_build));
    for role in roles {
        checks.push(kernel::module(sysfs, files, *role));
    }
    checks.push(kernel::signature(files, needs_build));
    for role in roles {
        match role {
            Module::En => network::endpoint(sysfs, files, &mut checks)?,
            Module::Router => router::router(sysfs, files, &mut checks)?,
        }
    }
    let keys = network::has_keys(sysfs, roles)?;
    checks.extend([network::key_files(files), network::clock(files, keys)]);
    Ok(checks)
}

fn show(output: &mut Output, checks: &[Check]) -> Result {
    output.columns(&["check", "state", "what"], || {
        Box::new(checks.iter().map(|check| {
            let cells = vec![
                check.check.into(),
                check.state.word().into(),
                check.text.clone(),
            ];
            (cells, check.state.mark())
        }))
    })?;
    let advice = checks.iter().filter_map(|check| {
        let advice = check.advice.as_ref()?;
        Some(format!("{}: {advice}", check.check))
    });
    let advice: Vec<_> = advice.collect();
    if advice.is_empty() {
        let right = output.paint("32", "All is right.");
        return output.line(right);
    }
    output.line("")?;
    output.heading("What to do")?;
    for line in advice {
        output.line(line)?;
    }
    Ok(())
}
