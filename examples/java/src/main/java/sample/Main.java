package sample;

import coprocess.CoprocessObject;
import coprocess.DispatcherGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.protobuf.services.HealthStatusManager;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The server: where it listens, and how it ends. */
public final class Main {
  private static final int MAX_MESSAGE = 64 << 20; // bytes; a text body counts twice
  private static final Logger NETTY = Logger.getLogger("io.grpc.netty.shaded.io.netty.bootstrap");

  private Main() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    System.setOut(new PrintStream(System.out, true, StandardCharsets.UTF_8));
    String socket = Optional.ofNullable(System.getenv("GRAPNEL_PLUGIN_SOCKET")).orElse("");
    String address = Optional.ofNullable(System.getenv("PLUGIN_LISTEN")).orElse("127.0.0.1:5555");

    var health = new HealthStatusManager();
    health.setStatus(DispatcherGrpc.SERVICE_NAME, ServingStatus.SERVING);
    Server server =
        (socket.isEmpty() ? atAddress(address) : atSocket(Path.of(socket)))
            .maxInboundMessageSize(MAX_MESSAGE)
            .addService(new Plugin())
            .addService(health.getHealthService())
            .build()
            .start();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server, health)));
    warmUp(server.getListenSockets().get(0));
    System.out.println("listening on " + (socket.isEmpty() ? address : "unix://" + socket));
    server.awaitTermination();
  }

  private static NettyServerBuilder atAddress(String address) {
    int colon = address.lastIndexOf(':');
    String host = address.substring(0, colon).replaceAll("[\\[\\]]", "");
    return NettyServerBuilder.forAddress(
        new InetSocketAddress(host, Integer.parseInt(address.substring(colon + 1))));
  }

  /** Epoll serves Unix sockets, on Linux. */
  private static NettyServerBuilder atSocket(Path path) throws IOException {
    if (Files.exists(path) && !Files.isRegularFile(path) && !Files.isDirectory(path)) {
      Files.delete(path); // left by a server that was killed
    }
    NETTY.setLevel(Level.SEVERE); // at each connection it warns that this is not TCP
    return NettyServerBuilder.forAddress(new DomainSocketAddress(path.toString()))
        .channelType(EpollServerDomainSocketChannel.class)
        .bossEventLoopGroup(new EpollEventLoopGroup(1))
        .workerEventLoopGroup(new EpollEventLoopGroup());
  }

  /** Asks itself once: the first call of a JVM takes long, and the gateway does not wait long. */
  private static void warmUp(SocketAddress address) throws InterruptedException {
    var builder = NettyChannelBuilder.forAddress(address).usePlaintext();
    if (address instanceof DomainSocketAddress) {
      builder.channelType(EpollDomainSocketChannel.class).eventLoopGroup(new EpollEventLoopGroup(1));
    }
    ManagedChannel channel = builder.build();
    DispatcherGrpc.newBlockingStub(channel)
        .dispatch(CoprocessObject.Object.newBuilder().setHookName("Headers").build());
    channel.shutdown().awaitTermination(10, TimeUnit.SECONDS);
  }

  /** Lets the calls under way finish. Halting makes the exit code 0, which would be that of the signal. */
  private static void stop(Server server, HealthStatusManager health) {
    health.enterTerminalState();
    try {
      server.shutdown().awaitTermination(30, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Runtime.getRuntime().halt(0);
  }
}
