// SPDX-License-Identifier: GPL-2.0

//! Files that a person names; `-` is standard input or output.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process;

use serde_json::json;

use crate::error::{Error, Result};
use crate::Context;

/// Most MiB that are read of a file: more than any table needs.
const MOST: u64 = 64;

/// How a person knows a file.
pub fn name(path: &Path) -> String {
    match is_standard(path) {
        true => "standard input".into(),
        false => path.display().to_string(),
    }
}

fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// What a file says, or standard input.
pub fn read(path: &Path) -> Result<String> {
    String::from_utf8(bytes(path)?)
        .map_err(|_| Error::Failed(format!("{}: it is not UTF-8 text", name(path))))
}

/// The same, of any bytes.
pub fn bytes(path: &Path) -> Result<Vec<u8>> {
    let (most, mut bytes) = (MOST << 20, Vec::new());
    let done = match is_standard(path) {
        true => io::stdin().lock().take(most).read_to_end(&mut bytes),
        false => File::open(path).and_then(|open| open.take(most).read_to_end(&mut bytes)),
    };
    match done {
        Err(error) => Err(Error::file(name(path), &error)),
        // What comes behind would be missing.
        Ok(read) if u64::try_from(read).is_ok_and(|read| read == most) => Err(Error::Failed(
            format!("{}: it is longer than {MOST} MiB", name(path)),
        )),
        Ok(_) => Ok(bytes),
    }
}

/// Puts `text` in the place of a file, as a whole or not at all; or writes it to standard output.
pub fn replace(context: &mut Context, path: &Path, text: &str) -> Result {
    if is_standard(path) {
        return context.output.raw(text);
    }
    put(path, text).map_err(|error| Error::file(path.display(), &error))?;
    let lines = text.lines().count();
    context
        .output
        .done(&json!({"file": path.display().to_string(), "lines": lines}))
}

fn put(path: &Path, text: &str) -> io::Result<()> {
    // What a link leads to is meant, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mode = match fs::metadata(&path) {
        // A pipe, a terminal: nothing can take its place.
        Ok(found) if !found.is_file() => return fs::write(&path, text),
        Ok(found) => Some(found.permissions()),
        Err(_) => None,
    };
    let mut beside = path.clone().into_os_string();
    beside.push(format!(".{}.new", process::id()));
    let beside = PathBuf::from(beside);
    // Never one that somebody has put there, as a link to another file.
    let mut open = File::create_new(&beside)?;
    let fill = || {
        if let Some(mode) = mode {
            open.set_permissions(mode)?;
        }
        open.write_all(text.as_bytes())?;
        open.sync_all()?;
        fs::rename(&beside, &path)
    };
    fill().inspect_err(|_| drop(fs::remove_file(&beside)))
}
