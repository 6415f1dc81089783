//! Addresses: who a stanza is from or for (docs/spec/wire.md §3.4).
//!
//! A [`Jid`] is kept in its parts, so that the device or the Partner's number never has to be parsed again. What this
//! module does not know: the encoding of an address in bytes ([`node`](crate::node)).
//!
//! ```
//! use causeway_primitives::jid::{Jid, JidError, Server};
//!
//! let jid: Jid = "16505551234:7@s.whatsapp.net".parse()?;
//! assert_eq!((jid.user.as_str(), jid.device, &jid.server), ("16505551234", 7, &Server::User));
//! assert_eq!(jid.to_bare().to_string(), "16505551234@s.whatsapp.net");
//! # Ok::<(), JidError>(())
//! ```

mod phone;

use core::fmt;
use core::str::FromStr;
use std::borrow::Cow;

/// The part of an address after the `@`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Server {
    /// `s.whatsapp.net`: people, by phone number.
    User,
    /// `lid`: people, by an identifier that hides the phone number.
    Lid,
    /// `g.us`: groups.
    Group,
    /// `broadcast`: lists and status.
    Broadcast,
    /// `newsletter`: channels.
    Newsletter,
    /// `bot`: assistants.
    Bot,
    /// `c.us`: people, in the older spelling.
    Legacy,
    /// `hosted`: businesses whose device is run by a provider, by phone number.
    Hosted,
    /// `hosted.lid`: the same, by hidden identifier.
    HostedLid,
    /// `msgr`: users of Messenger.
    Messenger,
    /// `interop`: users of a Partner.
    Interop,
    /// Any other, never one of the above and never empty.
    Other(Box<str>),
}

impl Server {
    /// The server as written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::User => "s.whatsapp.net",
            Self::Lid => "lid",
            Self::Group => "g.us",
            Self::Broadcast => "broadcast",
            Self::Newsletter => "newsletter",
            Self::Bot => "bot",
            Self::Legacy => "c.us",
            Self::Hosted => "hosted",
            Self::HostedLid => "hosted.lid",
            Self::Messenger => "msgr",
            Self::Interop => "interop",
            Self::Other(name) => name,
        }
    }

    /// The server of this name, if it is one that has a meaning here.
    pub fn known(name: &str) -> Option<Self> {
        Some(match name {
            "s.whatsapp.net" => Self::User,
            "lid" => Self::Lid,
            "g.us" => Self::Group,
            "broadcast" => Self::Broadcast,
            "newsletter" => Self::Newsletter,
            "bot" => Self::Bot,
            "c.us" => Self::Legacy,
            "hosted" => Self::Hosted,
            "hosted.lid" => Self::HostedLid,
            "msgr" => Self::Messenger,
            "interop" => Self::Interop,
            _ => return None,
        })
    }

    /// The server of this name, whichever it is.
    pub fn named(name: Cow<'_, str>) -> Self {
        Self::known(&name).unwrap_or_else(|| Self::Other(name.into_owned().into_boxed_str()))
    }

    /// The domain type of tag 247, where addresses of this server may take that form.
    pub(crate) fn domain(&self) -> Option<u8> {
        match self {
            Self::User => Some(0),
            Self::Lid => Some(1),
            Self::Hosted => Some(128),
            Self::HostedLid => Some(129),
            _ => None,
        }
    }

    /// The server behind a domain type. An unknown type is no server: taking it for a phone number, as some clients
    /// do, would put one person's words under another's name.
    pub(crate) fn of_domain(domain: u8) -> Option<Self> {
        match domain {
            0 => Some(Self::User),
            1 => Some(Self::Lid),
            129 => Some(Self::HostedLid),
            hosted if hosted & 0x81 == 0x80 => Some(Self::Hosted),
            _ => None,
        }
    }

    /// The largest device number that an address of this server can carry on the wire; 0 where it carries none.
    fn last_device(&self) -> u16 {
        match self {
            Self::Messenger | Self::Interop => u16::MAX,
            _ if self.domain().is_some() => u16::from(u8::MAX),
            _ => 0,
        }
    }
}

/// An address. An empty user means the server itself.
///
/// Reads and prints `user@server`, `user:device@server`, and for users of a Partner
/// `integrator-user[:device]@interop`; device 0 is never printed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jid {
    /// Phone number, group id or other name before the `@`, without device and integrator.
    pub user: String,
    /// Where the name means something.
    pub server: Server,
    /// The device; 0 is the main one, and the only one on servers without devices.
    pub device: u16,
    /// The Partner's number, 1 to 999, for users of a Partner; 0 for all others.
    pub integrator: u16,
}

