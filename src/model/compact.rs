//! Times, hashes and bytes written out in few bytes: worker processes send some for each page.

/// A time as nanoseconds, up to 584 years.
pub(super) mod nanos {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::model) fn serialize<S: Serializer>(
        time: &Duration,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).serialize(to)
    }

    pub(in crate::model) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_nanos)
    }
}

/// A hash in hexadecimal.
pub(super) mod hex {
    use std::borrow::Cow;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in crate::model) fn serialize<S: Serializer>(
        hash: &[u8; 32],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&crate::digest::hex(hash))
    }

    pub(in crate::model) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<[u8; 32], D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        let mut hash = [0; 32];
        let digits = text.as_bytes().as_chunks::<2>().0;
        if text.len() != 64 {
            return Err(D::Error::invalid_length(text.len(), &"64 digits"));
        }
        for (byte, [high, low]) in hash.iter_mut().zip(digits) {
            let digit = |of: &u8| char::from(*of).to_digit(16);
            let (high, low) = digit(high).zip(digit(low)).ok_or_else(|| {
                D::Error::custom("a hash with something else than hexadecimal digits")
            })?;
            *byte = u8::try_from(high << 4 | low).map_err(D::Error::custom)?;
        }
        Ok(hash)
    }
}

/// Bytes in Base64: a list of numbers is three times as long.
pub(super) mod base64 {
    use std::borrow::Cow;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in crate::model) fn serialize<S: Serializer>(
        bytes: &impl AsRef<[u8]>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(in crate::model) fn deserialize<'de, B: From<Vec<u8>>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<B, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        STANDARD.decode(text.as_bytes()).map(B::from).map_err(D::Error::custom)
    }
}
