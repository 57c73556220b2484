//! SHA-256 of many short messages. Each step of one message's hash waits for the step before it; a
//! core with instructions for SHA-256 has time for a second message meanwhile, so two go side by
//! side. Anywhere else they go one after another, with the same digests.

use sha2::block_api::compress256;

use crate::hash::{Digest, FIRST_WORDS, digest_of_words};

/// Bytes of a block of SHA-256.
const BLOCK_BYTES: usize = 64;
/// Messages that lie ready, so that they stay in the nearest cache.
const READY_MAX: usize = 32;

/// Hashes messages one after another, in the order in which they are pushed.
#[derive(Debug, Default)]
pub struct HashMany {
    /// Messages, each padded to whole blocks.
    bytes: Vec<u8>,
    /// How many blocks each has.
    counts: Vec<usize>,
    digests: Vec<Digest>,
}

impl HashMany {
    /// Takes a message: what `write` appends to the bytes that it is given.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let begin = self.bytes.len();
        write(&mut self.bytes);
        let length = self.bytes.len() - begin;
        self.bytes.push(0x80);
        let count = (length + 9).div_ceil(BLOCK_BYTES);
        self.bytes.resize(begin + count * BLOCK_BYTES - 8, 0);
        self.bytes.extend_from_slice(&((length as u64) << 3).to_be_bytes());
        self.counts.push(count);
        if self.counts.len() == READY_MAX {
            self.hash_ready();
        }
    }

    /// The digests of all messages.
    pub fn finish(mut self) -> Vec<Digest> {
        self.hash_ready();
        self.digests
    }

    fn hash_ready(&mut self) {
        let (mut rest, _) = self.bytes.as_chunks::<BLOCK_BYTES>();
        let mut counts = self.counts.as_slice();
        while let [count, ..] = counts {
            // Two of one length go side by side; messages of one kind mostly are.
            let abreast = if counts.get(1) == Some(count) { 2 } else { 1 };
            let (now, later) = rest.split_at(abreast * count);
            match now.split_at(*count) {
                (one, []) => {
                    let mut words = FIRST_WORDS;
                    compress256(&mut words, one);
                    self.digests.push(digest_of_words(words));
                }
                (one, other) => {
                    self.digests.extend(compress_two([one, other]).map(digest_of_words));
                }
            }
            (rest, counts) = (later, &counts[abreast..]);
        }
        self.bytes.clear();
        self.counts.clear();
    }
}

/// The words after two messages of one length.
fn compress_two(messages: [&[[u8; BLOCK_BYTES]]; 2]) -> [[u32; 8]; 2] {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("sha")
        && std::arch::is_x86_feature_detected!("ssse3")
        && std::arch::is_x86_feature_detected!("sse4.1")
    {
        #[expect(unsafe_code, reason = "the processor has what the function uses: asked above")]
        // SAFETY: the features that the function is compiled for are those detected.
        return unsafe { x86::compress_two(messages) };
    }
    messages.map(|message| {
        let mut words = FIRST_WORDS;
        compress256(&mut words, message);
        words
    })
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_set_epi32, _mm_set_epi64x,
        _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8,
        _mm_shuffle_epi32,
    };

    use super::BLOCK_BYTES;
    use crate::hash::FIRST_WORDS;

    /// The constants of the 64 rounds (FIPS 180-4, section 4.2.2).
    const ROUNDS: [[u32; 4]; 16] = [
        [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5],
        [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
        [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3],
        [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
        [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc],
        [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
        [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7],
        [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
        [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13],
        [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
        [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3],
        [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
        [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5],
        [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
        [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208],
        [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
    ];

    /// Words of a message's hash as the instructions have them.
    #[derive(Clone, Copy)]
    struct Lane {
        abef: __m128i,
        cdgh: __m128i,
        schedule: [__m128i; 4],
    }

    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn load(block: &[u8; BLOCK_BYTES]) -> [__m128i; 4] {
        let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
        let (halves, _) = block.as_chunks::<8>();
        let half = |at: usize| i64::from_le_bytes(halves[at]);
        std::array::from_fn(|at| {
            _mm_shuffle_epi8(_mm_set_epi64x(half(2 * at + 1), half(2 * at)), swap)
        })
    }

    /// Four rounds of both.
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn rounds(lanes: &mut [Lane; 2], four: usize) {
        let [k0, k1, k2, k3] = ROUNDS[four].map(u32::cast_signed);
        let constants = _mm_set_epi32(k3, k2, k1, k0);
        for Lane { abef, cdgh, schedule } in lanes {
            let sum = _mm_add_epi32(schedule[four % 4], constants);
            *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, sum);
            *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32::<0x0e>(sum));
        }
    }

    /// The next four words of both schedules.
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn extend(lanes: &mut [Lane; 2], four: usize) {
        for Lane { schedule, .. } in lanes {
            let [w0, w1, w2, w3] = std::array::from_fn(|at| schedule[(four + at) % 4]);
            let sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8::<4>(w3, w2));
            schedule[four % 4] = _mm_sha256msg2_epu32(sum, w3);
        }
    }

    #[target_feature(enable = "sha,ssse3,sse4.1")]
    pub(super) fn compress_two(messages: [&[[u8; BLOCK_BYTES]]; 2]) -> [[u32; 8]; 2] {
        let [a, b, c, d, e, f, g, h] = FIRST_WORDS.map(u32::cast_signed);
        let (abef, cdgh) = (_mm_set_epi32(a, b, e, f), _mm_set_epi32(c, d, g, h));
        let mut lanes = [Lane { abef, cdgh, schedule: [abef; 4] }; 2];
        for (one, other) in messages[0].iter().zip(messages[1]) {
            lanes[0].schedule = load(one);
            lanes[1].schedule = load(other);
            let before = lanes;
            for four in 0..ROUNDS.len() {
                if four >= 4 {
                    extend(&mut lanes, four);
                }
                rounds(&mut lanes, four);
            }
            for (lane, before) in lanes.iter_mut().zip(before) {
                lane.abef = _mm_add_epi32(lane.abef, before.abef);
                lane.cdgh = _mm_add_epi32(lane.cdgh, before.cdgh);
            }
        }
        lanes.map(|Lane { abef, cdgh, .. }| {
            [
                _mm_extract_epi32::<3>(abef),
                _mm_extract_epi32::<2>(abef),
                _mm_extract_epi32::<3>(cdgh),
                _mm_extract_epi32::<2>(cdgh),
                _mm_extract_epi32::<1>(abef),
                _mm_extract_epi32::<0>(abef),
                _mm_extract_epi32::<1>(cdgh),
                _mm_extract_epi32::<0>(cdgh),
            ]
            .map(i32::cast_unsigned)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hash::sha256;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        /// Whatever their lengths, and whether two go side by side: each has its own digest.
        #[test]
        fn each_message_has_its_own_digest(
            messages in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 0..9), 0_usize..4), 0..90,
            ),
        ) {
            let long = |(bytes, more): &(Vec<u8>, usize)| {
                let mut message = bytes.clone();
                message.resize(bytes.len() + 57 * more, 7);
                message
            };
            let messages: Vec<Vec<u8>> = messages.iter().map(long).collect();
            let mut many = HashMany::default();
            for message in &messages {
                many.push(|bytes| bytes.extend_from_slice(message));
            }
            let expected: Vec<Digest> = messages.iter().map(|message| sha256(&[message])).collect();
            prop_assert_eq!(many.finish(), expected);
        }
    }
}
