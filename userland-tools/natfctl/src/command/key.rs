// SPDX-License-Identifier: GPL-2.0

//! `natfctl key`

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use hmac::{Hmac, Mac};
use natf::auth::{Command, KeyId, KeyName, KEY_LEN};
use natf::name::Name;
use serde_json::json;
use sha2::Sha256;

use crate::error::{Error, Result};
use crate::file;
use crate::listing;
use crate::sysfs::Module;
use crate::Context;

/// Make keys, and tell the kernel which to use
///
/// With a key, requests of an endpoint are signed, and so are the router's answers. A key is the same on both sides: on
/// the endpoint it is for a suffix of names, on the router it has a name that entries of the access control table use.
/// It is read from a file or from standard input, never from the command line, and never shown: it is known by its id.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key, in a new file that only its owner may read
    Gen {
        /// The file, which must not be there yet
        file: PathBuf,
    },
    /// Show the id of the key in a file
    Id {
        /// The file; - for standard input
        file: PathBuf,
    },
    /// Show the names and ids of the keys that the kernel has
    List,
    /// Add a key, or put it in the place of the one of this name
    Add {
        /// The side of this host
        side: Module,
        /// The suffix (en), or the name of the key (router)
        name: String,
        /// The file with the key, 64 hexadecimal digits; - for standard input
        file: PathBuf,
    },
    /// Remove a key
    Del {
        /// The side of this host
        side: Module,
        /// The suffix (en), or the name of the key (router)
        name: String,
    },
    /// Remove all keys
    Flush {
        /// The side of this host
        side: Module,
    },
}

impl Args {
    /// Does it.
    pub fn run(&self, context: &mut Context) -> Result {
        match &self.action {
            Action::Gen { file } => generate(context, file),
            Action::Id { file } => {
                let key = read(context, file)?;
                tell(context, file, &id(&key))
            }
            Action::List => list(context),
            Action::Add { side, name, file } => {
                let name = check(*side, name)?;
                context.sysfs.require(*side)?;
                let key = read(context, file)?;
                let line = format!("add {name} {}\n", hexadecimal(&key));
                context.sysfs.write(*side, "keys", line.as_bytes())?;
                let id = id(&key);
                context.output.done(&json!({"name": name, "id": id}))
            }
            Action::Del { side, name } => {
                let name = check(*side, name)?;
                let line = format!("del {name}\n");
                context.sysfs.write(*side, "keys", line.as_bytes())?;
                context.output.done(&json!({ "name": name }))
            }
            Action::Flush { side } => {
                context.sysfs.write(*side, "keys", b"flush\n")?;
                context.output.done(&json!({}))
            }
        }
    }
}

/// The name as the kernel writes it.
pub(crate) fn check(side: Module, name: &str) -> Result<String> {
    match side {
        Module::En => match Name::parse(name.as_bytes()) {
            Ok(name) => Ok(name.to_string()),
            Err(error) => Err(Error::Usage(format!("the suffix: {error}"))),
        },
        Module::Router => match KeyName::parse(name.as_bytes()) {
            Some(name) => Ok(name.to_string()),
            None => Err(Error::Usage(
                "the name of a key has 1 to 15 of a-z, 0-9, - and _".into(),
            )),
        },
    }
}

fn generate(context: &mut Context, path: &Path) -> Result {
    let mut key = [0; KEY_LEN];
    getrandom::fill(&mut key)
        .map_err(|error| Error::Failed(format!("the kernel gives no random numbers: {error}")))?;
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut open| {
            let done = writeln!(open, "{}", hexadecimal(&key)).and_then(|()| open.sync_all());
            // Half a key would only be taken for a whole one.
            done.inspect_err(|_| drop(fs::remove_file(path)))
        });
    written.map_err(|error| Error::file(path.display(), &error))?;
    tell(context, path, &id(&key))
}

fn tell(context: &mut Context, path: &Path, id: &str) -> Result {
    let name = file::name(path);
    match context.output.is_json() {
        true => context.output.done(&json!({"file": name, "id": id})),
        false => context.output.line(id),
    }
}

fn list(context: &mut Context) -> Result {
    let Context { sysfs, output } = context;
    let all = listing::chosen(sysfs, Some("keys"))?;
    if output.is_json() {
        return listing::json(sysfs, output, &all);
    }
    for listing in all {
        let text = listing.read(sysfs)?;
        listing.dump(output, &text)?;
    }
    Ok(())
}

/// The key in a file. No error repeats anything of it.
fn read(context: &Context, path: &Path) -> Result<[u8; KEY_LEN]> {
    if let Some(text) = path.to_str().filter(|text| is_key(text) && !path.exists()) {
        return Err(Error::Usage(format!(
            "this is a key, of {} digits, and not the name of a file: everybody on this host can see it now, so make another one",
            text.len()
        )));
    }
    let text = file::read(path)?;
    if let Ok(found) = fs::metadata(path) {
        if found.is_file() && found.mode() & 0o077 != 0 {
            let name = path.display();
            context.output.warn(format_args!(
                "{name}: others than its owner may open it: chmod 600"
            ));
        }
    }
    parse(&text).ok_or_else(|| {
        let name = file::name(path);
        Error::Failed(format!(
            "{name}: a key is {} hexadecimal digits",
            2 * KEY_LEN
        ))
    })
}

fn is_key(text: &str) -> bool {
    text.len() >= 2 * KEY_LEN && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// By the parser of the kernel.
pub(crate) fn parse(text: &str) -> Option<[u8; KEY_LEN]> {
    let text = text.trim();
    if text.contains(|c: char| !c.is_ascii_hexdigit()) {
        return None;
    }
    match Command::parse(format!("add key {text}").as_bytes()) {
        Ok(Some(Command::Add(_, key))) => Some(key),
        _ => None,
    }
}

pub(crate) fn hexadecimal(key: &[u8]) -> String {
    key.iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .concat()
}

struct Key(Hmac<Sha256>);

impl natf::auth::Mac for Key {
    fn mac(&self, data: &[u8]) -> [u8; 32] {
        self.0
            .clone()
            .chain_update(data)
            .finalize()
            .into_bytes()
            .into()
    }
}

/// By which both sides name it.
pub(crate) fn id(key: &[u8; KEY_LEN]) -> String {
    match Hmac::new_from_slice(key) {
        Ok(mac) => KeyId::of(&Key(mac)).to_string(),
        // HMAC takes keys of any length.
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        let digits = "0123456789abcdef".repeat(4);
        let key = parse(&format!(" {digits}\n")).unwrap();
        assert_eq!(hexadecimal(&key), digits);
        assert_eq!(parse(&digits.to_uppercase()), Some(key));
        for wrong in [
            "",
            "00",
            &digits[1..],
            &format!("{digits}0"),
            &digits.replace('f', "g"),
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert!(is_key(&digits) && !is_key("office.key") && !is_key("abc"));
    }

    #[test]
    fn names() {
        assert_eq!(
            check(Module::En, "Home.Example.NET.").unwrap(),
            "home.example.net"
        );
        assert_eq!(check(Module::Router, "office").unwrap(), "office");
        for (side, wrong) in [
            (Module::En, "a..b"),
            (Module::Router, "Office"),
            (Module::Router, ""),
        ] {
            assert_eq!(check(side, wrong).unwrap_err().status(), 2);
        }
    }
}
