//! Commands to the engine.

use causeway::view::Action;

/// Commands to the engine.
pub trait EngineCommands {
    /// Sends a command to the engine and returns the command's tag.
    fn send(&self, action: Action) -> u64;
    /// Drops the command of this tag: its answer is not needed any more, so it is not sent again.
    fn withdraw(&self, tag: u64);
}
