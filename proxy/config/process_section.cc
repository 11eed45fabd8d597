// Reads the settings of the process: listen, admin, workers, log, shutdown_grace, trusted_proxies.
#include <algorithm>
#include <thread>

#include "proxy/config/cross_checks.h"
#include "proxy/config/secret_file.h"
#include "proxy/config/secret_text.h"
#include "proxy/config/sections.h"

namespace idem::config {

namespace {

constexpr unsigned kWorkersMax = 256;

std::optional<event::Endpoint> ReadAddress(const Node& node, ConfigErrors& mistakes) {
  const std::string* text = TextOf(node, mistakes);
  if (text == nullptr) return std::nullopt;
  auto endpoint = event::Endpoint::Parse(*text);
  if (!endpoint) {
    AddError(node,
             node.concealed ? "is not an address such as 127.0.0.1:8080" : endpoint.error().detail,
             mistakes);
    return std::nullopt;
  }
  if (!event::SocketAddress::FromLiteral(*endpoint)) {
    AddError(node, "must be an IP address, not a name: the proxy listens on it", mistakes);
    return std::nullopt;
  }
  return *endpoint;
}

// Reads an entry of `listen` that is a map.
std::optional<Listener> ReadListenerMap(const Node& node, Draft& draft) {
  MapReader map(node, draft.mistakes);
  map.Require("address");
  std::optional<event::Endpoint> endpoint;
  if (const Node* address = map.Find("address")) endpoint = ReadAddress(*address, draft.mistakes);
  auto tls = ReadListenerTls(map, draft);
  map.RefuseUnknownKeys();
  if (!endpoint) return std::nullopt;
  return Listener{*std::move(endpoint), std::move(tls)};
}

void ReadListener(const Node& node, Draft& draft) {
  std::optional<Listener> listener;
  if (node.kind == Node::Kind::kMap) {
    listener = ReadListenerMap(node, draft);
  } else if (const auto endpoint = ReadAddress(node, draft.mistakes)) {
    listener = Listener{*endpoint};
  }
  if (!listener) return;
  draft.config.listen.push_back(*std::move(listener));
  draft.listener_nodes.push_back(node);
}

void ReadListen(MapReader& root, Draft& draft) {
  const Node* listen = root.Find("listen");
  if (listen == nullptr) return;
  draft.config.listen.clear();
  if (listen->kind != Node::Kind::kList) return ReadListener(*listen, draft);
  for (const Node& item : listen->items) ReadListener(item, draft);
  if (listen->items.empty()) root.AddError("listen", "must have at least one address");
}

// A token consists of characters that a field may hold, and is too long to be guessed.
void CheckToken(MapReader& admin, std::string_view key, std::string token, Draft& draft) {
  constexpr std::size_t kTokenMin = 16;
  constexpr std::size_t kTokenMax = 512;
  if (token.size() < kTokenMin || !IsVisible(token, kTokenMax)) {
    return admin.AddError(key, "must be 16 to 512 characters from ! to ~");
  }
  if (const std::string_view wrong = WrongWithSecret(token); !wrong.empty()) {
    return admin.AddError(key, std::string(wrong));
  }
  draft.config.admin_token.emplace(std::move(token));
}

void ReadAdminToken(MapReader& admin, Draft& draft) {
  const bool has_both = admin.Find("token") != nullptr && admin.Find("token_file") != nullptr;
  if (has_both)
    return admin.AddError("token_file", "conflicts with `token`: set only one of the two");
  std::string text;
  if (admin.ReadText("token", text)) return CheckToken(admin, "token", std::move(text), draft);
  if (!admin.ReadText("token_file", text)) return;
  constexpr std::size_t kTokenFileMax = 4096;
  const auto file = ReadSecretFile(text, kTokenFileMax);
  if (!file) return admin.AddError("token_file", file.error().detail);
  std::string token = file->text.substr(0, file->text.find('\n'));
  if (token.ends_with('\r')) token.pop_back();
  CheckToken(admin, "token_file", std::move(token), draft);
}

void ReadAdmin(MapReader& root, Draft& draft) {
  if (root.Is("admin", "off")) {
    draft.config.admin.reset();
    return;
  }
  const Node* node = root.Find("admin");
  if (node == nullptr) return;
  MapReader admin(*node, draft.mistakes);
  if (const Node* listen = admin.Find("listen")) {
    if (const auto endpoint = ReadAddress(*listen, draft.mistakes)) draft.config.admin = *endpoint;
  }
  ReadAdminToken(admin, draft);
  admin.RefuseUnknownKeys();
  if (draft.config.admin && !IsLoopback(*draft.config.admin) && !draft.config.admin_token) {
    admin.AddError(
        "listen",
        "can be reached by other machines, and anyone who reaches it can settle records: "
        "set admin.token or admin.token_file, or listen on loopback or a Unix socket");
  }
}

void ReadLog(MapReader& root, Draft& draft) {
  const Node* node = root.Find("log");
  if (node == nullptr) return;
  constexpr Choice<log::Level> kLevels[] = {{"debug", log::Level::kDebug},
                                            {"info", log::Level::kInfo},
                                            {"warn", log::Level::kWarn},
                                            {"error", log::Level::kError}};
  constexpr Choice<log::Format> kFormats[] = {{"json", log::Format::kJson},
                                              {"text", log::Format::kText}};
  MapReader map(*node, draft.mistakes);
  map.ReadChoice("level", draft.config.log.level, kLevels);
  map.ReadChoice("format", draft.config.log.format, kFormats);
  map.RefuseUnknownKeys();
}

void ReadTrustedProxies(MapReader& root, Draft& draft) {
  const auto* items = root.FindList("trusted_proxies");
  if (items == nullptr) return;
  for (const Node& item : *items) {
    const std::string* text = TextOf(item, draft.mistakes);
    if (text == nullptr) continue;
    const auto cidr = Cidr::Parse(*text);
    if (cidr) {
      draft.config.trusted_proxies.push_back(*cidr);
    } else {
      AddError(item, cidr.error().detail, draft.mistakes);
    }
  }
}

}  // namespace

void ReadProcess(MapReader& root, Draft& draft) {
  Config& config = draft.config;
  ReadListen(root, draft);
  ReadAdmin(root, draft);
  config.workers = std::clamp(std::thread::hardware_concurrency(), 1U, kWorkersMax);
  if (!root.Is("workers", "auto")) root.ReadNumber("workers", config.workers, {1, kWorkersMax});
  ReadLog(root, draft);
  if (!root.Is("shutdown_grace", "auto")) {
    const TimeRange range{milliseconds(0), std::chrono::hours(24)};
    draft.shutdown_grace_auto = !root.ReadTime("shutdown_grace", config.shutdown_grace, range);
  }
  ReadTrustedProxies(root, draft);
}

}  // namespace idem::config
