//! Conversions between Rust's integers and JavaScript's numbers, which are 64-bit floats.
//!
//! What this module does not know: the unit of a number, and whether it is plausible.
#![expect(clippy::as_conversions, reason = "the standard library converts between integers and floats in no other way")]

/// A number for JavaScript; exact up to 2^53.
pub fn to_js(whole: u64) -> f64 {
    whole as f64
}

/// A whole number from JavaScript, rounded towards zero; negative ones and NaN become 0, larger ones the largest.
pub fn from_js(number: f64) -> u64 {
    number as u64
}

/// The same, of either sign.
pub fn signed_from_js(number: f64) -> i64 {
    number as i64
}

/// The nearest whole number of CSS pixels.
pub fn pixels(number: f64) -> i32 {
    number.round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_saturate() {
        assert_eq!([f64::NAN, -1.0, 1.9, f64::INFINITY].map(from_js), [0, 0, 1, u64::MAX]);
        assert_eq!([f64::NAN, -1.9, f64::INFINITY].map(signed_from_js), [0, -1, i64::MAX]);
        assert_eq!([f64::NAN, -1.5, 2.4, 1e30].map(pixels), [0, -2, 2, i32::MAX]);
    }
}
