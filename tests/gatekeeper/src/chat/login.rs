//! From the first byte to `<success>` or `<failure>` (docs/spec/wire.md §2.3, §5.2).

use crate::channel::{Channel, ChannelError};
use crate::random;
use crate::sandbox::Sandbox;
use crate::stream::{Reader, StreamError, Writer};
use crate::token::TokenError;
use crate::world::LoginError;
use causeway_peer::payload::{ClientPayload, PRODUCT_INTEROP};
use causeway_peer::server::{Connection, ConnectionError, Event};
use causeway_peer::stanza::session;
use causeway_proto::jid::Jid;
use prost::Message as _;

/// Companion devices have numbers below this.
const MAX_DEVICE: u32 = 100;
/// Characters of a push name that are kept.
const MAX_NAME: usize = 64;

/// A user who is in.
pub(super) struct User {
    pub(super) who: Jid,
    pub(super) channel: Channel,
    pub(super) passive: bool,
    /// Will ask for the mailbox in batches.
    pub(super) pull: bool,
}

/// Why a connection ended before the login.
#[derive(Debug, thiserror::Error)]
pub(super) enum PreludeError {
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error("the sandbox refuses connections on request")]
    Refusing,
}

/// Why a login is refused, as on the wire: the `reason` of `<failure>` (docs/spec/wire.md §5.2; the numbers for interop
/// are unknown, §10 row 28) and a word for people.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the ClientPayload cannot be used: {0}")]
    Payload(&'static str),
    #[error("version {got:?} is older than {least:?}")]
    TooOld { got: [u32; 3], least: [u32; 3] },
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Login(#[from] LoginError),
    #[error("asked to fail")]
    Ordered(u32),
}

impl Refusal {
    fn reason(&self) -> (u32, &'static str) {
        match self {
            Self::Payload(_) => (400, "bad_payload"),
            Self::TooOld { .. } => (405, "client_too_old"),
            Self::Token(TokenError::Expired { .. }) => (401, "token_expired"),
            Self::Token(_) => (401, "bad_token"),
            Self::Login(LoginError::Journal(_)) => (500, "internal"),
            Self::Login(LoginError::WrongKey) => (401, "wrong_authkey"),
            Self::Login(_) => (401, "not_enlisted"),
            Self::Ordered(code) => (*code, "ordered"),
        }
    }
}

/// Handshake and login. `None` when the login was refused.
pub(super) async fn login(
    sandbox: &Sandbox,
    (mut reader, mut writer): (Reader, Writer),
) -> Result<Option<User>, PreludeError> {
    if sandbox.faults.refusing() {
        return Err(PreludeError::Refusing);
    }
    let mut connection = Connection::new(sandbox.config.max_frame_bytes);
    let login = loop {
        match connection.poll()? {
            Some(Event::Hello) => {
                let chain = sandbox.authority.chain(sandbox.clock.machine_secs(), sandbox.faults.certificate());
                let answer = connection.answer_hello(sandbox.authority.leaf(), &chain, &mut random::rng())?;
                writer.write(answer).await?;
            }
            Some(Event::Login(login)) => break login,
            Some(Event::Stanza(_)) | None => connection.feed(&reader.read().await?),
        }
    };
    let mut channel = Channel::new((reader, writer), connection.into_channel()?, sandbox.config.write_timeout);
    match admit(sandbox, &login.client_static, &login.payload).await {
        Ok((who, payload)) => {
            let now = sandbox.clock.now_secs();
            let success = session::success(now.get()).with("props", "27").with("location", "sandbox");
            channel.send(&success).await?;
            tracing::info!(%who, "logged in");
            Ok(Some(User { who, channel, passive: payload.passive(), pull: payload.pull() }))
        }
        Err(refusal) => {
            let (reason, word) = refusal.reason();
            tracing::info!(reason, %refusal, "a login was refused");
            let failure = session::failure(reason).with("location", "sandbox").with("message", word);
            channel.send(&failure).await?;
            channel.close().await;
            Ok(None)
        }
    }
}

async fn admit(sandbox: &Sandbox, noise: &[u8; 32], payload: &[u8]) -> Result<(Jid, ClientPayload), Refusal> {
    let payload = ClientPayload::decode(payload).map_err(|_| Refusal::Payload("it is no protobuf"))?;
    let who = if payload.product() == PRODUCT_INTEROP || payload.interop.is_some() {
        admit_partner_user(sandbox, noise, &payload).await?
    } else {
        admit_phone(sandbox, noise, &payload)?
    };
    match sandbox.faults.failure(&who) {
        Some(code) => Err(Refusal::Ordered(code)),
        None => Ok((who, payload)),
    }
}

async fn admit_partner_user(sandbox: &Sandbox, noise: &[u8; 32], payload: &ClientPayload) -> Result<Jid, Refusal> {
    let (got, least) = (payload.version(), sandbox.min_version());
    if got < least {
        return Err(Refusal::TooOld { got, least });
    }
    let interop = payload.interop.clone().ok_or(Refusal::Payload("interopData is missing"))?;
    let token = String::from_utf8(interop.token.unwrap_or_default()).map_err(|_| TokenError::Malformed)?;
    let known = sandbox.world().partner_user(interop.account.unwrap_or_default());
    let (who, identifier) = known.ok_or(LoginError::Unknown)?;
    let now = sandbox.clock.now_secs();
    sandbox.tokens.verify(who.integrator, &token, &identifier, now).await?;
    sandbox.world().admit_partner_user(&who, noise, now)?;
    Ok(who)
}

/// The sandbox's stand-in for a WhatsApp login: a number belongs to the first Noise key that logs in with it.
fn admit_phone(sandbox: &Sandbox, noise: &[u8; 32], payload: &ClientPayload) -> Result<Jid, Refusal> {
    let number = payload.username.ok_or(Refusal::Payload("neither username nor interopData is set"))?;
    let bare = Jid::from_phone(&number.to_string()).map_err(|_| Refusal::Payload("username is no phone number"))?;
    let device = u16::try_from(payload.device()).ok().filter(|device| u32::from(*device) < MAX_DEVICE);
    let who = bare.on_device(device.ok_or(Refusal::Payload("device is out of range"))?);
    let mut world = sandbox.world();
    world.admit_phone(&who, noise, sandbox.clock.now_secs())?;
    if let Some(name) = &payload.push_name {
        let name: String = name.chars().take(MAX_NAME).collect();
        world.rename(&who, &name).map_err(LoginError::Journal)?;
    }
    Ok(who)
}
