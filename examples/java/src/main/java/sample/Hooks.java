package sample;

import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import coprocess.CoprocessMiniRequestObject.MiniRequestObject;
import coprocess.CoprocessObject;
import coprocess.CoprocessResponseObject.Header;
import coprocess.CoprocessSessionState.SessionState;
import java.util.Map;
import java.util.function.Consumer;

/** The hooks. Each changes the object that it is given; what it leaves alone stays as it was. */
final class Hooks {
  static final Map<String, Consumer<CoprocessObject.Object.Builder>> BY_NAME =
      Map.ofEntries(
          Map.entry("Headers", Hooks::headers),
          Map.entry("Deny", Hooks::deny),
          Map.entry("Teapot", Hooks::teapot),
          Map.entry("CheckToken", Hooks::checkToken),
          Map.entry("ReadSession", Hooks::readSession),
          Map.entry("Rewrite", Hooks::rewrite),
          Map.entry("Tenant", Hooks::tenant),
          Map.entry("Reply", Hooks::reply),
          Map.entry("Echo", o -> {}),
          Map.entry("Crash", Hooks::crash),
          Map.entry("Slow", Hooks::slow));

  private Hooks() {}

  private static void headers(CoprocessObject.Object.Builder o) {
    o.getRequestBuilder()
        .putSetHeaders("X-Sample", "hello")
        .addDeleteHeaders("X-Remove")
        .putAddParams("added", "1")
        .addDeleteParams("remove");
  }

  private static void deny(CoprocessObject.Object.Builder o) {
    if (o.getRequest().containsHeaders("X-Deny")) {
      o.getRequestBuilder()
          .getReturnOverridesBuilder()
          .setResponseCode(403)
          .setResponseError("denied by the sample")
          .putHeaders("X-Denied", "1");
    }
  }

  private static void teapot(CoprocessObject.Object.Builder o) {
    o.getRequestBuilder()
        .getReturnOverridesBuilder()
        .setResponseCode(418)
        .setOverrideError(true)
        .setResponseBody("short and stout")
        .putHeaders("Content-Type", "text/plain");
  }

  private static void checkToken(CoprocessObject.Object.Builder o) {
    if (!o.getRequest().getHeadersOrDefault("Authorization", "").equals("Bearer let-me-in")) {
      o.getRequestBuilder()
          .getReturnOverridesBuilder()
          .setResponseCode(401)
          .setResponseError("not authorised by the sample");
      return;
    }
    o.setSession(
        SessionState.newBuilder()
            .setRate(1000)
            .setPer(1)
            .setQuotaMax(5000)
            .setQuotaRemaining(5000)
            .setQuotaRenewalRate(3600)
            .putMetadata("tier", "gold"));
    o.putMetadata("token", "let-me-in").putMetadata("tier", "gold");
  }

  private static void readSession(CoprocessObject.Object.Builder o) {
    if (!o.hasSession()) {
      return;
    }
    SessionState session = o.getSession();
    o.getRequestBuilder()
        .putSetHeaders("X-Tier", session.getMetadataOrDefault("tier", ""))
        .putSetHeaders("X-Rate", Long.toString((long) session.getRate()));
  }

  private static void rewrite(CoprocessObject.Object.Builder o) {
    MiniRequestObject.Builder request = o.getRequestBuilder();
    request.setUrl(request.getUrl().replaceFirst("^([^?]*)/old(\\?|$)", "$1/new$2"));
    if (request.getHeadersOrDefault("X-Method", "").equals("post")) {
      request.setMethod("POST");
    }
    ByteString body = request.getRawBody();
    if (!body.isEmpty() && body.isValidUtf8()) {
      ByteString upper = upperCase(body);
      request.setRawBody(upper).setBodyBytes(upper);
    }
  }

  /** ASCII letters only: the bytes of other letters are above them. */
  private static ByteString upperCase(ByteString text) {
    byte[] bytes = text.toByteArray();
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] >= 'a' && bytes[i] <= 'z') {
        bytes[i] -= 'a' - 'A';
      }
    }
    return ByteString.copyFrom(bytes);
  }

  private static void tenant(CoprocessObject.Object.Builder o) {
    String config = o.getSpecOrThrow("config_data");
    String tenant = JsonParser.parseString(config).getAsJsonObject().get("tenant").getAsString();
    o.getRequestBuilder().putSetHeaders("X-Tenant", tenant);
  }

  private static void reply(CoprocessObject.Object.Builder o) {
    var response = o.getResponseBuilder();
    var kept =
        response.getMultivalueHeadersList().stream()
            .filter(h -> !h.getKey().equals("X-Internal") && !h.getKey().equals("X-Reply"))
            .toList();
    response.removeHeaders("X-Internal").putHeaders("X-Reply", "sample");
    response
        .clearMultivalueHeaders()
        .addAllMultivalueHeaders(kept)
        .addMultivalueHeaders(Header.newBuilder().setKey("X-Reply").addValues("sample"));
    response.setRawBody(response.getRawBody().concat(ByteString.copyFromUtf8(" (seen)")));
    if (response.getStatusCode() == 200 && o.getRequest().containsHeaders("X-Accept")) {
      response.setStatusCode(202);
    }
  }

  private static void crash(CoprocessObject.Object.Builder o) {
    throw new IllegalStateException("the sample crashed as it was asked to");
  }

  private static void slow(CoprocessObject.Object.Builder o) {
    try {
      Thread.sleep(2000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
