//! The page: shows the user interface, and starts the worker in which this tab's engine may run.

use std::rc::Rc;

use causeway_web::link::Link;
use causeway_web::page::Page;
use causeway_web::port::boot;
use causeway_web::revive;

fn main() {
    boot::report_panics();
    let page = Rc::new(Page::new());
    let take = causeway_web::ui::mount(page.clone());
    match Link::connect(take) {
        Ok(link) => {
            page.join(move |action| link.send(action));
            revive::keep_running(boot::show_failure);
        }
        Err(_) => boot::show_failure(),
    }
}
