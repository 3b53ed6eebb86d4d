// SPDX-License-Identifier: GPL-2.0

//! `[keys]`: names, and the files that hold the keys.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Files, Key, Source, Value};
use crate::command::key;
use crate::error::{words, Result};
use crate::sysfs::Module;

/// Reads the keys of `module`, at most so many.
pub(super) fn wanted(
    source: &Source<'_>,
    files: &Files,
    module: Module,
    most: usize,
) -> Result<Value> {
    let mut all: Vec<Key> = Vec::new();
    for (name, file) in files {
        let wrong = |why: String| source.wrong(&file.span(), format!("{name:?}: {why}"));
        let name = key::check(module, name).map_err(|error| wrong(error.to_string()))?;
        // A path that begins at the root stays as it is.
        let path = source
            .path
            .parent()
            .unwrap_or(Path::new("."))
            .join(file.get_ref());
        let at = |why: String| wrong(format!("{}: {why}", path.display()));
        let text = contents(&path).map_err(at)?;
        let raw = key::parse(&text).ok_or_else(|| at("a key is 64 hexadecimal digits".into()))?;
        let (id, digits) = (key::id(&raw), key::hexadecimal(&raw));
        for other in &all {
            if other.name == name {
                return Err(wrong("it has a key already".into()));
            }
            // On an endpoint, several suffixes may lead to one router.
            if module == Module::Router && other.digits == digits {
                return Err(wrong(format!("{:?} has the same key", other.name)));
            }
        }
        if all.len() == most {
            return Err(wrong(format!("there may be {most} keys at most")));
        }
        all.push(Key { name, id, digits });
    }
    Ok(Value::Keys(all))
}

/// What the file says, if it is nobody else's business.
fn contents(path: &Path) -> std::result::Result<String, String> {
    let mut text = String::new();
    let open = File::open(path).map_err(|error| words(&error))?;
    let found = open.metadata().map_err(|error| words(&error))?;
    if found.is_dir() {
        return Err("it is a folder".into());
    }
    if found.mode() & 0o077 != 0 {
        return Err("others may read or write it: chmod 600".into());
    }
    open.take(4096)
        .read_to_string(&mut text)
        .map_err(|error| words(&error))?;
    Ok(text)
}
