// A client and its secrets (docs/configuration.md, `clients`).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace idem::auth {

/// The bytes that a client signs with. They are wiped when destroyed and never printed: there is no
/// stream operator, and bytes() is for HMACs and comparisons only.
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
  std::vector<Secret> secrets;  // all are active at once, so that they can be rotated
  /// Subject of the client's TLS certificate in the form of RFC 2253, "CN=shop,O=Shops"; may be
  /// empty. Each client has a subject or at least one secret.
  std::string certificate_subject = {};
};

/// All clients of a configuration, immutable while it is in force. There are few, so a linear
/// search finds them.
using Clients = std::vector<ClientOptions>;

/// Returns the client with that id, or nullptr.
[[nodiscard]] const ClientOptions* FindClient(const Clients& clients, std::string_view id);

}  // namespace idem::auth
