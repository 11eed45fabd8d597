// Who may call: a client and its secrets (docs/configuration.md, `clients`).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace idem::auth {

/// The bytes a client signs with. Wiped when destroyed, never printed: it has no stream operator
/// and no conversion to text but bytes(), which is for the HMAC alone.
class Secret {
 public:
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  [[nodiscard]] std::string_view bytes() const { return bytes_; }

 private:
  void Wipe();
  std::string bytes_;
};

struct ClientOptions {
  std::string id;
  std::vector<Secret> secrets;  // all active at once, in any number, so that they rotate
  /// The subject of its TLS certificate in the form of RFC 2253, "CN=shop,O=Shops"; "": none. A
  /// client has one or a secret.
  std::string certificate_subject = {};
};

/// All clients of a configuration, immutable while it is in force. Few: found by walking.
using Clients = std::vector<ClientOptions>;

/// nullptr: there is none with that id.
[[nodiscard]] const ClientOptions* FindClient(const Clients& clients, std::string_view id);

}  // namespace idem::auth
