//! The coprocess contract between an API gateway and its gRPC plugins: its
//! messages, and the service that a plugin implements, in [`dispatcher_server`].

include!("generated/coprocess.rs");
