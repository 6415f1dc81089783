//! The service worker's shift: it is woken by a push, or by a click on a notification, and is there for one job.
//!
//! It is a page without pixels and a worker at once. As a worker it is one more candidate for the lock, so that the engine
//! runs here if no tab is open; as a page it talks to whoever leads. If a tab leads, the tab does the work.
//!
//! What this module does not know: pushes and clicks. It is told what to do, and says whether that was done.

use crate::link::{Link, LinkError};
use crate::notices;
use crate::port::{badge, clock, notification};
use crate::state::model::{self, Change, Model};
use crate::tabs::{self, Names};
use crate::text::Notices;
use causeway::engine::Engine;
use causeway::io::Millis;
use causeway::view::{Action, ConnectionState, Delivery, Done, Hello, Issue, MarkRead, Notified, Send, Woken};
use causeway_proto::secret::Secret;
use core::cell::RefCell;
use core::pin::pin;
use futures::channel::mpsc::{self, UnboundedReceiver};
use futures::future::{Either, select};
use futures::stream::StreamExt;
use std::rc::Rc;

/// Browsers end a service worker after half a minute or more. Whatever was not done by then has failed.
const LONGEST: Millis = 20_000;
/// After an answer is durable, the chat server gets this long to take it.
const UNTIL_SENT: Millis = 8_000;

/// What a shift is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// A push came: fetch what waits, then tell the person.
    Push {
        /// The tag of the notification that already says that something came.
        tag: String,
    },
    /// A push may have been lost: fetch what waits, then tell the person, if there is anything.
    CatchUp,
    /// A page that nobody looks at has news: tell the person.
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

/// The job was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShiftError {
    /// There is no talking to any engine.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The time was up.
    #[error("the engine did not answer in time")]
    TooLong,
    /// The engine refused.
    #[error("the engine answered with an issue: {0:?}")]
    Refused(Issue),
    /// No engine can run until a person does something.
    #[error("no engine can run in this browser for now")]
    Stopped,
}

/// Does one job.
///
/// # Errors
/// [`ShiftError`]: then nothing is certain, and the caller must tell the person something that is true anyway.
pub async fn work(job: Job, engine: impl Fn(Secret<32>) -> Engine) -> Result<(), ShiftError> {
    let (urge, urges) = mpsc::unbounded();
    let (desk, link) = Desk::open(move || {
        // Fails only when nobody waits any more.
        let _ = urge.unbounded_send(());
    })?;
    let candidacy = pin!(tabs::run(Names::default(), urges, engine));
    let job = pin!(desk.perform(&link, job));
    match select(select(job, clock::sleep(LONGEST)), candidacy).await {
        Either::Left((Either::Left((outcome, _)), _)) => outcome,
        Either::Left((Either::Right(_), _)) => Err(ShiftError::TooLong),
        // A candidacy never ends.
        Either::Right(_) => Err(ShiftError::Stopped),
    }
}

/// What the engine has told us, and word that it has.
struct Desk {
    known: Rc<RefCell<Known>>,
    news: RefCell<UnboundedReceiver<()>>,
}

#[derive(Default)]
struct Known {
    model: Model,
    done: Vec<Done>,
}

impl Desk {
    fn open(on_silence: impl Fn() + 'static) -> Result<(Self, Link), LinkError> {
        let known = Rc::new(RefCell::new(Known::default()));
        let (tell, news) = mpsc::unbounded();
        let link = Link::connect(
            {
                let known = Rc::clone(&known);
                move |update| {
                    let mut known = known.borrow_mut();
                    for change in model::apply(&mut known.model, update) {
                        if let Change::Done(done) = change {
                            known.done.push(done);
                        }
                    }
                    let _nobody_waits = tell.unbounded_send(());
                }
            },
            on_silence,
        )?;
        Ok((Self { known, news: RefCell::new(news) }, link))
    }

    /// Waits until what is known says so.
    #[expect(clippy::await_holding_refcell_ref, reason = "there is one job at a time, and nobody else waits for news")]
    async fn until<T>(&self, mut look: impl FnMut(&Known) -> Option<T>) -> Result<T, ShiftError> {
        let mut news = self.news.borrow_mut();
        loop {
            if let Some(seen) = look(&self.known.borrow()) {
                return Ok(seen);
            }
            news.next().await.ok_or(ShiftError::Stopped)?;
        }
    }

    async fn ask(&self, link: &Link, action: Action) -> Result<(), ShiftError> {
        let tag = link.send(action);
        let issue = self
            .until(|known| {
                let done = known.done.iter().find(|done| done.tag == tag).map(Done::issue);
                // Nobody answers while no engine runs and none will.
                done.or_else(|| known.is_stopped().then(|| known.model.connection.issue()))
            })
            .await?;
        match issue {
            Issue::None => Ok(()),
            issue => Err(ShiftError::Refused(issue)),
        }
    }

    async fn perform(&self, link: &Link, job: Job) -> Result<(), ShiftError> {
        match job {
            Job::Push { tag } => {
                self.ask(link, Action::Woken(Woken {})).await?;
                let told = self.tell(link, true).await?;
                if told || !notification::shown().await.is_empty() {
                    notification::close_waiting().await;
                } else {
                    let _refused = notification::say(&tag, Notices::NothingNew, Notices::NothingNewWhy.say()).await;
                }
            }
            Job::CatchUp => {
                self.ask(link, Action::Woken(Woken {})).await?;
                self.look(link).await?;
            }
            Job::Look => self.look(link).await?,
            Job::Reply { chat, text } => {
                self.ask(link, Action::Send(Send { chat: chat.clone(), text })).await?;
                {
                    // In a block of its own: who waits for news has them to itself until it is dropped.
                    let sent = pin!(self.until(|known| known.is_sent(&chat).then_some(())));
                    // It is durable: a tab, or the next shift, sends it if this one cannot.
                    select(sent, clock::sleep(UNTIL_SENT)).await;
                }
                self.tell(link, true).await?;
            }
            Job::Read { chat, seq } => {
                self.ask(link, Action::MarkRead(MarkRead { chat, up_to: seq })).await?;
                self.tell(link, true).await?;
            }
        }
        Ok(())
    }

    /// Tells the person what they do not see anyway.
    async fn look(&self, link: &Link) -> Result<(), ShiftError> {
        let aloud = !notification::is_watched().await;
        self.tell(link, aloud).await.map(drop)
    }

    /// Brings what is on screen in step with what is known; if not `aloud`, shows nothing more. Says whether anything was
    /// shown.
    async fn tell(&self, link: &Link, aloud: bool) -> Result<bool, ShiftError> {
        // The answer comes after a snapshot, which is newer than every answer before it.
        self.ask(link, Action::Hello(Hello {})).await?;
        let shown = notification::shown().await;
        let plan = notices::plan(&self.known.borrow().model, &shown);
        badge::set(plan.unread);
        for chat in &plan.close {
            notification::close(chat).await;
        }
        let mut told = false;
        for notice in plan.show.into_iter().filter(|_| aloud) {
            // Shown first, noted then: who is interrupted in between shows it again, in the same place.
            if notification::show(&notice).await.is_ok() {
                told = true;
                self.ask(link, Action::Notified(Notified { chat: notice.chat, up_to: notice.seq })).await?;
            }
        }
        Ok(told)
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
