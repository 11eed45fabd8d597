// Reads `tls` of listeners and upstreams, and the files that it names. A certificate that cannot be
// used is an error of the configuration, so a reload with it is refused completely.
#include <algorithm>
#include <chrono>

#include "proxy/config/sections.h"

namespace idem::config {

namespace {

// The error names the file, unless its name came from the environment.
void ComplainOfFiles(const Node& tls, const Error& error, ConfigErrors& mistakes) {
  const bool concealed =
      std::ranges::any_of(tls.entries, [](const Entry& entry) { return entry.value.concealed; });
  const std::size_t reason = error.detail.rfind(": ");
  AddError(
      tls,
      concealed ? "names a file that cannot be used" + error.detail.substr(reason) : error.detail,
      mistakes);
}

void WarnOfCertificate(const Node& tls, const event::TlsContext& context, ConfigErrors& warnings) {
  const std::string_view fault = context.CertificateFault(std::chrono::system_clock::now());
  if (fault.empty()) return;
  AddError(*tls.Find("certificate"), std::string(fault) + ", so the other side will refuse it",
           warnings);
}

}  // namespace

http_server::ServerTls ReadListenerTls(MapReader& listener, Draft& draft) {
  const Node* node = listener.Find("tls");
  if (node == nullptr) return nullptr;
  MapReader map(*node, draft.mistakes);
  event::TlsServerOptions options;
  map.Require("certificate");
  const bool certified = map.ReadText("certificate", options.certificate);
  map.Require("key");
  const bool keyed = map.ReadText("key", options.key);
  const bool asks_clients = map.ReadText("client_ca", options.client_ca);
  map.RefuseUnknownKeys();
  if (asks_clients && options.client_ca.empty()) {
    map.AddError("client_ca", "is empty: leave it out to request no client certificates");
  }
  draft.asks_clients = draft.asks_clients || asks_clients;
  if (!certified || !keyed) return nullptr;
  auto context = event::TlsContext::ForServer(options);
  if (!context) {
    ComplainOfFiles(*node, context.error(), draft.mistakes);
    return nullptr;
  }
  WarnOfCertificate(*node, **context, draft.warnings);
  return *std::move(context);
}

void ReadUpstreamTls(MapReader& upstream, forward::UpstreamOptions& options, Draft& draft) {
  const Node* node = upstream.Find("tls");
  const Node none;
  MapReader map(node != nullptr ? *node : none, draft.mistakes);
  forward::UpstreamTls tls;
  map.ReadText("ca", tls.ca);
  map.ReadText("certificate", tls.certificate);
  map.ReadText("key", tls.key);
  map.ReadText("server_name", tls.server_name);
  map.ReadFlag("verify", tls.verify);
  map.RefuseUnknownKeys();
  const bool paired = tls.certificate.empty() == tls.key.empty();
  if (!paired) {
    map.AddError(tls.key.empty() ? "key" : "certificate",
                 "is missing: `certificate` and `key` go together");
  }
  if (!options.tls) {
    if (!options.endpoints.empty() && tls != forward::UpstreamTls()) {
      upstream.AddError("tls", "has no effect on an http:// URL; write https://");
    }
    return;
  }
  options.tls = std::move(tls);
  if (!paired) return;
  const Node& place = node != nullptr ? *node : upstream.node();
  if (auto used = forward::UseTls(*options.tls); !used) {
    return ComplainOfFiles(place, used.error(), draft.mistakes);
  }
  WarnOfCertificate(place, *options.tls->context, draft.warnings);
  if (!options.tls->verify) {
    AddError(*place.Find("verify"),
             "is false: any server that answers is trusted as the backend and gets every request",
             draft.warnings);
  }
}

}  // namespace idem::config
