// SPDX-License-Identifier: GPL-2.0

//! Fixed fields in a byte slice, big-endian, without a panic.
//!
//! The views check their length once. These helpers are total all the same: a field that is not there
//! reads as zero and is not written, so a mistake in a view cannot become a crash of the kernel.

/// The `N` bytes at `at`.
pub(super) fn bytes<const N: usize>(data: &[u8], at: usize) -> [u8; N] {
    data.get(at..)
        .and_then(|tail| tail.first_chunk::<N>())
        .copied()
        .unwrap_or([0; N])
}

/// The byte at `at`.
pub(super) fn byte(data: &[u8], at: usize) -> u8 {
    data.get(at).copied().unwrap_or(0)
}

/// The 16-bit field at `at`.
pub(super) fn half(data: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(bytes(data, at))
}

/// The 32-bit field at `at`.
pub(super) fn word(data: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes(data, at))
}

/// Writes `value` at `at`.
pub(super) fn put(data: &mut [u8], at: usize, value: &[u8]) {
    let field = data
        .get_mut(at..)
        .and_then(|tail| tail.get_mut(..value.len()));
    if let Some(field) = field {
        field.copy_from_slice(value);
    }
}

/// The bytes from `start` to `end`, or to the end of the buffer if that comes first.
pub(super) fn part(data: &[u8], start: usize, end: usize) -> &[u8] {
    data.get(start..end.min(data.len())).unwrap_or(&[])
}
