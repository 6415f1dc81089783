//! The DevTools protocol over Chromium's own WebSocket, without a driver program that would have to survive the kills.
//!
//! What this module does not know: the page. It collects console errors and reports of pages for the whole test, across
//! all browsers that are killed meanwhile.

use anyhow::{Context, Result, anyhow, bail};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;

/// Time-out of one command.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The function through which a page reports what it shows.
pub const REPORT: &str = "causewaySoakShows";

/// Console errors, reports, workers and notifications, over all browsers of a run. Clones share one log.
#[derive(Clone, Default)]
pub struct PageLog(Arc<Mutex<Entries>>);

/// A dedicated worker that DevTools has attached to.
#[derive(Clone)]
pub struct Worker {
    /// Its target's id, which is also its name among the holders of locks.
    pub target: String,
    /// The session of the tab that it belongs to.
    pub tab: String,
    /// Its own session.
    pub session: String,
}

/// A notification that the browser has put on screen.
#[derive(Debug, Clone)]
pub struct Displayed {
    /// Distinguishes it from the others.
    pub tag: String,
    /// Below its title.
    pub body: String,
    /// When, since the Unix epoch, by the browser's clock.
    pub at: Duration,
}

#[derive(Default)]
struct Entries {
    complaints: Vec<String>,
    reports: Vec<String>,
    workers: Vec<Worker>,
    registration: Option<String>,
    displayed: Vec<Displayed>,
}

impl PageLog {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that appeared in a console as an error.
    pub fn complaints(&self) -> Vec<String> {
        self.entries().complaints.clone()
    }

    /// A worker, by its target's id.
    pub fn worker(&self, target: &str) -> Option<Worker> {
        self.entries().workers.iter().find(|worker| worker.target == target).cloned()
    }

    /// Id of the service worker registration that DevTools reported last.
    pub fn registration(&self) -> Option<String> {
        self.entries().registration.clone()
    }

    /// The first displayed notification that satisfies `is_it`.
    pub fn displayed(&self, is_it: impl Fn(&Displayed) -> bool) -> Option<Displayed> {
        self.entries().displayed.iter().find(|one| is_it(one)).cloned()
    }

    /// What pages reported through [`REPORT`] since the last call.
    pub fn take_reports(&self) -> Vec<String> {
        std::mem::take(&mut self.entries().reports)
    }
}

type Answer = oneshot::Sender<Result<Value>>;

/// A connection to one browser. Ends with the browser.
#[derive(Clone)]
pub struct Devtools(mpsc::UnboundedSender<(Value, Option<Answer>)>);

impl Devtools {
    /// Connects to the address that Chromium announced.
    ///
    /// # Errors
    /// If no WebSocket opens there.
    pub async fn connect(address: &str, log: PageLog) -> Result<Self> {
        let (socket, _) = tokio_tungstenite::connect_async(address).await.context("no DevTools")?;
        let (sender, requests) = mpsc::unbounded_channel();
        tokio::spawn(serve(socket, requests, log));
        Ok(Self(sender))
    }

    /// Sends a command to the browser, or to the target that the session is attached to.
    ///
    /// # Errors
    /// If the browser is gone or refuses.
    pub async fn send(&self, session: Option<&str>, method: &str, params: Value) -> Result<Value> {
        let (answer, answered) = oneshot::channel();
        let mut request = json!({ "method": method, "params": params });
        if let Some(session) = session {
            request["sessionId"] = json!(session);
        }
        self.0.send((request, Some(answer))).map_err(|_| anyhow!("the browser is gone"))?;
        let answered = tokio::time::timeout(TIMEOUT, answered).await;
        let answered = answered.map_err(|_| anyhow!("no answer to {method} within {TIMEOUT:?}"))?;
        answered.map_err(|_| anyhow!("the browser is gone"))?.with_context(|| method.to_owned())
    }
}

