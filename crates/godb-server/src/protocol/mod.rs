//! The protocol's messages: what clients ask ([`request`]), what they are answered ([`answer`]), and how values travel ([`types`], [`binary`]).

pub mod answer;
pub mod binary;
pub mod request;
pub mod types;
