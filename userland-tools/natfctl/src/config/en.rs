// SPDX-License-Identifier: GPL-2.0

//! `en.toml`

use natf::domains::Suffix;
use natf::early::EN_CHOICES;
use natf::ports::Ports;
use natf::vaddr::Prefix;
use serde::Deserialize;
use toml::Spanned;

use super::{keys, Files, Numbers, Source, Texts, Value, Wanted};
use crate::error::Result;
use crate::sysfs::Module;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    domains: Texts,
    prefix: Option<Spanned<String>>,
    dns_ports: Option<Spanned<Vec<i64>>>,
    early: Option<Spanned<String>>,
    #[serde(default)]
    keys: Files,
    #[serde(default)]
    limits: Numbers,
}

/// What the module has when it is loaded, which is also the most.
const LIMITS: &[(&str, u32)] = &[("names", 16_384), ("flows", 1 << 20), ("queries", 4096)];
const LEAST: u32 = 16;
const DOMAINS_MAX: usize = 64;
const KEYS_MAX: usize = 64;

pub(super) fn wanted(source: &Source<'_>) -> Result<Wanted> {
    let file: File = source.parse()?;
    let most = |name: &str| {
        LIMITS
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(0, |limit| limit.1)
    };
    Ok(vec![
        ("prefix", Value::Line(prefix(source, &file)?)),
        ("dns_ports", Value::Line(ports(source, &file)?)),
        ("early", source.choice(file.early.as_ref(), &EN_CHOICES)?),
        (
            "limits",
            source.limits(&file.limits, LIMITS, |name, number| {
                (LEAST..=most(name)).contains(&number)
            })?,
        ),
        ("domains", Value::Set(domains(source, &file)?)),
        (
            "keys",
            keys::wanted(source, &file.keys, Module::En, KEYS_MAX)?,
        ),
    ])
}

fn prefix(source: &Source<'_>, file: &File) -> Result<String> {
    let Some(text) = &file.prefix else {
        return Ok(Prefix::DEFAULT.to_string());
    };
    Prefix::parse(text.get_ref().as_bytes())
        .map(|prefix| prefix.to_string())
        .ok_or_else(|| {
            source.wrong(
                &text.span(),
                "this is no /8 that can be used: write it as \"240.0.0.0/8\"",
            )
        })
}

fn ports(source: &Source<'_>, file: &File) -> Result<String> {
    let Some(ports) = &file.dns_ports else {
        return Ok(Ports::DEFAULT.to_string());
    };
    let text: Vec<_> = ports.get_ref().iter().map(i64::to_string).collect();
    Ports::parse(text.join(" ").as_bytes())
        .map(|ports| ports.to_string())
        .map_err(|error| source.wrong(&ports.span(), format!("dns_ports: {error}")))
}

fn domains(source: &Source<'_>, file: &File) -> Result<Vec<String>> {
    let mut all: Vec<String> = Vec::new();
    for text in &file.domains {
        let suffix = Suffix::parse(text.get_ref().as_bytes())
            .map_err(|error| source.wrong(&text.span(), format!("{:?}: {error}", text.get_ref())))?
            .to_string();
        if !all.contains(&suffix) {
            all.push(suffix);
        }
        if all.len() > DOMAINS_MAX {
            return Err(source.wrong(
                &text.span(),
                format!("there may be {DOMAINS_MAX} domains at most"),
            ));
        }
    }
    Ok(all)
}