async fn serve(
    socket: tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>,
    mut requests: mpsc::UnboundedReceiver<(Value, Option<Answer>)>,
    log: PageLog,
) {
    let (mut sink, mut source) = socket.split();
    let mut waiting: HashMap<u64, Answer> = HashMap::new();
    let mut last_id = 0_u64;
    loop {
        let mut outgoing = Vec::new();
        tokio::select! {
            request = requests.recv() => match request {
                Some(request) => outgoing.push(request),
                None => return,
            },
            message = source.next() => {
                let Some(Ok(message)) = message else { return };
                let Message::Text(text) = message else { continue };
                let Ok(mut message) = serde_json::from_str::<Value>(&text) else { continue };
                match message["id"].as_u64() {
                    Some(id) => {
                        if let Some(answer) = waiting.remove(&id) {
                            // The caller may have timed out.
                            let _ = answer.send(outcome(&mut message));
                        }
                    }
                    None => outgoing.extend(record(&message, &log).into_iter().map(|request| (request, None))),
                }
            }
        }
        for (mut request, answer) in outgoing {
            last_id += 1;
            request["id"] = json!(last_id);
            if let Some(answer) = answer {
                waiting.insert(last_id, answer);
            }
            if sink.send(Message::text(request.to_string())).await.is_err() {
                return;
            }
        }
    }
}

fn outcome(message: &mut Value) -> Result<Value> {
    if message["error"].is_null() { Ok(message["result"].take()) } else { bail!("{}", message["error"]["message"]) }
}

/// Records an event of a page; returns the commands that enable the same events in new workers.
fn record(event: &Value, log: &PageLog) -> Vec<Value> {
    let params = &event["params"];
    let entry = || params.to_string();
    match event["method"].as_str() {
        Some("Target.attachedToTarget") if params["targetInfo"]["type"] == "worker" => {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            log.entries().workers.push(Worker {
                target: text(&params["targetInfo"]["targetId"]),
                tab: text(&event["sessionId"]),
                session: text(&params["sessionId"]),
            });
            let ask = |method| json!({ "method": method, "sessionId": params["sessionId"], "params": {} });
            return vec![ask("Runtime.enable"), ask("Log.enable")];
        }
        // With a debugger attached it would never be idle, and a newer one would wait for that.
        Some("Target.attachedToTarget") if params["targetInfo"]["type"] == "service_worker" => {
            let leave = json!({ "sessionId": params["sessionId"] });
            return vec![
                json!({ "method": "Target.detachFromTarget", "sessionId": event["sessionId"], "params": leave }),
            ];
        }
        Some("ServiceWorker.workerRegistrationUpdated") => {
            let ids = params["registrations"].as_array().into_iter().flatten();
            for id in ids.filter_map(|registration| registration["registrationId"].as_str()) {
                log.entries().registration = Some(id.to_owned());
            }
        }
        Some("BackgroundService.backgroundServiceEventReceived") => {
            log.entries().displayed.extend(displayed(&params["backgroundServiceEvent"]));
        }
        Some("Runtime.bindingCalled") if params["name"] == REPORT => {
            log.entries().reports.push(params["payload"].as_str().unwrap_or_default().to_owned());
        }
        Some("Runtime.exceptionThrown") => log.entries().complaints.push(entry()),
        Some("Runtime.consoleAPICalled") if params["type"] == "error" || params["type"] == "assert" => {
            log.entries().complaints.push(entry());
        }
        Some("Log.entryAdded") if params["entry"]["level"] == "error" => log.entries().complaints.push(entry()),
        _ => {}
    }
    Vec::new()
}

fn displayed(event: &Value) -> Option<Displayed> {
    let about = event["eventMetadata"].as_array()?;
    let body = about.iter().find(|entry| entry["key"] == "Body")?;
    let is_display = event["service"] == "notifications" && event["eventName"] == "Notification displayed";
    is_display.then_some(Displayed {
        tag: event["instanceId"].as_str()?.to_owned(),
        body: body["value"].as_str()?.to_owned(),
        at: Duration::try_from_secs_f64(event["timestamp"].as_f64()?).ok()?,
    })
}
