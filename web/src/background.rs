//! Tasks of the service worker, which the browser starts for a push or for a click on a notification.
//!
//! It is both a lock candidate and a headless client: the engine runs here if no tab is open; otherwise the leading tab
//! does the work and this module only sends commands to it.
//!
//! What this module does not know: pushes and clicks. It gets a [`Task`] and returns whether it was carried out.

use crate::driver::Machine;
use crate::engine_client::{EngineClient, EngineClientError};
use crate::leader::{self, LeaderNames};
use crate::notifications;
use crate::port::{badge, clock, notification};
use crate::state::model::{self, Change, Model};
use crate::text::Notifications;
use causeway::io::Millis;
use causeway::view::{
    Action, ConnectionState, Delivery, Done, Hello, Issue, MarkRead, Notified, SaveDraft, Send, Woken,
};
use causeway_proto::secret::Secret;
use core::cell::RefCell;
use core::pin::pin;
use futures::channel::mpsc::{self, UnboundedReceiver};
use futures::future::{Either, select};
use futures::stream::StreamExt;
use std::rc::Rc;

/// Browsers end a service worker after 30 seconds or more. A task that takes longer than this has failed.
const TASK_TIMEOUT: Millis = Millis(20_000);
/// Time for the chat server to accept a reply that is already durable.
const SEND_TIMEOUT: Millis = Millis(8_000);

/// What the service worker was started for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// A push came: fetch the waiting messages, then show notifications.
    Push {
        /// The tag of the unspecific notification that is on screen.
        tag: String,
    },
    /// A push may have been lost: fetch the waiting messages, then show notifications, if there is anything new.
    CatchUp,
    /// A page without focus has new messages: show notifications.
    Look,
    /// The person answered from a notification.
    Reply {
        /// The chat's id.
        chat: String,
        /// What they wrote.
        text: String,
    },
    /// The person has read a chat up to a message.
    Read {
        /// The chat's id.
        chat: String,
        /// Sequence number of the message that the notification showed.
        seq: u64,
    },
}

/// The task was not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BackgroundError {
    /// No engine can be reached.
    #[error(transparent)]
    EngineClient(#[from] EngineClientError),
    /// The time was up.
    #[error("the engine did not answer in time")]
    TimedOut,
    /// The engine refused.
    #[error("the engine answered with an issue: {0:?}")]
    Refused(Issue),
    /// No engine can run until a person does something.
    #[error("no engine can run in this browser for now")]
    Stopped,
}

/// Carries out one task.
///
/// # Errors
/// [`BackgroundError`]: then nothing is known about the outcome, and the caller shows a notification that is true in
/// any case.
pub async fn run<M: Machine>(task: Task, engine: impl Fn(Secret<32>) -> M) -> Result<(), BackgroundError> {
    let (takeover, takeovers) = mpsc::unbounded();
    let (client_view, client) = BackgroundClient::open(move || {
        // Fails only when the receiver is gone.
        let _ = takeover.unbounded_send(());
    })?;
    let election = pin!(leader::run(LeaderNames::default(), takeovers, engine));
    let task = pin!(client_view.perform(&client, task));
    match select(select(task, clock::sleep(TASK_TIMEOUT)), election).await {
        Either::Left((Either::Left((outcome, _)), _)) => outcome,
        Either::Left((Either::Right(_), _)) => Err(BackgroundError::TimedOut),
        // An election never ends.
        Either::Right(_) => Err(BackgroundError::Stopped),
    }
}

/// A client without a page: the state that the engine has sent, and a signal for each update.
struct BackgroundClient {
    known: Rc<RefCell<Known>>,
    news: RefCell<UnboundedReceiver<()>>,
}

#[derive(Default)]
struct Known {
    model: Model,
    done: Vec<Done>,
}

impl BackgroundClient {
    fn open(on_timeout: impl Fn() + 'static) -> Result<(Self, EngineClient), EngineClientError> {
        let known = Rc::new(RefCell::new(Known::default()));
        let (sender, news) = mpsc::unbounded();
        let client = EngineClient::connect(
            {
                let known = Rc::clone(&known);
                move |update| {
                    let mut known = known.borrow_mut();
                    for change in model::apply(&mut known.model, update, clock::now().0) {
                        if let Change::Done(done) = change {
                            known.done.push(done);
                        }
                    }
                    let _nobody_waits = sender.unbounded_send(());
                }
            },
            on_timeout,
        )?;
        Ok((Self { known, news: RefCell::new(news) }, client))
    }

