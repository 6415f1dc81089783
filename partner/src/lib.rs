//! causeway-partner
