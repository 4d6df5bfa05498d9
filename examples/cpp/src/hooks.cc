#include "hooks.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>

namespace sample {
namespace {

using coprocess::Object;

/// The value that a map has for a name, empty where it has none.
template <typename Map>
std::string valueOr(const Map& map, const std::string& name) {
  const auto found = map.find(name);
  return found == map.end() ? "" : found->second;
}

void headers(Object& object) {
  auto& request = *object.mutable_request();
  (*request.mutable_set_headers())["X-Sample"] = "hello";
  request.add_delete_headers("X-Remove");
  (*request.mutable_add_params())["added"] = "1";
  request.add_delete_params("remove");
}

void deny(Object& object) {
  if (!object.request().headers().contains("X-Deny")) {
    return;
  }
  auto& answer = *object.mutable_request()->mutable_return_overrides();
  answer.set_response_code(403);
  answer.set_response_error("denied by the sample");
  (*answer.mutable_headers())["X-Denied"] = "1";
}

void teapot(Object& object) {
  auto& answer = *object.mutable_request()->mutable_return_overrides();
  answer.set_response_code(418);
  answer.set_override_error(true);
  answer.set_response_body("short and stout");
  (*answer.mutable_headers())["Content-Type"] = "text/plain";
}

void checkToken(Object& object) {
  if (valueOr(object.request().headers(), "Authorization") != "Bearer let-me-in") {
    auto& answer = *object.mutable_request()->mutable_return_overrides();
    answer.set_response_code(401);
    answer.set_response_error("not authorised by the sample");
    return;
  }
  coprocess::SessionState session;
  session.set_rate(1000);
  session.set_per(1);
  session.set_quota_max(5000);
  session.set_quota_remaining(5000);
  session.set_quota_renewal_rate(3600);
  (*session.mutable_metadata())["tier"] = "gold";
  *object.mutable_session() = std::move(session);
  (*object.mutable_metadata())["token"] = "let-me-in";
  (*object.mutable_metadata())["tier"] = "gold";
}

void readSession(Object& object) {
  if (!object.has_session()) {
    return;
  }
  auto& set = *object.mutable_request()->mutable_set_headers();
  set["X-Tier"] = valueOr(object.session().metadata(), "tier");
  set["X-Rate"] = std::to_string(static_cast<std::int64_t>(object.session().rate()));
}

bool endsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

/// Whether these bytes are text: no overlong forms, no surrogates.
bool isUtf8(std::string_view text) {
  constexpr std::uint32_t least[] = {0, 0x80, 0x800, 0x10000};
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    const int more = lead < 0x80 ? 0 : lead >> 5 == 6 ? 1 : lead >> 4 == 14 ? 2 : lead >> 3 == 30 ? 3 : -1;
    if (more < 0) {
      return false;
    }
    std::uint32_t code = lead & (0x7f >> more);
    for (int n = 0; n < more; n++, i++) {
      if (i == text.size() || (text[i] & 0xc0) != 0x80) {
        return false;
      }
      code = code << 6 | (text[i] & 0x3f);
    }
    if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      return false;
    }
  }
  return true;
}

void rewrite(Object& object) {
  auto& request = *object.mutable_request();
  std::string& url = *request.mutable_url();
  const auto path = std::string_view(url).substr(0, url.find('?'));
  if (endsWith(path, "/old")) {
    url.replace(path.size() - 3, 3, "new");
  }
  if (valueOr(request.headers(), "X-Method") == "post") {
    request.set_method("POST");
  }
  std::string& body = *request.mutable_raw_body();
  if (body.empty() || !isUtf8(body)) {
    return;
  }
  for (char& c : body) {
    if (c >= 'a' && c <= 'z') {
      c -= 'a' - 'A';
    }
  }
  request.set_body(body);
}

void tenant(Object& object) {
  google::protobuf::Struct config;
  const auto status = google::protobuf::util::JsonStringToMessage(valueOr(object.spec(), "config_data"), &config);
  const auto found = config.fields().find("tenant");
  if (!status.ok() || found == config.fields().end()) {
    throw std::invalid_argument("config_data is no JSON with a tenant");
  }
  (*object.mutable_request()->mutable_set_headers())["X-Tenant"] = found->second.string_value();
}

void reply(Object& object) {
  auto& response = *object.mutable_response();
  google::protobuf::RepeatedPtrField<coprocess::Header> kept;
  for (auto& header : *response.mutable_multivalue_headers()) {
    if (header.key() != "X-Internal" && header.key() != "X-Reply") {
      *kept.Add() = std::move(header);
    }
  }
  auto& added = *kept.Add();
  added.set_key("X-Reply");
  added.add_values("sample");
  response.mutable_multivalue_headers()->Swap(&kept);
  response.mutable_headers()->erase("X-Internal");
  (*response.mutable_headers())["X-Reply"] = "sample";
  response.mutable_raw_body()->append(" (seen)");
  if (response.status_code() == 200 && object.request().headers().contains("X-Accept")) {
    response.set_status_code(202);
  }
}

void echo(Object&) {}

void crash(Object&) { throw std::runtime_error("the sample crashed as it was asked to"); }

void slow(Object&) { std::this_thread::sleep_for(std::chrono::seconds(2)); }

}  // namespace

void apply(Object& object) {
  static const std::unordered_map<std::string, void (*)(Object&)> hooks = {
      {"Headers", headers},
      {"Deny", deny},
      {"Teapot", teapot},
      {"CheckToken", checkToken},
      {"ReadSession", readSession},
      {"Rewrite", rewrite},
      {"Tenant", tenant},
      {"Reply", reply},
      {"Echo", echo},
      {"Crash", crash},
      {"Slow", slow},
  };
  if (const auto hook = hooks.find(object.hook_name()); hook != hooks.end()) {
    hook->second(object);
  }
}

}  // namespace sample
