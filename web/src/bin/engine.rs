//! The engine: runs in the dedicated worker of every tab, and leads in one of them.

fn main() {}
