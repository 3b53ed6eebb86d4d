// SPDX-License-Identifier: GPL-2.0

//! HMAC-SHA256 of the kernel's library. Any context up to softirq.

use super::bindings;
use crate::natf::auth::Mac;
use kernel::prelude::*;
use kernel::types::Opaque;

/// A key, prepared for use, that nobody can read back; wiped when it is dropped.
#[pin_data(PinnedDrop)]
pub(super) struct HmacKey {
    #[pin]
    key: Opaque<bindings::hmac_sha256_key>,
}

// SAFETY: it does not change after `new`.
unsafe impl Send for HmacKey {}
// SAFETY: as above.
unsafe impl Sync for HmacKey {}

impl HmacKey {
    /// The key that `raw` is.
    pub(super) fn new(raw: &[u8]) -> impl PinInit<Self> + '_ {
        // SAFETY: the slot is memory for a key, which the function fills completely; `raw` is so long.
        let key = Opaque::ffi_init(move |slot| unsafe {
            bindings::hmac_sha256_preparekey(slot, raw.as_ptr(), raw.len());
        });
        pin_init!(Self { key <- key })
    }
}

impl Mac for HmacKey {
    fn mac(&self, data: &[u8]) -> [u8; 32] {
        let mut out = [0; 32];
        // SAFETY: a prepared key; `data` and `out` are valid for their lengths.
        unsafe {
            bindings::hmac_sha256(self.key.get(), data.as_ptr(), data.len(), out.as_mut_ptr());
        }
        out
    }
}

#[pinned_drop]
impl PinnedDrop for HmacKey {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: the key is ours, all zeros is a value of it, and nobody uses it any more.
        unsafe { self.key.get().write_volatile(core::mem::zeroed()) };
    }
}

/// Overwrites a secret, also if nobody looks at it afterwards.
pub(super) fn wipe<const N: usize>(secret: &mut [u8; N]) {
    // SAFETY: an exclusive reference to plain bytes.
    unsafe { core::ptr::write_volatile(secret, [0; N]) };
}
