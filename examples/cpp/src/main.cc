// A plugin server with eleven hooks: where it listens, and how it ends.

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

#include "coprocess_object.grpc.pb.h"
#include "hooks.h"

namespace {

constexpr int kMaxMessage = 64 << 20;              // bytes; a text body counts twice
constexpr auto kGrace = std::chrono::seconds(30);  // for the calls under way at the end

/// The service that the gateway calls.
class Plugin final : public coprocess::Dispatcher::Service {
  grpc::Status Dispatch(grpc::ServerContext*, const coprocess::Object* asked, coprocess::Object* answer) override {
    *answer = *asked;
    try {
      sample::apply(*answer);
    } catch (const std::exception& e) {
      std::cerr << "hook " + asked->hook_name() + ": " + e.what() + "\n";
      return {grpc::StatusCode::INTERNAL, e.what()};
    }
    return grpc::Status::OK;
  }

  grpc::Status DispatchEvent(grpc::ServerContext*, const coprocess::Event* event, coprocess::EventReply*) override {
    std::cout << "event: " + event->payload() + "\n" << std::flush;
    return grpc::Status::OK;
  }
};

/// A variable of the environment, or this where it is not set or empty.
std::string fromEnvironment(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

std::string address() {
  const std::string socket = fromEnvironment("GRAPNEL_PLUGIN_SOCKET", "");
  return socket.empty() ? fromEnvironment("PLUGIN_LISTEN", "127.0.0.1:5555") : "unix://" + socket;
}

}  // namespace

int main() {
  // Threads inherit what is blocked: the signals wait for sigwait below.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  grpc::EnableDefaultHealthCheckService(true);
  Plugin plugin;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address(), grpc::InsecureServerCredentials());
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a second server must not share the port
  builder.SetMaxReceiveMessageSize(kMaxMessage);
  builder.RegisterService(&plugin);
  const auto server = builder.BuildAndStart();
  if (!server) {
    std::cerr << "cannot listen on " + address() + "\n";
    return EXIT_FAILURE;
  }
  std::cout << "listening on " + address() + "\n" << std::flush;

  int signal;
  sigwait(&signals, &signal);
  server->Shutdown(std::chrono::system_clock::now() + kGrace);
  return EXIT_SUCCESS;
}
