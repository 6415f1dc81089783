//! The engine: runs in the dedicated worker of every tab, and leads in one of them.

use causeway::engine::{Config, Engine};
use causeway_web::life;
use causeway_web::tabs::{self, Names};

fn main() {
    causeway_web::port::boot::report_panics();
    causeway_web::port::spawn(life::hold());
    causeway_web::port::spawn(tabs::run(Names::default(), life::urges(), |data_key| {
        Engine::new(Config {
            data_key,
            client_version: env!("CARGO_PKG_VERSION").to_owned(),
            partner_api: String::new(),
        })
    }));
}
