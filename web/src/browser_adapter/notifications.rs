//! Notifications, the service worker, and its releases.

use crate::state::push_state::PushCommand;
use crate::state::push_state::PushState;
use crate::state::push_state::ServiceWorkerEvent;
use crate::state::scope::Answer;
use crate::state::scope::Listener;

use super::BrowserAdapter;
use crate::port::{self, badge, service};
use crate::state::browser::PushNotifications;

impl PushNotifications for BrowserAdapter {
    fn run_push_command(&self, command: PushCommand, answer: Answer<PushState>) {
        // Called at once, as above.
        let permission = (command == PushCommand::On).then(service::ask_permission);
        port::spawn(async move {
            if let Some(permission) = permission {
                permission.await;
            }
            answer.run(service::run_push_command(command).await);
        });
    }

    fn has_service_worker(&self, answer: Answer<bool>) {
        port::spawn(async move { answer.run(service::is_registered().await) });
    }

    fn register_service_worker(&self) {
        service::register();
    }

    fn on_service_worker_event(&self, listener: Listener<ServiceWorkerEvent>) {
        service::listen_for_events(move |word| listener.run(word));
    }

    fn look_for_news(&self) {
        service::look();
    }

    fn close_notifications(&self, unread: Vec<String>) {
        service::close_notifications(unread);
    }

    fn use_update(&self) {
        service::use_update();
    }

    fn badge(&self, unread: u32) {
        badge::set(unread);
    }
}
