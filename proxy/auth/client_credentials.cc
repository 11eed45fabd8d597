#include "proxy/auth/client_credentials.h"

#include "proxy/base/digest.h"

namespace idem::auth {

// Moving a short string leaves its text in the old buffer, so a move copies and then wipes.
Secret::Secret(Secret&& other) noexcept {
  bytes_ = other.bytes_;
  other.Wipe();
}

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    Wipe();
    bytes_ = other.bytes_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Wipe();
    bytes_ = other.bytes_;
    other.Wipe();
  }
  return *this;
}

Secret::~Secret() { Wipe(); }

void Secret::Wipe() {
  WipeMemory(bytes_.data(), bytes_.size());
  bytes_.clear();
}

const ClientOptions* FindClient(const Clients& clients, std::string_view id) {
  for (const ClientOptions& client : clients) {
    if (client.id == id) return &client;
  }
  return nullptr;
}

}  // namespace idem::auth
