// SPDX-License-Identifier: GPL-2.0

//! Files under /sys/kernel/MODULE that act on the namespace of the process that uses them.
//!
//! They are binary attributes, because a table may be longer than the one page of a text attribute.

use super::bindings;
use super::netns::{self, Namespace, Netns};
use core::fmt;
use kernel::bindings as kb;
use kernel::error::to_result;
use kernel::ffi::c_char;
use kernel::prelude::*;

/// Writes the whole content of a file.
type Show<N> = fn(&Netns<N>, &mut Text<'_>) -> fmt::Result;

/// Takes the first so many bytes of a write, whose lines all take effect, or none. 0 is an error, too.
type Store<N> = fn(&Netns<N>, &Written<'_>) -> Result<usize>;

/// What one write brings: of a long one the first page, of a long file a piece that may end anywhere.
pub(crate) struct Written<'a> {
    /// Its whole lines.
    pub(crate) lines: &'a [u8],
    /// What follows them. The writer repeats what is not taken.
    pub(crate) rest: &'a [u8],
    /// The open file: a number that no other one has at the same time.
    pub(crate) file: usize,
    /// How many bytes were taken from it before.
    pub(crate) offset: u64,
}

/// One file.
pub(crate) struct File<N: Namespace> {
    /// Its name.
    pub(crate) name: &'static CStr,
    /// What is read from it.
    pub(crate) show: Show<N>,
    /// Whether only its owner, root, may open it.
    pub(crate) private: bool,
    /// What is written to it; `None`: read only.
    pub(crate) store: Option<Store<N>>,
}

/// The window of a file's content that a read asks for. What lies before is skipped; when it is full,
/// writing fails, so that nobody goes on for nothing.
pub(crate) struct Text<'a> {
    window: &'a mut [u8],
    skip: usize,
    filled: usize,
    full: bool,
}

impl Text<'_> {
    /// Whether the next `len` bytes all lie before the window. Then they count as written.
    pub(crate) fn skip(&mut self, len: usize) -> bool {
        match self.skip.checked_sub(len) {
            Some(left) => {
                self.skip = left;
                true
            }
            None => false,
        }
    }
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let skipped = self.skip.min(s.len());
        self.skip = self.skip.saturating_sub(skipped);
        let rest = s.as_bytes().get(skipped..).unwrap_or_default();
        let room = self.window.get_mut(self.filled..).unwrap_or_default();
        self.full |= rest.len() > room.len();
        for (to, from) in room.iter_mut().zip(rest) {
            *to = *from;
            self.filled = self.filled.saturating_add(1);
        }
        if self.full {
            return Err(fmt::Error);
        }
        Ok(())
    }
}

/// A folder with files; both go when it is dropped.
pub(crate) struct Folder {
    kobj: *mut kb::kobject,
    files: KVec<KBox<kb::bin_attribute>>,
}

// SAFETY: the kobject and its attributes are only handed to sysfs, which locks.
unsafe impl Send for Folder {}
// SAFETY: as above.
unsafe impl Sync for Folder {}

impl Folder {
    /// Makes /sys/kernel/`name` with `files`. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` (also if the folder exists), `EEXIST`; then nothing is left.
    pub(super) fn new<N: Namespace>(name: &CStr, files: &'static [File<N>]) -> Result<Self> {
        // SAFETY: valid name; `kernel_kobj` is there from boot on.
        let kobj = unsafe { kb::kobject_create_and_add(name.as_char_ptr(), kb::kernel_kobj) };
        if kobj.is_null() {
            return Err(ENOMEM);
        }
        let mut folder = Self {
            kobj,
            files: KVec::new(),
        };
        for file in files {
            // SAFETY: all-zero is a valid bin_attribute.
            let mut raw: kb::bin_attribute = unsafe { core::mem::zeroed() };
            raw.attr.name = file.name.as_char_ptr();
            raw.attr.mode = match (file.private, file.store.is_some()) {
                (true, _) => 0o600,
                (false, true) => 0o640,
                (false, false) => 0o440,
            };
            raw.private = core::ptr::from_ref(file).cast_mut().cast();
            raw.read = Some(read::<N>);
            raw.write = file.store.and(Some(write::<N>));
            let mut attribute = KBox::new(raw, GFP_KERNEL)?;
            // SAFETY: gives lockdep its key; the attribute stays where it is.
            unsafe { bindings::natf_bin_attr_init(&mut *attribute) };
            folder.files.reserve(1, GFP_KERNEL)?;
            // SAFETY: the attribute stays in its box until `drop` has removed it.
            to_result(unsafe { kb::sysfs_create_bin_file(kobj, &*attribute) })?;
            folder.files.push(attribute, GFP_KERNEL)?;
        }
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // SAFETY: the files and the folder were made by `new`. Removal waits for accesses under way.
        unsafe {
            for file in &self.files {
                kb::sysfs_remove_bin_file(self.kobj, &**file);
            }
            kb::kobject_put(self.kobj);
        }
    }
}

/// # Safety
///
/// `attr` is one made by `Folder::new::<N>`.
unsafe fn file_of<'a, N: Namespace>(attr: *const kb::bin_attribute) -> &'a File<N> {
    // SAFETY: `private` points at a `'static` `File<N>`.
    unsafe { &*(*attr).private.cast::<File<N>>() }
}

unsafe extern "C" fn read<N: Namespace>(
    _file: *mut kb::file,
    _kobj: *mut kb::kobject,
    attr: *const kb::bin_attribute,
    buf: *mut c_char,
    offset: kb::loff_t,
    count: usize,
) -> isize {
    let done = || -> Result<usize> {
        // SAFETY: sysfs passes the attribute and a buffer of `count` bytes.
        let (file, window) = unsafe {
            (
                file_of::<N>(attr),
                core::slice::from_raw_parts_mut(buf.cast::<u8>(), count),
            )
        };
        netns::with_current(false, |ns| {
            let mut text = Text {
                window,
                skip: usize::try_from(offset)?,
                filled: 0,
                full: false,
            };
            match (file.show)(ns, &mut text) {
                Err(fmt::Error) if !text.full => Err(EIO),
                _ => Ok(text.filled),
            }
        })
    };
    outcome(done())
}

unsafe extern "C" fn write<N: Namespace>(
    open: *mut kb::file,
    _kobj: *mut kb::kobject,
    attr: *const kb::bin_attribute,
    buf: *mut c_char,
    offset: kb::loff_t,
    count: usize,
) -> isize {
    let done = || -> Result<usize> {
        // SAFETY: sysfs passes the attribute and a buffer of `count` bytes.
        let (file, data) = unsafe {
            (
                file_of::<N>(attr),
                core::slice::from_raw_parts(buf.cast::<u8>(), count),
            )
        };
        let store = file.store.ok_or(EACCES)?;
        // A long write comes in pieces of one page, and a long file in pieces that end anywhere. So
        // usually whole lines are taken, and half a line is never taken for one.
        let whole = data
            .iter()
            .rposition(|&b| b == b'\n')
            .map_or(0, |at| at.saturating_add(1));
        let (lines, rest) = data.split_at_checked(whole).unwrap_or_default();
        let written = Written {
            lines,
            rest,
            file: open.addr(),
            offset: u64::try_from(offset)?,
        };
        match netns::with_current(true, |ns| store(ns, &written))? {
            0 => Err(EINVAL),
            taken => Ok(taken),
        }
    };
    outcome(done())
}

fn outcome(result: Result<usize>) -> isize {
    match result {
        Ok(n) => isize::try_from(n).unwrap_or(isize::MAX),
        Err(error) => error.to_errno() as isize,
    }
}
