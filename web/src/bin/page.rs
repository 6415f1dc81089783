//! The page: shows the user interface, and starts the worker in which this tab's engine may run.

use std::rc::Rc;

use causeway_web::link::Link;
use causeway_web::page::Page;
use causeway_web::port::boot;
use causeway_web::revive;
use futures::channel::mpsc;

fn main() {
    boot::cover_page_on_panic();
    let page = Rc::new(Page::new());
    let take = causeway_web::ui::mount(page.clone());
    let (silent, silences) = mpsc::unbounded();
    let on_silence = move || {
        // Fails only when the page has given up.
        let _ = silent.unbounded_send(());
    };
    match Link::connect(take, on_silence) {
        Ok(link) => {
            let withdrawing = link.clone();
            page.join(move |action| link.send(action), move |tag| withdrawing.withdraw(tag));
            revive::keep_running(silences, boot::show_failure);
        }
        Err(_) => boot::show_failure(),
    }
}