    /// Waits until `look` finds what it looks for in the known state.
    #[expect(clippy::await_holding_refcell_ref, reason = "there is one task at a time, so there is no second waiter")]
    async fn until<T>(&self, mut look: impl FnMut(&Known) -> Option<T>) -> Result<T, BackgroundError> {
        let mut news = self.news.borrow_mut();
        loop {
            if let Some(seen) = look(&self.known.borrow()) {
                return Ok(seen);
            }
            news.next().await.ok_or(BackgroundError::Stopped)?;
        }
    }

    async fn ask(&self, client: &EngineClient, action: Action) -> Result<(), BackgroundError> {
        let tag = client.send(action);
        let issue = self
            .until(|known| {
                let done = known.done.iter().find(|done| done.tag == tag).map(Done::issue);
                // No answer comes while no engine can run.
                done.or_else(|| known.is_stopped().then(|| known.model.connection.issue()))
            })
            .await?;
        match issue {
            Issue::None => Ok(()),
            issue => Err(BackgroundError::Refused(issue)),
        }
    }

    async fn perform(&self, client: &EngineClient, task: Task) -> Result<(), BackgroundError> {
        match task {
            Task::Push { tag } => {
                self.ask(client, Action::Woken(Woken {})).await?;
                let any_shown = self.show_notifications(client, true).await?;
                if any_shown || !notification::shown().await.is_empty() {
                    notification::close_waiting().await;
                } else {
                    let _refused =
                        notification::say(&tag, Notifications::NothingNew, Notifications::NothingNewWhy.text()).await;
                }
            }
            Task::CatchUp => {
                self.ask(client, Action::Woken(Woken {})).await?;
                self.show_news(client).await?;
            }
            Task::Look => self.show_news(client).await?,
            Task::Reply { chat, text } => {
                let message = Send { chat: chat.clone(), text };
                if let Err(error) = self.ask(client, Action::Send(message.clone())).await {
                    self.keep_as_draft(client, message).await;
                    return Err(error);
                }
                {
                    // In a block of its own: `sent` borrows the updates until it is dropped.
                    let sent = pin!(self.until(|known| known.is_sent(&chat).then_some(())));
                    // It is durable: a tab, or the next task, sends it if this one cannot.
                    select(sent, clock::sleep(SEND_TIMEOUT)).await;
                }
                self.show_notifications(client, true).await?;
            }
            Task::Read { chat, seq } => {
                self.ask(client, Action::MarkRead(MarkRead { chat, up_to: seq })).await?;
                self.show_notifications(client, true).await?;
            }
        }
        Ok(())
    }

    /// Keeps a reply that was refused where its chat shows it, unless there is a draft already. If this fails as well, the
    /// notification that reports it still has the text.
    async fn keep_as_draft(&self, client: &EngineClient, Send { chat, text }: Send) {
        if self.known.borrow().model.chat(&chat).is_some_and(|chat| chat.draft.is_empty()) {
            let _refused = self.ask(client, Action::SaveDraft(SaveDraft { chat, text })).await;
        }
    }

    /// Shows what is new, unless a page has the focus.
    async fn show_news(&self, client: &EngineClient) -> Result<(), BackgroundError> {
        let aloud = !notification::is_watched().await;
        self.show_notifications(client, aloud).await.map(drop)
    }

    /// Closes notifications that are out of date and, if `aloud`, shows new ones. Returns whether any was shown.
    async fn show_notifications(&self, client: &EngineClient, aloud: bool) -> Result<bool, BackgroundError> {
        // The answer comes after a snapshot, which is newer than every answer before it.
        self.ask(client, Action::Hello(Hello {})).await?;
        let shown = notification::shown().await;
        let plan = notifications::plan(&self.known.borrow().model, &shown);
        badge::set(plan.unread);
        for chat in &plan.close {
            notification::close(chat).await;
        }
        let mut any_shown = false;
        for notification in plan.show.into_iter().filter(|_| aloud) {
            // Shown before it is recorded: after an interruption in between it is shown again, in the same place.
            if notification::show(&notification).await.is_ok() {
                any_shown = true;
                self.ask(client, Action::Notified(Notified { chat: notification.chat, up_to: notification.seq }))
                    .await?;
            }
        }
        Ok(any_shown)
    }
}

impl Known {
    fn is_stopped(&self) -> bool {
        let connection = &self.model.connection;
        connection.state() == ConnectionState::Stopped && connection.issue() != Issue::None
    }

    /// The server has what was written last in this chat.
    fn is_sent(&self, chat: &str) -> bool {
        let last = self.model.chat(chat).and_then(|chat| chat.last.as_ref());
        last.is_some_and(|last| last.outgoing && last.delivery() >= Delivery::Sent)
    }
}
