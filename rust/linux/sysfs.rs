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

mod text;

use text::Place;
pub(crate) use text::Text;

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

impl Written<'_> {
    /// All whole lines were taken, or none, as `result` says.
    pub(crate) fn whole(&self, result: Result) -> Result<usize> {
        result.map(|()| self.lines.len())
    }
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

/// Who reads in pieces, as far as that is known: of more readers at a time than there is room for, some go on by
/// bytes. sysfs tells neither of opening nor of closing.
#[derive(Default)]
pub(super) struct Readers {
    known: [Reader; 8],
    next: usize,
}

/// A reader: the open file, which of ours it is, and the offset at which he goes on. All zero is none.
#[derive(Clone, Copy, Default)]
struct Reader {
    open: usize,
    file: usize,
    offset: usize,
    place: Place,
}

impl Readers {
    /// Where who reads from `offset` is.
    fn find(&self, open: usize, file: usize, offset: usize) -> Place {
        let is_it =
            |reader: &&Reader| (reader.open, reader.file, reader.offset) == (open, file, offset);
        match self.known.iter().find(is_it) {
            Some(reader) if offset > 0 => reader.place,
            _ => Place::at_byte(offset),
        }
    }

    fn keep(&mut self, reader: Reader) {
        let same = |old: &Reader| (old.open, old.file) == (reader.open, reader.file);
        let at = self.known.iter().position(same).unwrap_or_else(|| {
            self.next = self.next.wrapping_add(1) % self.known.len();
            self.next
        });
        if let Some(slot) = self.known.get_mut(at) {
            *slot = reader;
        }
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
    open: *mut kb::file,
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
        let offset = usize::try_from(offset)?;
        netns::with_current(false, |ns: &Netns<N>| {
            let skip = ns.readers().lock().find(open.addr(), attr.addr(), offset);
            let mut text = Text::new(window, skip);
            match (file.show)(ns, &mut text) {
                Err(fmt::Error) if !text.is_full() => return Err(EIO),
                _ => {}
            }
            let (len, place) = text.end();
            ns.readers().lock().keep(Reader {
                open: open.addr(),
                file: attr.addr(),
                offset: offset.saturating_add(len),
                place,
            });
            Ok(len)
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
