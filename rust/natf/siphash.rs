// SPDX-License-Identifier: GPL-2.0

//! SipHash-2-4 (Aumasson and Bernstein, 2012): a hash of short inputs that nobody can steer or guess who does
//! not have the key.

/// A key: 128 random bits, as two words in the order of the reference implementation.
#[derive(Clone, Copy)]
pub struct Key(pub [u64; 2]);

struct State([u64; 4]);

impl State {
    fn round(&mut self) {
        let [mut v0, mut v1, mut v2, mut v3] = self.0;
        v0 = v0.wrapping_add(v1);
        v1 = v1.rotate_left(13) ^ v0;
        v0 = v0.rotate_left(32);
        v2 = v2.wrapping_add(v3);
        v3 = v3.rotate_left(16) ^ v2;
        v0 = v0.wrapping_add(v3);
        v3 = v3.rotate_left(21) ^ v0;
        v2 = v2.wrapping_add(v1);
        v1 = v1.rotate_left(17) ^ v2;
        v2 = v2.rotate_left(32);
        self.0 = [v0, v1, v2, v3];
    }

    fn take(&mut self, word: u64) {
        let [.., v3] = &mut self.0;
        *v3 ^= word;
        self.round();
        self.round();
        let [v0, ..] = &mut self.0;
        *v0 ^= word;
    }
}

/// The hash of `data` under `key`.
pub fn hash(key: &Key, data: &[u8]) -> u64 {
    let Key([k0, k1]) = *key;
    let mut state = State([
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ]);
    let mut words = data.chunks_exact(8);
    for word in &mut words {
        let word = word.try_into().unwrap_or([0; 8]);
        state.take(u64::from_le_bytes(word));
    }
    // What is left over, and the length modulo 256 in the highest byte.
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(words.remainder()) {
        *to = *from;
    }
    let [.., highest] = &mut last;
    let [len, ..] = data.len().to_le_bytes();
    *highest = len;
    state.take(u64::from_le_bytes(last));
    let [_, _, v2, _] = &mut state.0;
    *v2 ^= 0xff;
    for _ in 0..4 {
        state.round();
    }
    let [v0, v1, v2, v3] = state.0;
    v0 ^ v1 ^ v2 ^ v3
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the paper (appendix A), and the first and two more of the vectors that come with the
    /// reference implementation: the key is 00 01 … 0f, the input 00 01 … of growing length.
    #[test]
    fn reference_vectors() {
        let key = Key([0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908]);
        let data: Vec<u8> = (0..15).collect();
        for (len, wanted) in [
            (0, 0x726f_db47_dd0e_0e31),
            (1, 0x74f8_39c5_93dc_67fd),
            (8, 0x93f5_f579_9a93_2462),
            (15, 0xa129_ca61_49be_45e5),
        ] {
            assert_eq!(hash(&key, &data[..len]), wanted, "{len}");
        }
    }

    /// The standard library has the same function, under a deprecated name.
    #[test]
    #[allow(deprecated)]
    fn as_the_standard_library_has_it() {
        use core::hash::{Hasher, SipHasher};
        let data: Vec<u8> = (0..=255).cycle().take(600).collect();
        for len in 0..data.len() {
            let mut theirs = SipHasher::new_with_keys(17, u64::MAX);
            theirs.write(&data[..len]);
            assert_eq!(hash(&Key([17, u64::MAX]), &data[..len]), theirs.finish());
        }
    }
}
