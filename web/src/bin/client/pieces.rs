//! Where the client is cut into modules. Each function here is the only way into a module of its own: calling it loads the
//! module first, together with the modules that it shares code with, and fails if one of them cannot be fetched. Whatever
//! only such a function reaches is left out of the main module.
//!
//! These functions are in the program, not in the library: the linker keeps each of them, with all that it reaches, in every
//! program that contains it.

use causeway::io::{Computation, ComputeFailure, Computed};
use causeway_web::ui::on_demand::{FetchPages, SecondaryPages};
use wasm_split_helpers::{SplitLoaderError, wasm_split};

/// Starts the page. Module `page`.
#[wasm_split(page, fallible)]
pub(crate) fn start_page(fetch: FetchPages) -> Result<(), SplitLoaderError> {
    crate::page::start(fetch);
    Ok(())
}

/// Settings, restore and the like. Module `secondary`.
#[wasm_split(secondary, fallible)]
pub(crate) fn secondary_pages() -> Result<SecondaryPages, SplitLoaderError> {
    Ok(causeway_web::ui::secondary_pages())
}

/// Computes what the engine leaves out of its module. Module `compute`, which only a backup or a restore fetches.
#[wasm_split(compute, fallible)]
pub(crate) fn compute(computation: Computation) -> Result<Result<Computed, ComputeFailure>, SplitLoaderError> {
    Ok(computation.run())
}
