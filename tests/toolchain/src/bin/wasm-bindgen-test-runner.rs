//! `wasm-bindgen-test-runner`, which cargo starts for every wasm test binary. Knows nothing of its own: the library
//! reads the arguments and the environment (CHROMEDRIVER, GECKODRIVER, SAFARIDRIVER).

use std::process::ExitCode;

fn main() -> ExitCode {
    match wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:?}");
            ExitCode::FAILURE
        }
    }
}