impl Jid {
    /// A person by phone number: digits with country code, no plus sign. What people type goes to
    /// [`Jid::from_phone`].
    pub fn user(digits: impl Into<String>) -> Self {
        Self { user: digits.into(), server: Server::User, device: 0, integrator: 0 }
    }

    /// The chat server itself, `s.whatsapp.net`.
    pub fn server() -> Self {
        Self::user(String::new())
    }

    /// A user of the Partner with this number.
    pub fn interop(integrator: u16, user: impl Into<String>) -> Self {
        Self { user: user.into(), server: Server::Interop, device: 0, integrator }
    }

    /// The same person on this device.
    pub fn on_device(&self, device: u16) -> Self {
        Self { device, ..self.clone() }
    }

    /// The person without the device.
    pub fn to_bare(&self) -> Self {
        self.on_device(0)
    }

    /// An address from what stands before and after the `@`.
    ///
    /// # Errors
    /// When the name does not fit the server.
    pub fn from_parts(name: Cow<'_, str>, server: Server) -> Result<Self, JidError> {
        let mut jid = Self { user: String::new(), server, device: 0, integrator: 0 };
        let mut user: &str = &name;
        if jid.server != Server::Interop && !user.bytes().any(|byte| matches!(byte, b':' | b'.' | b'@' | REPLACEMENT)) {
            // Nearly all addresses: nothing to take apart, and nothing that could be wrong but the server.
            jid.user = name.into_owned();
            return jid.check_server().map(|()| jid);
        }
        if !user.is_empty() {
            if jid.server.last_device() > 0
                && let Some((before, device)) = user.rsplit_once(':')
            {
                jid.device = number(device).ok_or(JidError::Device)?;
                user = before;
            }
            // The oldest spelling names the domain type as well: "user.0:device@s.whatsapp.net".
            if let Some(domain) = jid.server.domain()
                && let Some((before, agent)) = user.rsplit_once('.')
            {
                if number(agent) != Some(u16::from(domain)) {
                    return Err(JidError::Agent);
                }
                user = before;
            }
            if jid.server == Server::Interop {
                let (integrator, after) = user.split_once('-').ok_or(JidError::Integrator)?;
                jid.integrator = number(integrator).ok_or(JidError::Integrator)?;
                user = after;
            }
            if user.is_empty() {
                return Err(JidError::EmptyUser);
            }
        }
        jid.user = if user.len() == name.len() { name.into_owned() } else { user.to_owned() };
        jid.check()?;
        Ok(jid)
    }

    /// Whether the address has a form on the wire and in text, and the same one on the way back. Addresses that were
    /// read always have; the fields are public, so one that was put together need not.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), JidError> {
        self.check_server()?;
        let last_device = self.server.last_device();
        if self.device > last_device {
            return Err(JidError::DeviceTooLarge { most: last_device, got: self.device });
        }
        if self.integrator != 0 && self.server != Server::Interop {
            return Err(JidError::Integrator);
        }
        if self.user.is_empty() {
            let alone = self.device == 0 && self.integrator == 0;
            return if alone { Ok(()) } else { Err(JidError::EmptyUser) };
        }
        let domain = self.server.domain().is_some();
        let mut damaged = false;
        for byte in self.user.bytes() {
            match byte {
                b'@' => return Err(JidError::Separator { found: '@' }),
                b':' if last_device > 0 => return Err(JidError::Separator { found: ':' }),
                b'.' if domain => return Err(JidError::Separator { found: '.' }),
                REPLACEMENT => damaged = true,
                _ => {}
            }
        }
        if damaged && self.user.contains(char::REPLACEMENT_CHARACTER) { Err(JidError::NotText) } else { Ok(()) }
    }
}

impl Jid {
    fn check_server(&self) -> Result<(), JidError> {
        let Server::Other(name) = &self.server else { return Ok(()) };
        if name.is_empty() || name.contains('@') || Server::known(name).is_some() {
            return Err(JidError::Server);
        }
        if name.contains(char::REPLACEMENT_CHARACTER) { Err(JidError::NotText) } else { Ok(()) }
    }
}

