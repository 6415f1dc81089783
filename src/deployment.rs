//! The deployment: addresses and constants of this provider's servers, from `GET /api/profile` of the partner server.
//!
//! An `application/x-www-form-urlencoded` text, so that the client needs no JSON for it. Unknown fields are ignored;
//! a missing or malformed one is an error that names it.

use crate::hex;
use causeway_proto::profile::Profile;
use form_urlencoded::{Serializer, parse};

/// Where the servers are, and the constants of the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Name of the provider, for people.
    pub partner_name: String,
    /// The enlistment API (docs/spec/enlistment.md §1.2.1).
    pub enlist_url: String,
    /// The chat server's WebSocket.
    pub chat_url: String,
    /// People sign in at the provider's own page.
    pub signs_in_elsewhere: bool,
    /// The provider takes passkeys.
    pub passkeys: bool,
    /// Constants of the wire.
    pub profile: Profile,
}

/// A deployment that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the provider's profile: expected {expected} in field {field}")]
pub struct DeploymentError {
    /// The field.
    pub field: &'static str,
    /// What it should hold.
    pub expected: &'static str,
}

const MAX_FIELD: usize = 2048;

impl Deployment {
    /// Reads the form.
    ///
    /// # Errors
    /// [`DeploymentError`] names the first field that is missing or malformed.
    pub fn from_form(form: &[u8]) -> Result<Self, DeploymentError> {
        let field = |field: &'static str, expected: &'static str| {
            parse(form)
                .find(|(name, value)| name == field && value.len() <= MAX_FIELD)
                .map(|(_, value)| value.into_owned())
                .ok_or(DeploymentError { field, expected })
        };
        let url = |name, schemes: [&str; 2]| {
            let expected = "an absolute URL";
            let text = field(name, expected)?;
            match schemes.iter().any(|scheme| text.starts_with(scheme)) {
                true => Ok(text),
                false => Err(DeploymentError { field: name, expected }),
            }
        };
        let number = |name| {
            let expected = "a number";
            field(name, expected)?.parse::<u32>().map_err(|_| DeploymentError { field: name, expected })
        };
        let integrator = number("integrator")?;
        let bad_integrator = DeploymentError { field: "integrator", expected: "1 to 999" };
        let integrator = match u16::try_from(integrator) {
            Ok(id @ 1..=999) => id,
            _ => return Err(bad_integrator),
        };
        let bad_key = DeploymentError { field: "root_key", expected: "32 bytes in hex" };
        let root_key = hex::decode(&field("root_key", bad_key.expected)?).ok_or(bad_key)?;
        let bad_version = DeploymentError { field: "version", expected: "three numbers with dots" };
        let version = version(&field("version", bad_version.expected)?).ok_or(bad_version)?;
        Ok(Self {
            partner_name: field("partner_name", "a name")?,
            enlist_url: url("enlist_url", ["https://", "http://"])?,
            chat_url: url("chat_url", ["wss://", "ws://"])?,
            // Absent at partner servers of before 0.2.
            signs_in_elsewhere: field("sign_in", "oidc or built-in").is_ok_and(|way| way == "oidc"),
            passkeys: field("passkeys", "true or false").is_ok_and(|value| value == "true"),
            profile: Profile {
                integrator,
                root_key,
                root_serial: number("root_serial")?,
                version,
                ..Profile::default()
            },
        })
    }

    /// Writes the form: what [`from_form`](Self::from_form) reads.
    pub fn to_form(&self) -> String {
        let Profile { integrator, root_key, root_serial, version: [major, minor, patch], .. } = &self.profile;
        let mut form = Serializer::new(String::new());
        form.append_pair("partner_name", &self.partner_name)
            .append_pair("enlist_url", &self.enlist_url)
            .append_pair("chat_url", &self.chat_url)
            .append_pair("integrator", &integrator.to_string())
            .append_pair("root_key", &hex::encode(root_key))
            .append_pair("root_serial", &root_serial.to_string())
            .append_pair("version", &format!("{major}.{minor}.{patch}"));
        // Absent in rows of versions before 0.2, which therefore keep their form.
        if self.signs_in_elsewhere {
            form.append_pair("sign_in", "oidc");
        }
        if self.passkeys {
            form.append_pair("passkeys", "true");
        }
        form.finish()
    }
}

fn version(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    let version = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> String {
        format!(
            "partner_name=B%C3%BCro+X&enlist_url=http://h/3p&chat_url=ws://h/ws&integrator=7&root_key={}&root_serial=0&version=2.3000.1&later=1",
            "0a".repeat(32)
        )
    }

    #[test]
    fn reads_what_it_writes() {
        let read = Deployment::from_form(form().as_bytes()).unwrap();
        assert_eq!(read.partner_name, "Büro X");
        assert_eq!(read.profile.root_key, [10; 32]);
        assert_eq!(read.profile.version, [2, 3000, 1]);
        assert_eq!(Deployment::from_form(read.to_form().as_bytes()), Ok(read));
    }

    #[test]
    fn names_the_field_that_is_wrong() {
        for (good, bad, field) in [
            ("integrator=7", "integrator=0", "integrator"),
            ("integrator=7", "integrator=70000", "integrator"),
            ("root_key=0a", "root_key=zz", "root_key"),
            ("ws://h", "javascript:h", "chat_url"),
            ("http://h", "//h", "enlist_url"),
            ("version=2.3000.1", "version=2.3000", "version"),
            ("partner_name", "name", "partner_name"),
        ] {
            let error = Deployment::from_form(form().replace(good, bad).as_bytes()).unwrap_err();
            assert_eq!(error.field, field);
        }
    }
}
