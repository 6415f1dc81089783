//! causeway-web
