// SPDX-License-Identifier: GPL-2.0

//! What libc calls: `gethostbyname4_r` from `getaddrinfo` for all families, the others from `getaddrinfo` for one
//! family and from `gethostbyname`.
//!
//! A name of ours has its virtual address and nothing else, so that no other module leads around it: asked for IPv6
//! it is NOTFOUND, and when nobody can say, TRYAGAIN. Any other name is UNAVAIL, as if this module were not there.
//! So the line in `/etc/nsswitch.conf` says `natf [!UNAVAIL=return]` before the modules that ask the DNS.

use std::ffi::{c_char, c_int, CStr};
use std::net::Ipv4Addr;
use std::path::Path;
use std::ptr;

use libc::{hostent, AF_INET, AF_UNSPEC};

use crate::ask::ask;
use crate::protocol::{Answer, SOCKET};

/// `enum nss_status` of `nss.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum Status {
    /// Asked again, it may be another; with ERANGE: with more room.
    TryAgain = -2,
    /// As if this module were not there.
    Unavailable = -1,
    /// There is no such name, or none of that family.
    NotFound = 0,
    /// There is.
    Success = 1,
}

/// `struct gaih_addrtuple` of `nss.h`: one address.
#[derive(Debug)]
#[repr(C)]
pub struct AddressTuple {
    next: *mut AddressTuple,
    name: *mut c_char,
    family: c_int,
    addr: [u32; 4],
    scopeid: u32,
}

/// Values of `h_errno`, of `netdb.h`.
mod h_errno {
    use std::ffi::c_int;
    pub(super) const NETDB_INTERNAL: c_int = -1;
    pub(super) const TRY_AGAIN: c_int = 2;
    pub(super) const NO_RECOVERY: c_int = 3;
    pub(super) const NO_DATA: c_int = 4;
}

/// Why there is no address: the status, `errno` and `h_errno`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refusal(Status, c_int, c_int);

const NO_ROOM: Refusal = Refusal(Status::TryAgain, libc::ERANGE, h_errno::NETDB_INTERNAL);

/// What an answer means to somebody who asks for addresses of `family`.
fn judge(answer: Option<Answer>, family: c_int) -> Result<(Ipv4Addr, u32), Refusal> {
    match answer {
        Some(Answer::Address(address, ttl)) if matches!(family, AF_INET | AF_UNSPEC) => {
            Ok((address, ttl))
        }
        Some(Answer::Address(..) | Answer::None) => {
            Err(Refusal(Status::NotFound, libc::ENOENT, h_errno::NO_DATA))
        }
        Some(Answer::Failed) => Err(Refusal(Status::TryAgain, libc::EAGAIN, h_errno::TRY_AGAIN)),
        Some(Answer::Other | Answer::Wait) | None => Err(Refusal(
            Status::Unavailable,
            libc::ENOENT,
            h_errno::NO_RECOVERY,
        )),
    }
}

/// The caller's memory, as far as it is not used yet.
struct Room {
    at: *mut u8,
    left: usize,
}

impl Room {
    /// Puts `items` there. The place is aligned for them.
    fn put<T: Copy>(&mut self, items: &[T]) -> Result<*mut T, Refusal> {
        let pad = self.at.align_offset(align_of::<T>());
        let size = size_of_val(items);
        let left = self
            .left
            .checked_sub(pad)
            .and_then(|left| left.checked_sub(size));
        let left = left.ok_or(NO_ROOM)?;
        // SAFETY: `pad` and `size` bytes are left, as was just computed; all of them are the caller's for us to
        // write. The place is aligned by `pad`.
        unsafe {
            let place = self.at.add(pad).cast::<T>();
            ptr::copy_nonoverlapping(items.as_ptr(), place, items.len());
            *self = Room {
                at: place.add(items.len()).cast(),
                left,
            };
            Ok(place)
        }
    }
}

/// The `hostent` of a name with one address; what it points to lies in `room`.
fn host(name: &CStr, address: Ipv4Addr, room: &mut Room) -> Result<hostent, Refusal> {
    let address: *mut u8 = room.put(&address.octets())?;
    let list = [address.cast::<c_char>(), ptr::null_mut()];
    let h_addr_list = room.put(&list)?;
    let h_aliases = room.put(&[ptr::null_mut::<c_char>()])?;
    let h_name = room.put(name.to_bytes_with_nul())?.cast();
    Ok(hostent {
        h_name,
        h_aliases,
        h_addrtype: AF_INET,
        h_length: 4,
        h_addr_list,
    })
}

/// The tuple of a name with one address; the name lies in `room`.
fn tuple(name: &CStr, address: Ipv4Addr, room: &mut Room) -> Result<AddressTuple, Refusal> {
    Ok(AddressTuple {
        next: ptr::null_mut(),
        name: room.put(name.to_bytes_with_nul())?.cast(),
        family: AF_INET,
        addr: [u32::from_ne_bytes(address.octets()), 0, 0, 0],
        scopeid: 0,
    })
}

