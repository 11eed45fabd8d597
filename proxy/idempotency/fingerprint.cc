#include "proxy/idempotency/fingerprint.h"

#include "proxy/base/invariant.h"
#include "proxy/http/percent_encoding.h"
#include "proxy/idempotency/canonical_json.h"
#include "proxy/idempotency/part_digests.h"

namespace idem::idempotency {

namespace {

// --- the id of a recipe ---

constexpr std::string_view kAlgorithm = "1";
constexpr std::string_view kReserved = ",:";

std::string_view ModeWord(BodyMode mode) { return mode == BodyMode::kRaw ? "raw" : "json"; }

void AppendList(const std::vector<std::string>& list, std::string& id) {
  id.push_back(':');
  for (const std::string& member : list) {
    INVARIANT(!member.empty());
    if (&member != &list.front()) id.push_back(',');
    http::AppendPercentEncoded(member, kReserved, id);
  }
}

// Up to the next `:`, which is taken too.
std::string_view TakePart(std::string_view& rest) {
  const std::size_t colon = rest.find(':');
  const std::string_view part = rest.substr(0, colon);
  rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
  return part;
}

bool ReadList(std::string_view text, std::vector<std::string>& list) {
  list.clear();
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string& member = list.emplace_back();
    if (!http::AppendPercentDecoded(text.substr(0, comma), kReserved, member) || member.empty()) {
      return false;
    }
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return true;
}

// --- the digest ---

void AppendLength(std::uint64_t length, std::string& to) {
  for (int shift = 56; shift >= 0; shift -= 8) to.push_back(static_cast<char>(length >> shift));
}

void AppendPart(std::string_view part, std::string& to) {
  AppendLength(part.size(), to);
  to.append(part);
}

// How many lines there are stands before them, so that no line and an empty one differ.
void AppendField(const http::Fields& fields, std::string_view name, std::string& to) {
  AppendPart(name, to);
  AppendLength(fields.Count(name), to);
  for (const http::FieldLine line : fields) {
    if (http::EqualsIgnoreCase(line.name, name)) AppendPart(line.value, to);
  }
}

// Two bodies of which only one was read as JSON are never the same: the word tells them apart.
std::string_view CanonicalBody(const Recipe& recipe, const FingerprintInput& input,
                               std::string& canonical, BodyMode& mode) {
  mode = BodyMode::kRaw;
  if (recipe.body != BodyMode::kJson || input.fields->Find("Content-Encoding")) return input.body;
  if (!AppendCanonicalJson(input.body, recipe.ignore, canonical)) return input.body;
  mode = BodyMode::kJson;
  return canonical;
}

}  // namespace

std::string Recipe::ToId() const {
  std::string id(kAlgorithm);
  id.push_back(':');
  id.append(ModeWord(body));
  AppendList(headers, id);
  AppendList(ignore, id);
  return id;
}

std::optional<Recipe> Recipe::FromId(std::string_view id) {
  std::string_view rest = id;
  if (TakePart(rest) != kAlgorithm) return std::nullopt;
  Recipe recipe;
  recipe.body = TakePart(rest) == ModeWord(BodyMode::kJson) ? BodyMode::kJson : BodyMode::kRaw;
  if (!ReadList(TakePart(rest), recipe.headers)) return std::nullopt;
  if (!ReadList(TakePart(rest), recipe.ignore)) return std::nullopt;
  if (recipe.ToId() != id) return std::nullopt;  // each recipe has one id
  return recipe;
}

Fingerprint ComputeFingerprint(const Recipe& recipe, const FingerprintInput& input,
                               std::string* digests) {
  std::string canonical;
  BodyMode mode = BodyMode::kRaw;
  const std::string_view body = CanonicalBody(recipe, input, canonical, mode);

  std::string parts;
  parts.reserve(512);
  AppendPart(input.route, parts);
  AppendPart(input.client, parts);
  AppendPart(input.method, parts);
  AppendPart(input.target, parts);
  AppendLength(recipe.headers.size(), parts);
  for (const std::string& name : recipe.headers) AppendField(*input.fields, name, parts);
  AppendPart(ModeWord(mode), parts);
  AppendLength(body.size(), parts);

  thread_local Sha256 sha;
  sha.Add(parts);
  sha.Add(body);
  if (digests != nullptr) *digests = PartDigests(recipe, input, ModeWord(mode), body);
  return sha.Finish();
}

}  // namespace idem::idempotency