/// First byte of U+FFFD. The codec puts it in place of what is no text: two addresses that differ only there would be
/// one, so no address has it.
const REPLACEMENT: u8 = 0xEF;

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.user.is_empty() && self.device == 0 && self.integrator == 0 {
            // Without the sign, an unknown server could not be distinguished from any other word.
            let sign = if matches!(self.server, Server::Other(_)) { "@" } else { "" };
            return write!(f, "{sign}{}", self.server.as_str());
        }
        if self.server == Server::Interop {
            write!(f, "{}-", self.integrator)?;
        }
        f.write_str(&self.user)?;
        if self.device != 0 {
            write!(f, ":{}", self.device)?;
        }
        write!(f, "@{}", self.server.as_str())
    }
}

impl FromStr for Jid {
    type Err = JidError;

    fn from_str(text: &str) -> Result<Self, JidError> {
        match text.rsplit_once('@') {
            Some((_, "")) => Err(JidError::Server),
            Some((name, server)) => Self::from_parts(Cow::Borrowed(name), Server::named(Cow::Borrowed(server))),
            None if text.is_empty() => Err(JidError::Empty),
            None => {
                let server = Server::known(text).ok_or(JidError::MissingServer)?;
                Self::from_parts(Cow::Borrowed(""), server)
            }
        }
    }
}

