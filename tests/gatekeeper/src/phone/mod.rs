//! WhatsApp users of the sandbox. A phone is a real client of the chat server: it dials the TCP port, proves its Noise
//! key, checks the certificates, and has Signal sessions of its own. Nothing of it is a shortcut past the encryption.
//!
//! [`Phone`] is the handle that the control API holds; `phone_client` its connection, [`state`] its state.

mod conversation;
mod incoming;
mod outgoing;
mod state;
mod stored;

use crate::hex;
use crate::time::UnixSeconds;
use causeway_proto::jid::{Jid, Server};
use causeway_proto::node::Node;
use serde_json::{Value, json};
use state::State;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use stored::StoredState;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// Folder of the phones inside the data folder.
const FOLDER: &str = "phones";

/// Why a phone's state could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum PhoneError {
    /// The file cannot be read or written.
    #[error("a phone's state in {path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// The system's error.
        error: std::io::Error,
    },
    /// The file is not what this program wrote.
    #[error("a phone's state in {0} is damaged; delete the file to make a new phone")]
    Damaged(PathBuf),
}

/// One phone.
pub(crate) struct Phone {
    jid: Jid,
    path: PathBuf,
    state: Mutex<State>,
    /// Receipts that a person's reading caused; lost when there is no connection.
    outgoing: Mutex<Vec<Node>>,
    version: watch::Sender<u64>,
    connected: watch::Sender<bool>,
    wake: Notify,
}

/// All phones of a sandbox, by number.
#[derive(Default)]
pub(crate) struct Phones(Mutex<ByNumber>);

/// Each phone with the task that keeps it connected.
type ByNumber = BTreeMap<String, (Arc<Phone>, Option<JoinHandle<()>>)>;

impl Phones {
    /// Phones of one sandbox at most.
    pub(crate) const MAX: usize = 100;

    fn lock(&self) -> MutexGuard<'_, ByNumber> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The phone with these digits.
    pub(crate) fn get(&self, number: &str) -> Option<Arc<Phone>> {
        self.lock().get(number).map(|(phone, _)| Arc::clone(phone))
    }

    /// Adds a phone and the task that keeps it connected.
    pub(crate) fn add(&self, phone: Arc<Phone>, task: JoinHandle<()>) {
        self.lock().insert(phone.jid.user.clone(), (phone, Some(task)));
    }

    /// The address of the phone that a number reaches: its own, or that of the phone that people write so as well. The
    /// address itself if there is no such phone.
    pub(crate) fn reached(&self, jid: &Jid) -> Jid {
        let phones = self.lock();
        if jid.server != Server::User || phones.contains_key(&jid.user) {
            return jid.clone();
        }
        let is_also = |phone: &&Arc<Phone>| phone.state().also.contains(&jid.user);
        let phone = phones.values().map(|(phone, _)| phone).find(is_also);
        phone.map_or_else(|| jid.clone(), |phone| phone.jid.on_device(jid.device))
    }

    pub(crate) fn all(&self) -> Vec<Arc<Phone>> {
        self.lock().values().map(|(phone, _)| Arc::clone(phone)).collect()
    }

    /// Completes when every phone has closed its connection.
    pub(crate) async fn all_disconnected(&self) {
        let tasks: Vec<_> = self.lock().values_mut().filter_map(|(_, task)| task.take()).collect();
        for task in tasks {
            // The connection of a task that panicked is closed as well.
            drop(task.await);
        }
    }
}

/// Replaces the file as a whole: it is the old state or the new one, never half of each.
fn write(path: &Path, state: &State) -> Result<(), PhoneError> {
    let failed = |error| PhoneError::Io { path: path.to_owned(), error };
    let bytes = serde_json::to_vec(&StoredState::from(state)).map_err(|error| failed(error.into()))?;
    let fresh = path.with_extension("new");
    let mut file = std::fs::File::create(&fresh).map_err(failed)?;
    file.write_all(&bytes).map_err(failed)?;
    std::fs::rename(&fresh, path).map_err(failed)
}

impl Phone {
    /// The phones in the data folder, not connected yet. Makes the folder for them if there is none.
    ///
    /// # Errors
    /// [`PhoneError`] when a file can't be read, or is not what this program wrote.
    pub(crate) fn stored(data: &Path) -> Result<Vec<Arc<Self>>, PhoneError> {
        let folder = data.join(FOLDER);
        let failed = |error| PhoneError::Io { path: folder.clone(), error };
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let mut phones = Vec::new();
        for file in std::fs::read_dir(&folder).map_err(failed)? {
            let path = file.map_err(failed)?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let text = std::fs::read(&path).map_err(failed)?;
            let stored = serde_json::from_slice::<StoredState>(&text).ok().and_then(StoredState::open);
            let number = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
            let (Some(state), Some(number)) = (stored, number) else { return Err(PhoneError::Damaged(path)) };
            phones.push(Self::of(Jid::user(number), path, state));
        }
        Ok(phones)
    }

    /// A new phone, stored but not connected yet.
    ///
    /// # Errors
    /// [`PhoneError::Io`] when its file can't be written.
    pub(crate) fn create(
        data: &Path,
        number: &str,
        name: String,
        also: Vec<String>,
        echo: bool,
        now: UnixSeconds,
    ) -> Result<Arc<Self>, PhoneError> {
        let state = State::new(name, also, echo, now);
        let path = data.join(FOLDER).join(format!("{number}.json"));
        write(&path, &state)?;
        Ok(Self::of(Jid::user(number), path, state))
    }

