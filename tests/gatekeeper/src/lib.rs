//! causeway-gatekeeper
