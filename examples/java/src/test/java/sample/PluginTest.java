package sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.ByteString;
import coprocess.CoprocessObject;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PluginTest {
  private static CoprocessObject.Object.Builder ask(String hook) {
    return CoprocessObject.Object.newBuilder().setHookName(hook);
  }

  @Test
  void aTenantIsAddedFromTheConfiguration() {
    var o = Plugin.apply(ask("Tenant").putSpec("config_data", "{\"tenant\":\"acme\"}").build());
    assertEquals("acme", o.getRequest().getSetHeadersOrThrow("X-Tenant"));
  }

  @Test
  void onlyTheRightTokenIsLetIn() {
    var o = ask("CheckToken");
    o.getRequestBuilder().putHeaders("Authorization", "Bearer let-me-in");
    var known = Plugin.apply(o.build());
    assertEquals(5000, known.getSession().getQuotaMax());
    assertEquals(Map.of("token", "let-me-in", "tier", "gold"), known.getMetadataMap());

    o.getRequestBuilder().putHeaders("Authorization", "Bearer wrong");
    var unknown = Plugin.apply(o.build());
    assertFalse(unknown.hasSession());
    assertEquals(401, unknown.getRequest().getReturnOverrides().getResponseCode());
  }

  @Test
  void aRewriteKeepsTheQueryAndWhatIsNotAscii() {
    var o = ask("Rewrite");
    o.getRequestBuilder().setUrl("/a/old?x=/old").setRawBody(ByteString.copyFromUtf8("grüße"));
    var request = Plugin.apply(o.build()).getRequest();
    assertEquals("/a/new?x=/old", request.getUrl());
    assertEquals("GRüßE", request.getRawBody().toStringUtf8());
  }

  @Test
  void anUnknownHookChangesNothing() {
    var o = ask("Unknown").setHookTypeValue(99).build();
    assertSame(o, Plugin.apply(o));
  }

  @Test
  void aCrashIsAnException() {
    assertThrows(IllegalStateException.class, () -> Plugin.apply(ask("Crash").build()));
  }
}
