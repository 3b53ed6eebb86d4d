// SPDX-License-Identifier: GPL-2.0

//! The mistakes with memory of natf_bugs, in Rust: what the modules under test are written in. Each returns
//! 0, or −ENOMEM.

use kernel::prelude::*;

/// As long as a small table entry.
fn boxed() -> Result<KBox<[u64; 8]>> {
    Ok(KBox::new([0x5a; 8], GFP_KERNEL)?)
}

/// Memory that nobody knows any more.
#[no_mangle]
extern "C" fn natf_bug_leak() -> c_int {
    match boxed() {
        Ok(lost) => {
            let _ = KBox::into_raw(lost);
            0
        }
        Err(error) => error.to_errno(),
    }
}

/// A read of memory that was given back.
#[no_mangle]
extern "C" fn natf_bug_use_after_free() -> c_int {
    match boxed() {
        Ok(gone) => {
            let place: *const u64 = gone.as_ptr();
            drop(gone);
            // SAFETY: None; this is the mistake.
            unsafe { core::ptr::read_volatile(place) };
            0
        }
        Err(error) => error.to_errno(),
    }
}

/// A write behind the end.
#[no_mangle]
extern "C" fn natf_bug_out_of_bounds() -> c_int {
    match boxed() {
        Ok(mut small) => {
            let place: *mut u64 = small.as_mut_ptr();
            // SAFETY: None; this is the mistake.
            unsafe { core::ptr::write_volatile(place.add(8), 0) };
            0
        }
        Err(error) => error.to_errno(),
    }
}
