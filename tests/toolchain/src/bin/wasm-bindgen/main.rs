//! `wasm-bindgen`, as Trunk expects it on the PATH, for programs that are cut into modules (`split.rs`) as well. Otherwise
//! the library reads the arguments.

mod split;

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let done = split::split(&arguments).and_then(|arguments| {
        wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(arguments).map_err(|error| format!("{error:?}"))
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
