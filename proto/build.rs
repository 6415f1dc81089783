//! Turns `schema/*.proto` into Rust, with protox instead of protoc so that a checkout builds with cargo alone.

use std::error::Error;
use std::fs;

/// Messages that carry keys, tokens or what people wrote get no `Debug`: nothing can print them by accident.
const UNPRINTABLE: [&str; 3] = ["client_payload", "content", "session"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=schema");
    let mut files =
        fs::read_dir("schema")?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "proto"));
    files.sort();
    prost_build::Config::new()
        .skip_debug(UNPRINTABLE.map(|package| format!(".{package}")))
        .compile_fds(protox::compile(&files, ["schema"])?)?;
    Ok(())
}
