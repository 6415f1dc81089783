//! The fuzz targets as a library, so that each libFuzzer binary is one line.

mod fixture;
mod targets;

pub use targets::*;
