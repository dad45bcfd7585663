//! Randomness as an argument, so that tests can be repeated exactly.

use aws_lc_rs::rand::SecureRandom as _;

/// A source of random bytes fit for secrets.
pub trait Random: Send + Sync {
    /// Fills `buffer` with unpredictable bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// Sixteen random bytes as one number.
pub fn random_u128(random: &dyn Random) -> u128 {
    let mut bytes = [0_u8; 16];
    random.fill(&mut bytes);
    u128::from_be_bytes(bytes)
}

/// The operating system's generator, through aws-lc.
#[derive(Debug)]
pub struct SystemRandom(aws_lc_rs::rand::SystemRandom);

impl Default for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "the one place that opens the machine's generator")]
    fn default() -> Self {
        Self(aws_lc_rs::rand::SystemRandom::new())
    }
}

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        // aws-lc fails only when the kernel has no entropy source at all; no secret may be made then.
        self.0.fill(buffer).expect("the operating system gives random bytes");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;
    impl Random for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.iter_mut().zip(1..).for_each(|(byte, value)| *byte = value);
        }
    }

    #[test]
    fn a_random_number_is_made_of_all_sixteen_bytes() {
        assert_eq!(random_u128(&Counting), 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10);
        let random = SystemRandom::default();
        assert_ne!(random_u128(&random), random_u128(&random));
    }
}
