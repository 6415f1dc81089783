//! The page: shows the user interface, and starts the worker in which this tab's engine may run.

use causeway_web::port::{boot, worker::EngineWorker};

fn main() {
    causeway_web::ui::mount();
    match EngineWorker::start(boot::show_failure) {
        // The worker lives as long as the page.
        Ok(worker) => core::mem::forget(worker),
        Err(_) => boot::show_failure(),
    }
}
