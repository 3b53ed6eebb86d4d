// SPDX-License-Identifier: GPL-2.0

//! The files of `natf_en`.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Mutex;

use natf::domains::{Command, Suffix};
use natf::name::Name;
use natf::nrt::Entry;
use natf::vaddr::Prefix;

/// For how many seconds a name lives after it was asked for. `getaddrinfo` tells no TTL, and tells it to nobody, so
/// programs keep addresses as long as they like; each question asks the resolver anew, so that a name lives long does
/// not mean that it is out of date.
pub(crate) const LIFE: u32 = 600;

/// How often somebody else may come between what is written and what is read.
const ATTEMPTS: u32 = 8;

/// The folder of `natf_en`.
#[derive(Debug)]
pub(crate) struct Kernel {
    folder: PathBuf,
    /// Who writes a name reads its address next.
    turn: Mutex<()>,
}

impl Default for Kernel {
    fn default() -> Self {
        Kernel {
            folder: "/sys/kernel/natf_en".into(),
            turn: Mutex::new(()),
        }
    }
}

impl Kernel {
    /// Suffixes of the names that are ours.
    pub(crate) fn suffixes(&self) -> io::Result<Vec<Suffix>> {
        let text = fs::read(self.folder.join("domains"))?;
        let commands = text
            .split(|&byte| byte == b'\n')
            .filter_map(|line| Command::parse(line).ok().flatten());
        Ok(commands
            .filter_map(|command| match command {
                Command::Add(suffix) => Some(suffix),
                _ => None,
            })
            .collect())
    }

    /// Why no name is ours at the moment. That may pass, as suffixes are read anew for each name.
    pub(crate) fn without_names(&self) -> Option<&'static str> {
        match self.suffixes() {
            Err(_) => Some("natf_en is not loaded: until it is, no name has a virtual address (systemctl enable --now natf-en)"),
            Ok(none) if none.is_empty() => Some("natf_en has no domains: until it has, no name has a virtual address (/etc/natf/en.toml)"),
            Ok(_) => None,
        }
    }

    /// Range of the virtual addresses.
    pub(crate) fn prefix(&self) -> io::Result<Prefix> {
        let text = fs::read(self.folder.join("prefix"))?;
        Prefix::parse(text.trim_ascii()).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// The virtual address of a name whose router has these addresses.
    ///
    /// # Errors
    ///
    /// Those of the file `names`.
    pub(crate) fn virtual_address(
        &self,
        name: &Name,
        routers: &[Ipv4Addr],
    ) -> io::Result<Ipv4Addr> {
        let routers: Vec<_> = routers.iter().map(Ipv4Addr::to_string).collect();
        let line = format!("{name} {} {LIFE}\n", routers.join(","));
        // A thread that panicked has spoilt nothing.
        let _turn = self
            .turn
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        for _ in 0..ATTEMPTS {
            let mut file = File::options()
                .read(true)
                .write(true)
                .open(self.folder.join("names"))?;
            let taken = file.write(line.as_bytes())?;
            if taken != line.len() {
                return Err(io::ErrorKind::WriteZero.into());
            }
            if let Some(address) = self.learnt(name)? {
                return Ok(address);
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    /// The address of the name that was written last, if it is `name`.
    fn learnt(&self, name: &Name) -> io::Result<Option<Ipv4Addr>> {
        let mut text = Vec::new();
        File::open(self.folder.join("names"))?.read_to_end(&mut text)?;
        let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let entry = Entry::parse(line, 0);
        let is_it = |entry: &Entry| format!("{}.{}", entry.host, entry.domain) == name.as_str();
        Ok(entry.filter(is_it).map(|entry| entry.addr))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(test: &str, files: &[(&str, &str)]) -> Kernel {
        let folder = std::env::temp_dir().join(format!("natf-named-{}-{test}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        Kernel {
            folder,
            turn: Mutex::new(()),
        }
    }

    #[test]
    fn what_the_files_say() {
        let kernel = folder(
            "say",
            &[
                ("domains", "add home.example.net\nadd *\n"),
                ("prefix", "250.0.0.0/8\n"),
            ],
        );
        assert_eq!(kernel.suffixes().unwrap().len(), 2);
        assert_eq!(kernel.prefix().unwrap().first(), 250);
        assert_eq!(kernel.without_names(), None);
        fs::write(kernel.folder.join("domains"), "").unwrap();
        assert!(kernel.without_names().unwrap().contains("no domains"));
        fs::remove_dir_all(&kernel.folder).unwrap();
        assert!(kernel.suffixes().is_err() && kernel.prefix().is_err());
        assert!(kernel.without_names().unwrap().contains("not loaded"));
    }

    #[test]
    fn the_address_of_another_name_is_not_ours() {
        let kernel = folder(
            "other",
            &[("names", "240.0.1.2 alice home.example.net 203.0.113.2 60\n")],
        );
        let name = |text: &str| Name::parse(text.as_bytes()).unwrap();
        assert_eq!(
            kernel.learnt(&name("alice.home.example.net")).unwrap(),
            Some(Ipv4Addr::new(240, 0, 1, 2))
        );
        assert_eq!(kernel.learnt(&name("bob.home.example.net")).unwrap(), None);
        fs::write(kernel.folder.join("names"), "").unwrap();
        assert_eq!(
            kernel.learnt(&name("alice.home.example.net")).unwrap(),
            None
        );
        fs::remove_dir_all(&kernel.folder).unwrap();
    }
}
