#include "hooks.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

using coprocess::Object;
using google::protobuf::util::MessageDifferencer;

namespace {

Object ask(const std::string& hook) {
  Object object;
  object.set_hook_name(hook);
  return object;
}

std::string rewritten(const std::string& body) {
  auto object = ask("Rewrite");
  object.mutable_request()->set_raw_body(body);
  sample::apply(object);
  return object.request().raw_body();
}

}  // namespace

TEST(Hooks, ATenantIsAddedFromTheConfiguration) {
  auto object = ask("Tenant");
  (*object.mutable_spec())["config_data"] = R"({"tenant":"acme"})";
  sample::apply(object);
  EXPECT_EQ("acme", object.request().set_headers().at("X-Tenant"));

  auto without = ask("Tenant");
  EXPECT_THROW(sample::apply(without), std::invalid_argument);
}

TEST(Hooks, OnlyTheRightTokenIsLetIn) {
  auto known = ask("CheckToken");
  (*known.mutable_request()->mutable_headers())["Authorization"] = "Bearer let-me-in";
  sample::apply(known);
  EXPECT_EQ(5000, known.session().quota_max());
  EXPECT_EQ("let-me-in", known.metadata().at("token"));

  auto unknown = ask("CheckToken");
  (*unknown.mutable_request()->mutable_headers())["Authorization"] = "Bearer wrong";
  sample::apply(unknown);
  EXPECT_FALSE(unknown.has_session());
  EXPECT_EQ(401, unknown.request().return_overrides().response_code());
}

TEST(Hooks, ARewriteKeepsTheQueryAndWhatIsNotAscii) {
  auto object = ask("Rewrite");
  object.mutable_request()->set_url("/a/old?x=/old");
  object.mutable_request()->set_raw_body("grüße");
  sample::apply(object);
  EXPECT_EQ("/a/new?x=/old", object.request().url());
  EXPECT_EQ("GRüßE", object.request().raw_body());
  EXPECT_EQ("GRüßE", object.request().body());
}

TEST(Hooks, OnlyTextIsRewritten) {
  EXPECT_EQ("A\u00e9\u2603\U0001f388\U0010ffffB", rewritten("a\u00e9\u2603\U0001f388\U0010ffffb"));
  for (const std::string bytes : {"a\xff", "a\x80", "a\xc3", "\xc3z", "a\xc0\x80", "a\xe0\x80\x80", "a\xed\xa0\x80",
                                  "a\xf4\x90\x80\x80", "a\xf8"}) {
    EXPECT_EQ(bytes, rewritten(bytes));
  }
}

TEST(Hooks, AReplyIsChanged) {
  auto object = ask("Reply");
  (*object.mutable_request()->mutable_headers())["X-Accept"] = "1";
  auto& response = *object.mutable_response();
  response.set_status_code(200);
  response.set_raw_body("\xff");
  (*response.mutable_headers())["X-Internal"] = "a";
  response.add_multivalue_headers()->set_key("X-Internal");
  sample::apply(object);
  EXPECT_EQ(202, response.status_code());
  EXPECT_EQ("\xff (seen)", response.raw_body());
  ASSERT_EQ(1, response.headers().size());
  EXPECT_EQ("sample", response.headers().at("X-Reply"));
  ASSERT_EQ(1, response.multivalue_headers_size());
  EXPECT_EQ("X-Reply", response.multivalue_headers(0).key());
}

TEST(Hooks, AnUnknownHookChangesNothing) {
  auto object = ask("Unknown");
  object.set_hook_type(static_cast<coprocess::HookType>(99));
  const auto before = object;
  sample::apply(object);
  EXPECT_TRUE(MessageDifferencer::Equals(before, object));
}

TEST(Hooks, ACrashIsAnException) {
  auto object = ask("Crash");
  EXPECT_THROW(sample::apply(object), std::runtime_error);
}
