//! The page: shows the user interface, and starts the worker in which this tab's engine may run.

use std::rc::Rc;

use causeway_web::browser_adapter::BrowserAdapter;
use causeway_web::engine_client::EngineClient;
use causeway_web::port::boot;
use causeway_web::ui::on_demand::FetchPages;
use causeway_web::{ui, worker_supervisor};
use futures::channel::mpsc;

/// Mounts the user interface, and connects it to the engine. `fetch` loads the pages that are fetched on demand.
pub(crate) fn start(fetch: FetchPages) {
    let browser = Rc::new(BrowserAdapter::new());
    let take = ui::mount(browser.clone(), fetch);
    let (timed_out, timeouts) = mpsc::unbounded();
    let on_timeout = move || {
        // Fails only when the page has given up.
        let _ = timed_out.unbounded_send(());
    };
    match EngineClient::connect(take, on_timeout) {
        Ok(client) => {
            let withdrawing = client.clone();
            browser.connect(move |action| client.send(action), move |tag| withdrawing.withdraw(tag));
            worker_supervisor::keep_running(timeouts, boot::show_failure);
        }
        Err(_) => boot::show_failure(),
    }
}