/// Decimal digits and nothing else; `str::parse` would take a plus sign too.
fn number(digits: &str) -> Option<u16> {
    if digits.is_empty() || digits.len() > 5 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// Why something is no address. Never holds the address: it is personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JidError {
    /// Nothing at all.
    #[error("an address cannot be empty")]
    Empty,
    /// No `@` and not a server that is known by itself.
    #[error("an address needs an @ and a server after it")]
    MissingServer,
    /// The server is empty, contains an `@`, or is a known one spelt out as unknown.
    #[error("the server of the address is empty or malformed")]
    Server,
    /// A user or server that is not text, or has U+FFFD, which stands for that.
    #[error("the user or the server of the address is not text")]
    NotText,
    /// A domain type that no server has.
    #[error("the domain type {domain} of the address is unknown")]
    UnknownDomain {
        /// The domain type.
        domain: u8,
    },
    /// Another server than the form of the address is for.
    #[error("an address of this form should be of {expected}")]
    WrongServer {
        /// The server of such addresses.
        expected: &'static str,
    },
    /// A device or an integrator, but no user.
    #[error("the address names a device or a Partner but no user")]
    EmptyUser,
    /// A character that separates the parts, inside the user.
    #[error("the user of the address contains {found:?}, which separates its parts")]
    Separator {
        /// The separator.
        found: char,
    },
    /// What follows the colon is not a number up to 65535.
    #[error("the device of the address is not a number from 0 to 65535")]
    Device,
    /// A device number that the address form of the server cannot hold.
    #[error("device numbers of this server go up to {most}, got {got}")]
    DeviceTooLarge {
        /// The largest that fits.
        most: u16,
        /// The one given.
        got: u16,
    },
    /// What follows the dot is not the domain type of the server.
    #[error("the agent in the address does not belong to its server")]
    Agent,
    /// An interop address without a Partner's number, or any other address with one.
    #[error("a Partner's number belongs before the user of an interop address, and only there")]
    Integrator,
    /// Not a character of a phone number.
    #[error("{found:?} does not belong in a phone number; write it as +49 151 123456")]
    PhoneCharacter {
        /// The first such character.
        found: char,
    },
    /// Too few or too many digits.
    #[error("a phone number with its country code has 5 to 15 digits, this has {got}")]
    PhoneLength {
        /// Digits, without a leading 00.
        got: usize,
    },
    /// A leading zero: a number as dialled within a country.
    #[error("start the phone number with its country code, for instance +49 for Germany")]
    PhoneWithoutCountry,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jid(user: &str, server: Server, device: u16) -> Jid {
        Jid { user: user.to_owned(), server, device, integrator: 0 }
    }

    #[test]
    fn each_kind_is_read_and_printed() {
        let other = |name: &str| Server::Other(name.into());
        for (text, wanted) in [
            ("14155551001@s.whatsapp.net", Jid::user("14155551001")),
            ("14155551001:7@s.whatsapp.net", jid("14155551001", Server::User, 7)),
            ("123:255@lid", jid("123", Server::Lid, 255)),
            ("120363040237990503@g.us", jid("120363040237990503", Server::Group, 0)),
            ("status@broadcast", jid("status", Server::Broadcast, 0)),
            ("1@newsletter", jid("1", Server::Newsletter, 0)),
            ("1:2@bot", jid("1:2", Server::Bot, 0)),
            ("1@c.us", jid("1", Server::Legacy, 0)),
            ("1:99@hosted", jid("1", Server::Hosted, 99)),
            ("1@hosted.lid", jid("1", Server::HostedLid, 0)),
            ("1:65535@msgr", jid("1", Server::Messenger, 65_535)),
            ("1-10853634039893@interop", Jid::interop(1, "10853634039893")),
            ("999-a-b:3@interop", Jid::interop(999, "a-b").on_device(3)),
            ("x:1@example.org", jid("x:1", other("example.org"), 0)),
            ("@example.org", jid("", other("example.org"), 0)),
            ("s.whatsapp.net", Jid::server()),
            ("g.us", jid("", Server::Group, 0)),
            ("interop", jid("", Server::Interop, 0)),
        ] {
            assert_eq!(text.parse().as_ref(), Ok(&wanted), "{text}");
            assert_eq!(wanted.to_string(), text);
            assert_eq!(wanted.check(), Ok(()));
            assert_eq!(Server::named(wanted.server.as_str().into()), wanted.server);
        }
    }

    #[test]
    fn other_spellings_are_read_and_printed_as_the_one() {
        for (text, printed) in [
            ("14155551001:0@s.whatsapp.net", "14155551001@s.whatsapp.net"),
            ("14155551001.0:7@s.whatsapp.net", "14155551001:7@s.whatsapp.net"),
            ("123.1:3@lid", "123:3@lid"),
            ("1.128@hosted", "1@hosted"),
            ("1-10853634039893:0@interop", "1-10853634039893@interop"),
            ("@s.whatsapp.net", "s.whatsapp.net"),
        ] {
            assert_eq!(text.parse::<Jid>().map(|jid| jid.to_string()).as_deref(), Ok(printed), "{text}");
        }
    }

    #[test]
    fn what_is_no_address() {
        for (text, error) in [
            ("", JidError::Empty),
            ("alice", JidError::MissingServer),
            ("alice@", JidError::Server),
            ("a@b@lid", JidError::Separator { found: '@' }),
            ("a:1:2@lid", JidError::Separator { found: ':' }),
            ("a.b.1@lid", JidError::Separator { found: '.' }),
            ("1:@lid", JidError::Device),
            ("1:+2@lid", JidError::Device),
            ("1:65536@msgr", JidError::Device),
            ("1:256@lid", JidError::DeviceTooLarge { most: 255, got: 256 }),
            (":1@lid", JidError::EmptyUser),
            ("1.0@lid", JidError::Agent),
            ("a.b@s.whatsapp.net", JidError::Agent),
            ("alice@interop", JidError::Integrator),
            ("x-alice@interop", JidError::Integrator),
            ("65536-alice@interop", JidError::Integrator),
            ("1-@interop", JidError::EmptyUser),
            ("1-:2@interop", JidError::EmptyUser),
        ] {
            assert_eq!(text.parse::<Jid>(), Err(error), "{text}");
        }
    }

    #[test]
    fn what_was_put_together_wrongly() {
        for (jid, error) in [
            (jid("", Server::User, 1), JidError::EmptyUser),
            (Jid { user: String::new(), ..Jid::interop(1, "") }, JidError::EmptyUser),
            (Jid { integrator: 1, ..Jid::user("1") }, JidError::Integrator),
            (jid("1", Server::Group, 1), JidError::DeviceTooLarge { most: 0, got: 1 }),
            (jid("1", Server::Other("lid".into()), 0), JidError::Server),
            (jid("1", Server::Other("".into()), 0), JidError::Server),
            (jid("1", Server::Other("a@b".into()), 0), JidError::Server),
        ] {
            assert_eq!(jid.check(), Err(error), "{jid:?}");
        }
    }

    #[test]
    fn a_person_is_the_address_without_the_device() {
        let device: Jid = "999-alice:3@interop".parse().unwrap();
        assert_eq!(device.to_bare(), Jid::interop(999, "alice"));
        assert_eq!(device.to_bare().on_device(3), device);
    }

    #[test]
    fn errors_do_not_repeat_the_address() {
        for text in ["secret", "secret:x@lid", "secret.7@lid", "secret@interop"] {
            let error = text.parse::<Jid>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"));
        }
    }
}
