//! The identifier of a browser profile.
//!
//! What this module does not know: whose device it is.

/// 32 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DeviceId(String);

/// The text is not a device id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a device id has 32 lower-case hex digits")]
pub(crate) struct InvalidDeviceId;

impl DeviceId {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DeviceId {
    type Error = InvalidDeviceId;

    fn try_from(text: String) -> Result<Self, InvalidDeviceId> {
        let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == 32 && text.bytes().all(hex)).then_some(Self(text)).ok_or(InvalidDeviceId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_thirty_two_lower_case_hex_digits_are_a_device_id() {
        let good = "0123456789abcdef".repeat(2);
        assert_eq!(DeviceId::try_from(good.clone()).map(|device| device.0), Ok(good.clone()));
        for bad in [
            "",
            good.strip_prefix('0').unwrap(),
            &format!("{good}0"),
            &good.to_uppercase(),
            &good.replace('0', "g"),
            &"é".repeat(16),
        ] {
            assert_eq!(DeviceId::try_from(bad.to_owned()), Err(InvalidDeviceId), "{bad:?}");
        }
    }
}
