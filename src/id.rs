//! Ids that pair an output of the engine with the inputs that respond to it. Unique within one engine.

/// Identifies a transaction from [`Output::Commit`](crate::io::Output::Commit) to its commit or abort.
pub type TransactionId = u64;
/// Identifies a read from [`Output::Load`](crate::io::Output::Load) to [`Input::Loaded`](crate::io::Input::Loaded).
pub type LoadId = u64;
/// Identifies an HTTP request from [`Output::Request`](crate::io::Output::Request) to its response.
pub type RequestId = u64;
/// Identifies a computation from [`Output::Compute`](crate::io::Output::Compute) to its result.
pub type ComputationId = u64;
/// Identifies a socket from [`Output::Connect`](crate::io::Output::Connect) on. Inputs about an older socket are
/// ignored.
pub type SocketId = u64;
