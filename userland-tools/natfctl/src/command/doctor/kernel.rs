// SPDX-License-Identifier: GPL-2.0

//! The kernel, and what its modules need to be built and loaded.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;

use super::{Check, Files};
use crate::sysfs::{Module, Sysfs};

/// The first kernel whose Rust can build the modules.
const FIRST: (u32, u32) = (7, 2);

fn release(files: &Files) -> String {
    let text = files.read("proc/sys/kernel/osrelease").unwrap_or_default();
    text.trim().to_string()
}

/// Major and minor number of `7.2.12+deb13-amd64`.
fn numbers(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

pub(super) fn version(files: &Files) -> Check {
    let release = release(files);
    match numbers(&release) {
        Some(version) if version >= FIRST => Check::ok("kernel", release),
        _ => Check::problem(
            "kernel",
            format!("{release}, which is older than {}.{}", FIRST.0, FIRST.1),
            "install a newer one, on Debian 13 from backports: apt install -t trixie-backports linux-image-amd64",
        ),
    }
}

/// Whether the kernel is built with Rust; which matters if a module is still to be built.
pub(super) fn config(files: &Files, needed: bool) -> Check {
    let has_rust =
        configuration(files).map(|text| text.lines().any(|line| line.trim() == "CONFIG_RUST=y"));
    match has_rust {
        Some(true) => Check::ok("rust", "the kernel is built with CONFIG_RUST"),
        _ if !needed => Check::ok("rust", "not needed: the module is loaded"),
        Some(false) => Check::problem(
            "rust",
            "the kernel is built without CONFIG_RUST, so no Rust module can be built for it",
            "use a kernel that has it, as Debian's from 7.2 on",
        ),
        None => Check::warning(
            "rust",
            "there is no configuration of the running kernel to look at",
            "look for CONFIG_RUST=y where the kernel came from",
        ),
    }
}

fn configuration(files: &Files) -> Option<String> {
    let release = release(files);
    let plain = [
        format!("boot/config-{release}"),
        format!("lib/modules/{release}/config"),
        format!("lib/modules/{release}/build/.config"),
    ];
    plain.iter().find_map(|path| files.read(path)).or_else(|| {
        let open = File::open(files.path("proc/config.gz")).ok()?;
        let mut text = String::new();
        GzDecoder::new(open).read_to_string(&mut text).ok()?;
        Some(text)
    })
}

/// The headers, and their Rust metadata: among them, or where natf-dkms makes it, beside links to them.
pub(super) fn metadata(files: &Files, needed: bool) -> Check {
    let release = release(files);
    let build = format!("lib/modules/{release}/build");
    let made = format!("var/lib/natf/kernel/{release}");
    let headers = files.path(&build).exists();
    let has = |folder: &str| {
        let path = format!("{folder}/rust/libkernel.rmeta");
        headers && files.path(&path).exists()
    };
    match headers {
        _ if has(&build) => Check::ok("metadata", "the headers have Rust metadata"),
        _ if has(&made) => Check::ok("metadata", format!("natf-dkms has made it: /{made}")),
        _ if !needed => Check::ok("metadata", "not needed: the module is loaded"),
        true => Check::problem(
            "metadata",
            format!(
                "/{build} has no Rust metadata (rust/libkernel.rmeta), which Debian's headers lack"
            ),
            "apt install natf-dkms makes it; in a checkout: make metadata",
        ),
        false => Check::problem(
            "metadata",
            format!("there are no headers of {release}"),
            format!("apt install linux-headers-{release}"),
        ),
    }
}

pub(super) fn module(sysfs: &Sysfs, files: &Files, module: Module) -> Check {
    let name = module.name();
    if sysfs.is_loaded(module) {
        let version = files.read(&format!("sys/module/{name}/version"));
        let source = files.read(&format!("sys/module/{name}/srcversion"));
        let version = version.or(source).unwrap_or_default();
        return match version.trim() {
            "" => Check::ok(name, "loaded"),
            version => Check::ok(name, format!("loaded, {version}")),
        };
    }
    let release = release(files);
    let folder = files.path(&format!("lib/modules/{release}"));
    match find(&folder, &format!("{name}.ko"), 8) {
        true => Check::problem(
            name,
            "installed, but not loaded",
            format!("modprobe {name}; dmesg says why if it fails"),
        ),
        false => Check::problem(
            name,
            format!("neither loaded nor installed for {release}"),
            format!(
                "apt install natf-dkms, then modprobe {name}; dkms status says how its build went"
            ),
        ),
    }
}

/// Whether a file is below `folder` whose name begins with `start`; it may be compressed.
fn find(folder: &Path, start: &str, depth: u32) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let is_it = name.to_str().is_some_and(|name| name.starts_with(start));
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        is_it || (depth > 0 && is_folder && find(&entry.path(), start, depth - 1))
    })
}

pub(super) fn signature(files: &Files, needed: bool) -> Check {
    const SECURE_BOOT: &str =
        "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
    // The last byte is the variable's value, behind four of attributes.
    let secure = fs::read(files.path(SECURE_BOOT)).is_ok_and(|bytes| bytes.last() == Some(&1));
    let enforced = files.is("sys/module/module/parameters/sig_enforce", "Y");
    let locked = files
        .read("sys/kernel/security/lockdown")
        .is_some_and(|text| text.contains("[integrity]") || text.contains("[confidentiality]"));
    match (secure || enforced || locked, needed) {
        (false, _) => Check::ok("signature", "not asked for"),
        (true, false) => Check::ok("signature", "the module is loaded, so it is signed well enough"),
        (true, true) => Check::warning(
            "signature",
            "Secure Boot or a locked kernel: it takes signed modules only",
            "enrol DKMS's key once: mokutil --import /var/lib/dkms/mok.pub, and confirm it at the next boot",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases() {
        assert_eq!(numbers("7.2.12+deb13-amd64"), Some((7, 2)));
        assert_eq!(numbers("10.0-rc1"), Some((10, 0)));
        assert_eq!(numbers("x"), None);
        assert!((6, 12) < FIRST && (7, 10) > FIRST);
    }
}