    fn of(jid: Jid, path: PathBuf, state: State) -> Arc<Self> {
        Arc::new(Self {
            jid,
            path,
            version: watch::Sender::new(state.conversation.version),
            state: Mutex::new(state),
            outgoing: Mutex::new(Vec::new()),
            connected: watch::Sender::new(false),
            wake: Notify::new(),
        })
    }

    pub(crate) fn jid(&self) -> &Jid {
        &self.jid
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, stores it, and lets everyone know who waits for news.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> Result<T, PhoneError> {
        let mut state = self.state();
        let outcome = change(&mut state);
        write(&self.path, &state)?;
        self.version.send_replace(state.conversation.version);
        Ok(outcome)
    }

    /// Has the phone write texts. Returns the messages' ids.
    pub(crate) fn write(&self, to: &Jid, texts: Vec<String>, now: UnixSeconds) -> Result<Vec<String>, PhoneError> {
        let ids = self.change(|state| texts.into_iter().map(|text| state.write(to, text, now)).collect())?;
        self.wake.notify_one();
        Ok(ids)
    }

    /// The server's word on a message of ours. Stored with the next change: should it be forgotten before, the message
    /// goes out once more, and the server knows it.
    pub(crate) fn acknowledged(&self, ack: &Node) {
        let mut state = self.state();
        state.acknowledged(ack);
        self.version.send_replace(state.conversation.version);
    }

    /// Has the phone's owner read what has arrived, from one or from all.
    pub(crate) fn read(&self, from: Option<&Jid>, now: UnixSeconds) -> Result<(), PhoneError> {
        let receipts = self.change(|state| state.read(from, now))?;
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner).extend(receipts);
        self.wake.notify_one();
        Ok(())
    }

    /// Reinstalls the app: new keys, no history.
    pub(crate) fn reinstall(&self, now: UnixSeconds) -> Result<(), PhoneError> {
        self.change(|state| state.reinstall(now))?;
        self.wake.notify_one();
        Ok(())
    }

    /// Flight mode: off means that mail waits at the server.
    pub(crate) fn switch(&self, online: bool) -> Result<(), PhoneError> {
        self.change(|state| state.online = online)?;
        self.wake.notify_one();
        Ok(())
    }

    /// Completes when there is no connection.
    pub(crate) async fn disconnected(&self) {
        // The sender lives as long as this phone: waiting cannot fail.
        drop(self.connected.subscribe().wait_for(|connected| !connected).await);
    }

    /// Completes when an entry is newer than `version`.
    pub(crate) async fn newer_than(&self, version: u64) {
        drop(self.version.subscribe().wait_for(|newest| *newest > version).await);
    }

    /// The phone as the control API shows it.
    pub(crate) fn summary(&self) -> Value {
        let state = self.state();
        json!({
            "number": self.jid.user,
            "jid": self.jid.to_string(),
            "name": state.name,
            "also": state.also,
            "echo": state.echo,
            "wants_connection": state.online,
            "connected": *self.connected.borrow(),
            "identity": hex::encode(&state.keys.identity.public().0),
            "version": state.conversation.version,
        })
    }

    /// Entries newer than `version`, without the ciphertext that waits for its acknowledgement.
    pub(crate) fn newer_messages(&self, version: u64) -> Value {
        let state = self.state();
        let newer = state.conversation.entries.iter().filter(|entry| entry.version > version);
        let entries: Vec<Value> = newer
            .map(|entry| {
                json!({
                    "version": entry.version, "id": entry.id, "chat": entry.chat, "from_me": entry.from_me,
                    "kind": entry.kind, "text": entry.text, "state": entry.state, "error": entry.error, "t": entry.t,
                })
            })
            .collect();
        json!({ "version": state.conversation.version, "connected": *self.connected.borrow(), "messages": entries })
    }

    pub(crate) fn wants_connection(&self) -> bool {
        self.state().online
    }

    pub(crate) fn installation(&self) -> u64 {
        self.state().installation
    }

    pub(crate) fn name(&self) -> String {
        self.state().name.clone()
    }

    pub(crate) fn noise_secret(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(*self.state().noise.secret().expose())
    }

    pub(crate) fn unacknowledged(&self) -> Vec<Node> {
        self.state().unacknowledged()
    }

    /// What is to be sent now, encrypted and stored; and whose keys are missing.
    pub(crate) fn take_outgoing(&self) -> Result<(Vec<Node>, Vec<Jid>), PhoneError> {
        let due = self.state().conversation.entries.iter().any(|entry| entry.state == conversation::Progress::Queued);
        let (mut stanzas, missing) = if due { self.change(State::flush)? } else { Default::default() };
        stanzas.append(&mut self.outgoing.lock().unwrap_or_else(PoisonError::into_inner));
        Ok((stanzas, missing))
    }

    pub(crate) fn set_connected(&self, connected: bool) {
        self.connected.send_if_modified(|held| std::mem::replace(held, connected) != connected);
    }

    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }
}
