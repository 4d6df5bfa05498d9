//! A plugin server with eleven hooks: where it listens, and how it ends.

mod hooks;

use coprocess::dispatcher_server::{Dispatcher, DispatcherServer};
use coprocess::{Event, EventReply, Object};
use std::os::unix::fs::FileTypeExt;
use std::{env, error::Error, fs, io, time::Duration};
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::server::{Router, Server, TcpIncoming};
use tonic::{Request, Response, Status};

const MAX_MESSAGE: usize = 64 << 20; // bytes; a text body counts twice
const GRACE: Duration = Duration::from_secs(30); // for the calls under way at the end

/// The service that the gateway calls.
struct Plugin;

#[tonic::async_trait]
impl Dispatcher for Plugin {
    /// The hook runs in a task of its own, so that a panic fails this call and
    /// not all that share its connection.
    async fn dispatch(&self, call: Request<Object>) -> Result<Response<Object>, Status> {
        match tokio::spawn(hooks::apply(call.into_inner())).await {
            Ok(Ok(object)) => Ok(Response::new(object)),
            Ok(Err(failure)) => Err(Status::internal(failure.to_string())),
            Err(panic) => Err(Status::internal(panic.to_string())),
        }
    }

    async fn dispatch_event(&self, call: Request<Event>) -> Result<Response<EventReply>, Status> {
        println!("event: {}", call.into_inner().payload);
        Ok(Response::new(EventReply {}))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<DispatcherServer<Plugin>>().await;
    let router = Server::builder()
        .add_service(DispatcherServer::new(Plugin).max_decoding_message_size(MAX_MESSAGE))
        .add_service(health_service);
    match env::var("GRAPNEL_PLUGIN_SOCKET") {
        Ok(path) if !path.is_empty() => at_socket(router, &path).await,
        _ => at_address(router, &env::var("PLUGIN_LISTEN").unwrap_or("127.0.0.1:5555".into())).await,
    }
}

async fn at_address(router: Router, address: &str) -> Result<(), Box<dyn Error>> {
    let listener = TcpIncoming::from(TcpListener::bind(address).await?).with_nodelay(Some(true));
    println!("listening on {address}");
    until_the_end(router.serve_with_incoming_shutdown(listener, asked_to_end())).await
}

async fn at_socket(router: Router, path: &str) -> Result<(), Box<dyn Error>> {
    if fs::metadata(path).is_ok_and(|file| file.file_type().is_socket()) {
        fs::remove_file(path)?; // left by a server that was killed
    }
    let listener = UnixListenerStream::new(UnixListener::bind(path)?);
    println!("listening on unix://{path}");
    until_the_end(router.serve_with_incoming_shutdown(listener, asked_to_end())).await?;
    Ok(fs::remove_file(path)?)
}