/// Tells libc why not.
///
/// # Safety
///
/// Both pointers can be written.
unsafe fn refuse(refusal: Refusal, errno: *mut c_int, h_errno: *mut c_int) -> Status {
    let Refusal(status, error, h_error) = refusal;
    // SAFETY: as the caller says.
    unsafe {
        errno.write(error);
        h_errno.write(h_error);
    }
    status
}

/// For `getaddrinfo` without a family.
///
/// # Safety
///
/// As libc calls it: `name` is a string, `buffer` has `len` bytes, `found`, `errno` and `h_errno` can be written;
/// `*found` is null or has room for a tuple; `ttl` is null or can be written.
#[no_mangle]
pub unsafe extern "C" fn _nss_natf_gethostbyname4_r(
    name: *const c_char,
    found: *mut *mut AddressTuple,
    buffer: *mut c_char,
    len: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
    ttl: *mut i32,
) -> Status {
    // SAFETY: `name` is a string.
    let name = unsafe { CStr::from_ptr(name) };
    let mut room = Room {
        at: buffer.cast(),
        left: len,
    };
    let made = judge(ask(Path::new(SOCKET), name.to_bytes()), AF_UNSPEC).and_then(|answer| {
        let tuple = tuple(name, answer.0, &mut room)?;
        // SAFETY: `found` can be read and written, and what it points to, if anything, can hold a tuple.
        unsafe {
            if (*found).is_null() {
                *found = put_one(tuple, &mut room)?;
            } else {
                (*found).write(tuple);
            }
        }
        Ok(answer.1)
    });
    match made {
        Ok(seconds) => {
            // SAFETY: `ttl` is null or can be written.
            unsafe { tell_ttl(ttl, seconds) };
            Status::Success
        }
        // SAFETY: both can be written.
        Err(refusal) => unsafe { refuse(refusal, errno, h_errno) },
    }
}

/// Puts a tuple into `room`.
fn put_one(tuple: AddressTuple, room: &mut Room) -> Result<*mut AddressTuple, Refusal> {
    #[derive(Clone, Copy)]
    #[repr(C, align(8))]
    struct Space([u8; size_of::<AddressTuple>()]);
    let place = room
        .put(&[Space([0; size_of::<AddressTuple>()])])?
        .cast::<AddressTuple>();
    // SAFETY: the place was just made, as large and as aligned as a tuple.
    unsafe { place.write(tuple) };
    Ok(place)
}
const _: () = assert!(align_of::<AddressTuple>() <= 8);

/// # Safety
///
/// `ttl` is null or can be written.
unsafe fn tell_ttl(ttl: *mut i32, seconds: u32) {
    if !ttl.is_null() {
        // SAFETY: it can be written.
        unsafe { ttl.write(i32::try_from(seconds).unwrap_or(i32::MAX)) };
    }
}

/// For `getaddrinfo` with a family, and for callers that want to know for how long it holds.
///
/// # Safety
///
/// As libc calls it: `name` is a string, `buffer` has `len` bytes, `result`, `errno` and `h_errno` can be written;
/// `ttl` and `canonical` are null or can be written.
#[no_mangle]
pub unsafe extern "C" fn _nss_natf_gethostbyname3_r(
    name: *const c_char,
    family: c_int,
    result: *mut hostent,
    buffer: *mut c_char,
    len: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
    ttl: *mut i32,
    canonical: *mut *mut c_char,
) -> Status {
    // SAFETY: `name` is a string.
    let name = unsafe { CStr::from_ptr(name) };
    let mut room = Room {
        at: buffer.cast(),
        left: len,
    };
    let made = judge(ask(Path::new(SOCKET), name.to_bytes()), family)
        .and_then(|answer| Ok((host(name, answer.0, &mut room)?, answer.1)));
    match made {
        Ok((host, seconds)) => {
            // SAFETY: `result` can be written, `ttl` and `canonical` too, or are null.
            unsafe {
                if !canonical.is_null() {
                    canonical.write(host.h_name);
                }
                result.write(host);
                tell_ttl(ttl, seconds);
            }
            Status::Success
        }
        // SAFETY: both can be written.
        Err(refusal) => unsafe { refuse(refusal, errno, h_errno) },
    }
}

/// For `gethostbyname2`.
///
/// # Safety
///
/// As libc calls it: as [`_nss_natf_gethostbyname3_r`].
#[no_mangle]
pub unsafe extern "C" fn _nss_natf_gethostbyname2_r(
    name: *const c_char,
    family: c_int,
    result: *mut hostent,
    buffer: *mut c_char,
    len: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
) -> Status {
    let (ttl, canonical) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: as the caller says; null is allowed for the last two.
    unsafe {
        _nss_natf_gethostbyname3_r(
            name, family, result, buffer, len, errno, h_errno, ttl, canonical,
        )
    }
}

