//! libFuzzer's door to the target `backup`; what it must hold is said in `src/targets.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| causeway_fuzz::backup(data));
