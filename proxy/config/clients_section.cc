// Reads `clients`: the callers and their secrets.
#include <sstream>

#include "proxy/config/secret_file.h"
#include "proxy/config/secret_text.h"
#include "proxy/config/sections.h"

namespace idem::config {

namespace {

constexpr std::size_t kIdMax = 255;
constexpr std::size_t kSecretsFileMax = 1 << 20;

void ReadSecrets(MapReader& map, auth::ClientOptions& client, ConfigErrors& mistakes) {
  const auto* items = map.FindList("secrets");
  if (items == nullptr) return;
  for (const Node& item : *items) {
    const std::string* text = TextOf(item, mistakes);
    if (text == nullptr) continue;
    const std::string_view wrong = WrongWithSecret(*text);
    if (!wrong.empty()) AddError(item, std::string(wrong), mistakes);
    client.secrets.emplace_back(*text);
  }
}

// Reads one secret per line. Line endings (LF or CRLF) are stripped; empty lines are skipped.
void ReadSecretLines(MapReader& map, std::string text, auth::ClientOptions& client) {
  std::istringstream lines(std::move(text));
  std::string line;
  std::size_t secrets = 0;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    const std::string_view wrong = WrongWithSecret(line);
    if (!wrong.empty()) {
      map.AddError("secrets_file",
                   "line " + std::to_string(number) + " of the file " + std::string(wrong));
    }
    client.secrets.emplace_back(line);
    ++secrets;
  }
  if (secrets == 0) map.AddError("secrets_file", "holds no secret; write one per line");
}

void ReadSecretsFile(MapReader& map, auth::ClientOptions& client, Draft& draft) {
  std::string path;
  if (!map.ReadText("secrets_file", path)) return;
  auto file = ReadSecretFile(path, kSecretsFileMax);
  if (!file) return map.AddError("secrets_file", file.error().detail);
  ReadSecretLines(map, std::move(file->text), client);
  if (file->anybody_may_write) {
    AddError(*map.node().Find("secrets_file"),
             "can be changed by every user of this machine (chmod o-w)", draft.warnings);
  }
}

void ReadId(MapReader& map, auth::ClientOptions& client, Draft& draft) {
  map.Require("id");
  if (!map.ReadText("id", client.id)) return;
  if (!IsVisible(client.id, kIdMax)) {
    map.AddError("id", "must be 1 to 255 characters from ! to ~");
    return;
  }
  const auto& clients = draft.config.clients;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    if (clients[i].id != client.id) continue;
    map.AddError("id", "is already the id of " + draft.client_nodes[i].path + " (line " +
                           std::to_string(draft.client_nodes[i].place.line) + ")");
  }
}

// Refuses the notations of other tools, which would never match.
bool IsSubject(std::string_view text) {
  const std::size_t comma = text.find(", ");
  const bool spaced = text.find(" = ") != std::string_view::npos ||
                      (comma != std::string_view::npos && (comma == 0 || text[comma - 1] != '\\'));
  return text.find('=') != std::string_view::npos && text.front() != '/' && !spaced;
}

void ReadSubject(MapReader& map, auth::ClientOptions& client, Draft& draft) {
  if (!map.ReadText("certificate_subject", client.certificate_subject)) return;
  if (!IsSubject(client.certificate_subject)) {
    return map.AddError("certificate_subject",
                        "is not a subject as `openssl x509 -noout -subject -nameopt RFC2253` "
                        "prints it, such as CN=shop,O=Shops");
  }
  const auto& clients = draft.config.clients;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    if (clients[i].certificate_subject != client.certificate_subject) continue;
    map.AddError("certificate_subject", "is already the subject of " + draft.client_nodes[i].path +
                                            " (line " +
                                            std::to_string(draft.client_nodes[i].place.line) + ")");
  }
}

bool NamesNoSecret(const Node& client) {
  const Node* secrets = client.Find("secrets");
  const bool none = secrets == nullptr || secrets->is_null() ||
                    (secrets->kind == Node::Kind::kList && secrets->items.empty());
  return none && client.Find("secrets_file") == nullptr;
}

}  // namespace

void ReadClients(MapReader& root, Draft& draft) {
  const auto* items = root.FindList("clients");
  if (items == nullptr) return;
  for (const Node& item : *items) {
    auth::ClientOptions client;
    MapReader map(item, draft.mistakes);
    ReadId(map, client, draft);
    ReadSecrets(map, client, draft.mistakes);
    ReadSecretsFile(map, client, draft);
    ReadSubject(map, client, draft);
    if (NamesNoSecret(item) && item.Find("certificate_subject") == nullptr) {
      map.AddError("secrets", "must have at least one, here or in secrets_file");
    }
    map.RefuseUnknownKeys();
    draft.config.clients.push_back(std::move(client));
    draft.client_nodes.push_back(item);
  }
}

}  // namespace idem::config
