//! Notifications, the service worker, and its releases.

use crate::state::push_state::PushCommand;
use crate::state::push_state::PushState;
use crate::state::push_state::ServiceWorkerEvent;
use crate::state::scope::Answer;
use crate::state::scope::Listener;

/// Notifications, the service worker, and its releases.
pub trait PushNotifications {
    /// Sends the service worker a command, which may prompt the person; the answer is the push state afterwards.
    fn run_push_command(&self, command: PushCommand, answer: Answer<PushState>);
    /// Finds out whether an earlier visit has registered a service worker, even one that does not serve this page because
    /// it was loaded without.
    fn has_service_worker(&self, answer: Answer<bool>);
    /// Registers the service worker, which then downloads every file of the release. The first call counts.
    fn register_service_worker(&self);
    /// Registers the listener for events of the service worker.
    fn on_service_worker_event(&self, listener: Listener<ServiceWorkerEvent>);
    /// Makes the service worker show notifications about what is new, because this page does not have the focus.
    fn look_for_news(&self);
    /// Closes the notifications about chats, except about these.
    fn close_notifications(&self, unread: Vec<String>);
    /// Activates the waiting release; the page loads again.
    fn use_update(&self);
    /// The number on the app's icon.
    fn badge(&self, unread: u32);
}
