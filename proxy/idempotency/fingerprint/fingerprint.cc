#include "proxy/idempotency/fingerprint/fingerprint.h"

#include <utility>

#include "proxy/base/invariant.h"
#include "proxy/http/percent_encoding.h"
#include "proxy/idempotency/fingerprint/canonical_json.h"
#include "proxy/idempotency/fingerprint/content_coding.h"
#include "proxy/idempotency/fingerprint/multipart.h"
#include "proxy/idempotency/fingerprint/part_digests.h"

namespace idem::idempotency {

namespace {

// --- the id of a recipe ---

constexpr std::string_view kPlain = "1";
constexpr std::string_view kDecoding = "2";
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

// Takes the part before the next `:`, and the `:` too.
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

// The number of lines precedes them, so that no line and an empty line differ.
void AppendField(const http::Fields& fields, std::string_view name, std::string& to) {
  AppendPart(name, to);
  AppendLength(fields.Count(name), to);
  for (const http::FieldLine line : fields) {
    if (http::EqualsIgnoreCase(line.name, name)) AppendPart(line.value, to);
  }
}

// The body as the fingerprint counts it. `mode` keeps bodies apart that were read in different ways.
class CountedBody {
 public:
  CountedBody(const Recipe& recipe, const FingerprintInput& input) : bytes_(input.body) {
    const bool coded = input.fields->Find("Content-Encoding").has_value();
    const bool plain = !coded || (recipe.decode && Decode(input));
    if (plain && recipe.decode && ReadMultipart(*input.fields)) return;
    const bool json = plain && recipe.body == BodyMode::kJson &&
                      AppendCanonicalJson(bytes_, recipe.ignore, canonical_);
    if (json) bytes_ = canonical_;
    mode_.append(ModeWord(json ? BodyMode::kJson : BodyMode::kRaw));
  }
  CountedBody(const CountedBody&) = delete;
  CountedBody& operator=(const CountedBody&) = delete;

  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  [[nodiscard]] std::string_view mode() const { return mode_; }
  /// The value that Content-Type counts as, or nullopt if it counts as it is.
  [[nodiscard]] const std::optional<std::string>& content_type() const { return content_type_; }

 private:
  bool Decode(const FingerprintInput& input) {
    const auto coding = input.fields->Find("Content-Encoding");
    if (input.fields->Count("Content-Encoding") != 1) return false;
    if (!AppendDecoded(*coding, input.body, decoded_)) return false;
    bytes_ = decoded_;
    mode_ = "decoded+";
    return true;
  }
  bool ReadMultipart(const http::Fields& fields) {
    if (fields.Count("Content-Type") != 1) return false;
    auto type = ReadMultipartType(*fields.Find("Content-Type"));
    if (!type || !AppendParts(type->boundary, bytes_, canonical_)) return canonical_.clear(), false;
    bytes_ = canonical_;
    mode_.append("multipart");
    content_type_ = std::move(type->rest);
    return true;
  }

  std::string decoded_;
  std::string canonical_;
  std::string_view bytes_;
  std::string mode_;
  std::optional<std::string> content_type_;
};

}  // namespace

std::string Recipe::ToId() const {
  std::string id(decode ? kDecoding : kPlain);
  id.push_back(':');
  id.append(ModeWord(body));
  AppendList(headers, id);
  AppendList(ignore, id);
  return id;
}

std::optional<Recipe> Recipe::FromId(std::string_view id) {
  std::string_view rest = id;
  Recipe recipe;
  recipe.decode = TakePart(rest) == kDecoding;
  recipe.body = TakePart(rest) == ModeWord(BodyMode::kJson) ? BodyMode::kJson : BodyMode::kRaw;
  if (!ReadList(TakePart(rest), recipe.headers)) return std::nullopt;
  if (!ReadList(TakePart(rest), recipe.ignore)) return std::nullopt;
  if (recipe.ToId() != id) return std::nullopt;  // each recipe has exactly one id
  return recipe;
}

Fingerprint ComputeFingerprint(const Recipe& recipe, const FingerprintInput& input,
                               std::string* digests) {
  const CountedBody counted(recipe, input);
  const std::string_view body = counted.bytes();
  http::Fields read_fields;
  const http::Fields* fields = input.fields;
  if (counted.content_type()) {
    read_fields = *fields;
    read_fields.Set("Content-Type", *counted.content_type());
    fields = &read_fields;
  }

  std::string parts;
  parts.reserve(512);
  AppendPart(input.route, parts);
  AppendPart(input.client, parts);
  AppendPart(input.method, parts);
  AppendPart(input.target, parts);
  AppendLength(recipe.headers.size(), parts);
  for (const std::string& name : recipe.headers) AppendField(*fields, name, parts);
  AppendPart(counted.mode(), parts);
  AppendLength(body.size(), parts);

  thread_local Sha256 sha;
  sha.Add(parts);
  sha.Add(body);
  if (digests != nullptr) {
    FingerprintInput read = input;
    read.fields = fields;
    *digests = PartDigests(recipe, read, counted.mode(), body);
  }
  return sha.Finish();
}

}  // namespace idem::idempotency
