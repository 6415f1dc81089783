//! Every option of the partner server: its name, its type, its default, and the checks.
//!
//! [`Config`] is the configuration as written in the TOML file and the environment; [`Settings`] is the checked form
//! that the rest of the crate works with. Settings types of a module are defined in that module, never here, so that no
//! module imports this one back. `partner.example.toml` explains each option to the operator.

mod checker;
mod limits;
mod load;
mod media;
mod oidc;
mod options;
mod push;
mod relay;
mod settings;
mod sign_in;
mod token;
mod whatsapp;

pub use limits::LimitsConfig;
pub use load::{ENVIRONMENT_PREFIX, LoadError};
pub use media::MediaConfig;
pub use oidc::OidcConfig;
pub use options::Config;
pub use push::PushConfig;
pub(crate) use push::PushSettings;
pub use relay::RelayConfig;
pub use settings::{ConfigError, Settings};
pub(crate) use settings::{ENLIST_PATH, RELAY_PATH};
pub use sign_in::SignInConfig;
pub use token::TokenConfig;
pub use whatsapp::WhatsAppConfig;
