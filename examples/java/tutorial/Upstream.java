import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

class Upstream {
  public static void main(String[] args) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 9000), 0);
    server.createContext("/", exchange -> {
      byte[] tenant = (exchange.getRequestHeaders().getFirst("X-Tenant") + "\n").getBytes();
      exchange.sendResponseHeaders(200, tenant.length);
      exchange.getResponseBody().write(tenant);
      exchange.close();
    });
    server.start();
  }
}
