//! A plugin server with eleven hooks: where it listens, and how it ends.

mod hooks;

use coprocess::dispatcher_server::{Dispatcher, DispatcherServer};
use coprocess::{Event, EventReply, Object};
use std::os::unix::fs::FileTypeExt;
use std::{env, error::Error, fs, io, process, time::Duration};
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::server::{Server, TcpIncoming};
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
        let object = call.into_inner();
        let name = object.hook_name.clone();
        let failure = match tokio::spawn(hooks::apply(object)).await {
            Ok(Ok(object)) => return Ok(Response::new(object)),
            Ok(Err(failure)) => failure.to_string(),
            Err(panic) => panic.to_string(),
        };
        eprintln!("hook {name}: {failure}");
        Err(Status::internal(failure))
    }

    async fn dispatch_event(&self, call: Request<Event>) -> Result<Response<EventReply>, Status> {
        println!("event: {}", call.into_inner().payload);
        Ok(Response::new(EventReply {}))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let end = asked_to_end()?;
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<DispatcherServer<Plugin>>().await;
    let router = Server::builder()
        .add_service(DispatcherServer::new(Plugin).max_decoding_message_size(MAX_MESSAGE))
        .add_service(health_service);

    if let Some(path) = variable("GRAPNEL_PLUGIN_SOCKET") {
        let incoming = UnixListenerStream::new(at_socket(&path)?);
        println!("listening on unix://{path}");
        router.serve_with_incoming_shutdown(incoming, end).await?;
        fs::remove_file(path)?;
    } else {
        let address = variable("PLUGIN_LISTEN").unwrap_or("127.0.0.1:5555".into());
        let incoming = TcpIncoming::from(TcpListener::bind(&address).await?).with_nodelay(Some(true));
        println!("listening on {address}");
        router.serve_with_incoming_shutdown(incoming, end).await?;
    }
    Ok(())
}

/// A variable of the environment that is set and not empty.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Listens at a Unix socket, in place of a server that was killed.
fn at_socket(path: &str) -> io::Result<UnixListener> {
    if fs::metadata(path).is_ok_and(|file| file.file_type().is_socket()) {
        fs::remove_file(path)?;
    }
    UnixListener::bind(path)
}

/// Waits for SIGTERM or SIGINT, which count from now on. The calls under way
/// then have GRACE; what takes longer ends with the process.
fn asked_to_end() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tokio::spawn(async {
            tokio::time::sleep(GRACE).await;
            process::exit(0);
        });
    })
}