/// For `gethostbyname`.
///
/// # Safety
///
/// As libc calls it: as [`_nss_natf_gethostbyname3_r`].
#[no_mangle]
pub unsafe extern "C" fn _nss_natf_gethostbyname_r(
    name: *const c_char,
    result: *mut hostent,
    buffer: *mut c_char,
    len: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
) -> Status {
    // SAFETY: as the caller says.
    unsafe { _nss_natf_gethostbyname2_r(name, AF_INET, result, buffer, len, errno, h_errno) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libc::AF_INET6;

    const NAME: &CStr = c"alice.home.example.net";
    const ALICE: Ipv4Addr = Ipv4Addr::new(240, 0, 1, 2);

    #[test]
    fn what_is_ours_is_no_others() {
        let address = Some(Answer::Address(ALICE, 60));
        assert_eq!(judge(address, AF_INET), Ok((ALICE, 60)));
        assert_eq!(judge(address, AF_UNSPEC), Ok((ALICE, 60)));
        let status = |answer, family| judge(answer, family).unwrap_err().0;
        assert_eq!(status(address, AF_INET6), Status::NotFound);
        assert_eq!(status(Some(Answer::None), AF_INET), Status::NotFound);
        assert_eq!(status(Some(Answer::Failed), AF_INET6), Status::TryAgain);
        assert_eq!(status(Some(Answer::Other), AF_INET), Status::Unavailable);
        assert_eq!(status(None, AF_INET6), Status::Unavailable);
        // libc would ask again with more room, without end.
        assert_ne!(
            judge(Some(Answer::Failed), AF_INET).unwrap_err().1,
            libc::ERANGE
        );
    }

    /// Calls `fill` with every length of a buffer at every alignment, until it has room; nothing else is touched.
    fn with_every_room<T>(fill: impl Fn(&mut Room) -> Result<T, Refusal>, look: impl Fn(T)) {
        for shift in 0..16 {
            let mut enough = false;
            for len in 0..128 {
                let mut memory = [0xa5_u8; 160];
                let mut room = Room {
                    at: memory[shift..].as_mut_ptr(),
                    left: len,
                };
                match fill(&mut room) {
                    Ok(filled) => {
                        enough = true;
                        look(filled);
                    }
                    Err(refusal) => {
                        assert!(!enough);
                        assert_eq!(refusal, NO_ROOM);
                    }
                }
                assert!(memory[..shift]
                    .iter()
                    .chain(&memory[shift + len..])
                    .all(|&byte| byte == 0xa5));
            }
            assert!(enough);
        }
    }

    #[test]
    fn a_hostent_stays_in_its_room() {
        with_every_room(
            |room| host(NAME, ALICE, room),
            |host| {
                // SAFETY: the pointers lead into the memory that `host` has filled.
                unsafe {
                    assert_eq!(CStr::from_ptr(host.h_name), NAME);
                    assert!((*host.h_aliases).is_null());
                    let [first, end] = *host.h_addr_list.cast::<[*mut c_char; 2]>();
                    assert_eq!(*first.cast::<[u8; 4]>(), ALICE.octets());
                    assert!(end.is_null());
                }
            },
        );
    }

    #[test]
    fn a_tuple_stays_in_its_room() {
        let fill = |room: &mut Room| put_one(tuple(NAME, ALICE, room)?, room);
        with_every_room(fill, |tuple| {
            // SAFETY: as above.
            unsafe {
                assert_eq!(CStr::from_ptr((*tuple).name), NAME);
                assert_eq!((*tuple).addr[0].to_ne_bytes(), ALICE.octets());
                assert!((*tuple).next.is_null());
            }
        });
    }

    #[test]
    fn without_anybody_to_ask_the_module_is_not_there() {
        if Path::new(SOCKET).exists() {
            return;
        }
        let mut host: hostent = hostent {
            h_name: ptr::null_mut(),
            h_aliases: ptr::null_mut(),
            h_addrtype: 0,
            h_length: 0,
            h_addr_list: ptr::null_mut(),
        };
        let (mut buffer, mut errno, mut h_errno) = ([0; 256], 0, 0);
        // SAFETY: everything is as large as it says.
        let status = unsafe {
            _nss_natf_gethostbyname_r(
                NAME.as_ptr(),
                &mut host,
                buffer.as_mut_ptr(),
                256,
                &mut errno,
                &mut h_errno,
            )
        };
        assert_eq!(
            (status, h_errno),
            (Status::Unavailable, h_errno::NO_RECOVERY)
        );
    }
}
