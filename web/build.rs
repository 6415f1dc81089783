//! Link arguments of the client's program. Knows nothing of what is in it.

#[expect(clippy::disallowed_methods, reason = "the arguments of a build script are environment variables")]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Relocations say which function refers to which: tests/toolchain/src/bin/wasm-bindgen/split.rs cuts along them.
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo::rustc-link-arg-bin=client=--emit-relocs");
    }
}
