// SPDX-License-Identifier: GPL-2.0

//! Asks for names as any program does, but for the module `natf`, which would ask us.
#![expect(unsafe_code, reason = "libc's interface is one of pointers")]

use std::ffi::{c_char, c_int, CString};
use std::io;
use std::net::Ipv4Addr;
use std::ptr;

use natf::name::Name;
use natf::nrt::MAX_ROUTERS;

/// Who is asked where the file names nobody behind `natf`: what Debian has.
const USUAL: &str = "resolve [!UNAVAIL=return] dns";

/// What the resolver said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// One to [`MAX_ROUTERS`] addresses, each once.
    Addresses(Vec<Ipv4Addr>),
    /// There is no such name, or it has no IPv4 address.
    None,
    /// It could not say.
    Failed,
}

extern "C" {
    fn __nss_configure_lookup(database: *const c_char, services: *const c_char) -> c_int;
}

/// The services that follow `natf` in the text of an `nsswitch.conf`: what would have been asked without it.
pub(crate) fn services(file: &str) -> String {
    let behind = file.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default().trim();
        let line = line.strip_prefix("hosts:")?;
        let words: Vec<_> = line.split_whitespace().collect();
        let at = words.iter().position(|word| *word == "natf")?;
        let mut behind = words.into_iter().skip(at.saturating_add(1)).peekable();
        // What to do after natf, which may be several words.
        if behind.peek().is_some_and(|word| word.starts_with('[')) {
            behind.by_ref().find(|word| word.ends_with(']'));
        }
        Some(behind.collect::<Vec<_>>().join(" "))
    });
    behind
        .filter(|services| !services.is_empty())
        .unwrap_or_else(|| USUAL.into())
}

/// From now on this process asks `services` for hosts, and no cache of names that would ask others.
///
/// # Errors
///
/// libc does not understand them.
pub(crate) fn use_services(services: &str) -> io::Result<()> {
    let services = CString::new(services)?;
    // SAFETY: both are strings, which libc copies.
    match unsafe { __nss_configure_lookup(c"hosts".as_ptr(), services.as_ptr()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Asks for the IPv4 addresses of a name. Takes as long as the resolver does.
pub(crate) fn resolve(name: &Name) -> Resolved {
    // With a dot at the end it is that name, and no search list counts.
    let Ok(name) = CString::new(format!("{name}.")) else {
        return Resolved::None;
    };
    // SAFETY: all-zero is a valid `addrinfo` without anything.
    let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
    hints.ai_family = libc::AF_INET;
    hints.ai_socktype = libc::SOCK_STREAM;
    let mut list = ptr::null_mut();
    // SAFETY: a string, no service, hints, and where to put the list.
    match unsafe { libc::getaddrinfo(name.as_ptr(), ptr::null(), &hints, &mut list) } {
        0 => {}
        libc::EAI_NONAME | libc::EAI_NODATA => return Resolved::None,
        _ => return Resolved::Failed,
    }
    let mut addresses = Vec::new();
    let mut next = list;
    // SAFETY: the list is as `getaddrinfo` made it, each entry valid and the last one's `ai_next` null. An address
    // of AF_INET is a `sockaddr_in`.
    while let Some(info) = unsafe { next.as_ref() } {
        next = info.ai_next;
        if info.ai_family != libc::AF_INET || info.ai_addr.is_null() {
            continue;
        }
        // SAFETY: as above.
        let address = unsafe { info.ai_addr.cast::<libc::sockaddr_in>().read_unaligned() };
        let address = Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr));
        if !addresses.contains(&address) && addresses.len() < MAX_ROUTERS {
            addresses.push(address);
        }
    }
    // SAFETY: the list was made by `getaddrinfo`, and nothing leads into it any more.
    unsafe { libc::freeaddrinfo(list) };
    match addresses.is_empty() {
        true => Resolved::None,
        false => Resolved::Addresses(addresses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_asked_is_who_stands_behind_natf() {
        for (line, wanted) in [
            (
                "hosts: files natf [!UNAVAIL=return] resolve [!UNAVAIL=return] dns",
                "resolve [!UNAVAIL=return] dns",
            ),
            ("hosts:\tnatf dns # files", "dns"),
            (
                "hosts: natf [NOTFOUND=return TRYAGAIN=return] dns myhostname",
                "dns myhostname",
            ),
            ("hosts: natf [ !UNAVAIL=return ] dns", "dns"),
            ("passwd: natf files\nhosts: files dns", USUAL),
            ("hosts: files dns natf", USUAL),
            ("hosts: natf [!UNAVAIL=return", USUAL),
            ("#hosts: natf dns", USUAL),
            ("", USUAL),
        ] {
            assert_eq!(services(line), wanted, "{line}");
        }
    }

    #[test]
    fn libc_takes_them() {
        use_services("files").unwrap();
        let localhost = Name::parse(b"localhost").unwrap();
        // /etc/hosts has it without the dot, or nobody has it: either is an answer.
        assert_ne!(resolve(&localhost), Resolved::Failed);
        assert!(use_services("a\0b").is_err());
    }
}
