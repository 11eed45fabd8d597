#include "proxy/idempotency/record_codec.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "proxy/base/hex.h"
#include "proxy/base/invariant.h"
#include "proxy/http/percent_encoding.h"
#include "proxy/idempotency/fingerprint/part_digests.h"

namespace idem::idempotency {

namespace {

constexpr std::string_view kMagic = "idemproxy/1";
constexpr std::string_view kStateWords[] = {"executing", "completed", "unknown"};
constexpr std::uint16_t kStatusMin = 200;
constexpr std::uint16_t kStatusMax = 599;
constexpr std::size_t kHeaderLineGuess = 384;

// --- the valid values: Encode() states them as invariants, Decode() refuses all others ---

bool IsVisible(char c) { return c >= '!' && c <= '~'; }

bool IsWord(std::string_view word) { return !word.empty() && std::ranges::all_of(word, IsVisible); }

bool IsFieldName(std::string_view name) {
  return IsWord(name) && name.find(':') == std::string_view::npos;
}

bool IsFieldValue(std::string_view value) {
  const auto stays_in_line = [](char c) { return c != '\r' && c != '\n' && c != '\0'; };
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  if (!value.empty() && (is_blank(value.front()) || is_blank(value.back()))) return false;
  return std::ranges::all_of(value, stays_in_line);
}

bool IsConsistent(const StoredResponse& response) {
  return response.status >= kStatusMin && response.status <= kStatusMax &&
         (response.body_kept || response.body.empty());
}

// --- writing ---

void AppendNumber(std::uint64_t number, std::string& to) {
  char digits[20];
  to.push_back(' ');
  to.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void AppendCount(std::int64_t count, std::string& to) {
  INVARIANT(count >= 0);
  AppendNumber(static_cast<std::uint64_t>(count), to);
}

void AppendTime(StoreTime time, std::string& to) {
  AppendCount(time.time_since_epoch().count(), to);
}

// "-" stands for an empty text, so a text that consists of one dash is written as %2D.
void AppendText(std::string_view text, std::string& to) {
  to.push_back(' ');
  if (text.empty()) {
    to.push_back('-');
  } else {
    http::AppendPercentEncoded(text, text == "-" ? "-" : "", to);
  }
}

void AppendStateAndTimes(const Record& record, std::string& to) {
  to.append(kMagic).push_back(' ');
  to.append(kStateWords[static_cast<std::size_t>(record.state)]).push_back(' ');
  AppendHex(record.claim.token.bytes, to);
  AppendTime(record.lease_ends_at, to);
  AppendTime(record.begun_at, to);
  AppendTime(record.expires_at, to);
  to.push_back(' ');
}

void AppendTerms(const Claim& claim, std::string& to) {
  AppendHex(claim.fingerprint, to);
  INVARIANT(IsWord(claim.recipe));
  to.push_back(' ');
  to.append(claim.recipe);
  AppendNumber(claim.upstream_idempotent ? 1 : 0, to);
  AppendCount(claim.lease.count(), to);
  AppendCount(claim.unknown_ttl.count(), to);
  AppendText(claim.route, to);
  AppendText(claim.client, to);
}

std::size_t HeadBytes(const http::Fields& fields) {
  std::size_t bytes = 2;
  for (const http::FieldLine line : fields) bytes += line.name.size() + line.value.size() + 4;
  return bytes;
}

void AppendHead(const http::Fields& fields, std::string& to) {
  for (const http::FieldLine line : fields) {
    INVARIANT(IsFieldName(line.name) && IsFieldValue(line.value));
    to.append(line.name).append(": ").append(line.value).append("\r\n");
  }
  to.append("\r\n");
}

std::size_t ResponseBytes(const Record& record) {
  return record.response ? HeadBytes(record.response->fields) + record.response->body.size() : 0;
}

void AppendRest(const Record& record, std::string& to) {
  const bool completed = record.state == RecordState::kCompleted;
  INVARIANT(completed == (record.response != nullptr));
  INVARIANT(!completed || IsConsistent(*record.response));
  AppendTerms(record.claim, to);
  AppendNumber(completed ? record.response->status : 0, to);
  AppendNumber(completed && record.response->body_kept ? 1 : 0, to);
  AppendNumber(completed ? HeadBytes(record.response->fields) : 0, to);
  AppendNumber(completed ? record.response->body.size() : 0, to);
  if (!record.claim.part_digests.empty()) {
    INVARIANT(ArePartDigests(record.claim.part_digests));
    to.append(" ").append(record.claim.part_digests);
  }
  to.push_back('\n');
  if (completed) {
    AppendHead(record.response->fields, to);
    to.append(record.response->body);
  }
}

// --- reading ---

// Reads the words of the header line one after another. After a word that Encode() cannot have
// written, failed() is true and the values that it returns mean nothing.
class HeaderLine {
 public:
  explicit HeaderLine(std::string_view line) : rest_(line) {}

  std::string_view Word() {
    if (done_) return Fail(), std::string_view();
    const std::size_t blank = rest_.find(' ');
    const std::string_view word = rest_.substr(0, blank);
    done_ = blank == std::string_view::npos;
    rest_.remove_prefix(done_ ? rest_.size() : blank + 1);
    if (!IsWord(word)) Fail();
    return word;
  }

  std::uint64_t Number(std::uint64_t most) {
    const std::string_view word = Word();
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    const bool whole = error == std::errc() && end == word.data() + word.size();
    const bool leading_zero = word.size() > 1 && word.front() == '0';
    if (!whole || leading_zero || number > most) return Fail(), 0;
    return number;
  }

  Milliseconds Millis() {
    return Milliseconds(
        static_cast<std::int64_t>(Number(std::numeric_limits<std::int64_t>::max())));
  }

  bool Flag() { return Number(1) == 1; }

  void Hex(std::span<std::uint8_t> bytes) {
    const std::string_view word = Word();
    for (const char c : word) {
      if (c >= 'A' && c <= 'F') Fail();
    }
    if (!FromHex(word, bytes)) Fail();
  }

  std::string Text() {
    const std::string_view word = Word();
    std::string text;
    if (word == "-") return text;
    if (!http::AppendPercentDecoded(word, word == "%2D" ? "-" : "", text)) Fail();
    return text;
  }

  RecordState State() {
    const std::string_view word = Word();
    for (const RecordState state :
         {RecordState::kExecuting, RecordState::kCompleted, RecordState::kUnknown}) {
      if (word == kStateWords[static_cast<std::size_t>(state)]) return state;
    }
    return Fail(), RecordState::kUnknown;
  }

  // Returns the word that may stand last, or "" without it.
  std::string PartDigests() {
    if (done_) return {};
    const std::string_view word = Word();
    if (!ArePartDigests(word)) Fail();
    return std::string(word);
  }

  void Fail() { failed_ = true; }
  [[nodiscard]] bool failed() const { return failed_ || !done_; }

 private:
  std::string_view rest_;
  bool done_ = false;
  bool failed_ = false;
};

// Reads the field lines of `head`, which ends with an empty line.
bool ReadHead(std::string_view head, http::Fields& fields) {
  while (head != "\r\n") {
    const std::size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    const std::size_t colon = line.find(": ");
    if (end == std::string_view::npos || colon == std::string_view::npos) return false;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = line.substr(colon + 2);
    if (!IsFieldName(name) || !IsFieldValue(value)) return false;
    fields.Add(name, value);
    head.remove_prefix(end + 2);
  }
  return true;
}

Error Corrupt(const char* what) {
  return {ErrorCode::kCorrupt, std::string("a stored record cannot be read: ") + what};
}

struct ResponseSizes {
  std::uint64_t status, head_bytes, body_bytes;
  bool kept;
};

Result<StoredResponse> ReadResponse(const ResponseSizes& sizes, std::string_view bytes) {
  StoredResponse response;
  if (sizes.head_bytes > bytes.size() || sizes.body_bytes != bytes.size() - sizes.head_bytes) {
    return Corrupt("its lengths");
  }
  response.status = static_cast<std::uint16_t>(sizes.status);
  response.body_kept = sizes.kept;
  if (!ReadHead(bytes.substr(0, sizes.head_bytes), response.fields)) return Corrupt("its fields");
  response.body = bytes.substr(sizes.head_bytes);
  if (!IsConsistent(response)) return Corrupt("its response");
  return response;
}

}  // namespace

std::string Encode(const Record& record) {
  std::string bytes;
  bytes.reserve(kHeaderLineGuess + ResponseBytes(record));
  AppendStateAndTimes(record, bytes);
  AppendRest(record, bytes);
  return bytes;
}

std::string EncodeRest(const Record& record) {
  std::string bytes;
  bytes.reserve(kHeaderLineGuess + ResponseBytes(record));
  AppendRest(record, bytes);
  return bytes;
}

Result<Record> Decode(std::string_view bytes) {
  const std::size_t line_end = bytes.find('\n');
  if (line_end == std::string_view::npos) return Corrupt("it has no header line");
  HeaderLine line(bytes.substr(0, line_end));
  bytes.remove_prefix(line_end + 1);
  if (line.Word() != kMagic) return Corrupt("it does not begin with idemproxy/1");

  Record record;
  record.state = line.State();
  line.Hex(record.claim.token.bytes);
  record.lease_ends_at = StoreTime(line.Millis());
  record.begun_at = StoreTime(line.Millis());
  record.expires_at = StoreTime(line.Millis());
  line.Hex(record.claim.fingerprint);
  record.claim.recipe = line.Word();
  record.claim.upstream_idempotent = line.Flag();
  record.claim.lease = line.Millis();
  record.claim.unknown_ttl = line.Millis();
  record.claim.route = line.Text();
  record.claim.client = line.Text();
  ResponseSizes sizes{};
  sizes.status = line.Number(kStatusMax);
  sizes.kept = line.Flag();
  sizes.head_bytes = line.Number(bytes.size());
  sizes.body_bytes = line.Number(bytes.size());
  record.claim.part_digests = line.PartDigests();
  if (line.failed()) return Corrupt("its header line");

  if (record.state != RecordState::kCompleted) {
    const bool empty = sizes.status == 0 && !sizes.kept && sizes.head_bytes == 0 && bytes.empty();
    if (!empty) return Corrupt("a response where none can be");
    return record;
  }
  Result<StoredResponse> response = ReadResponse(sizes, bytes);
  if (!response) return response.error();
  record.response = std::make_shared<const StoredResponse>(std::move(*response));
  return record;
}

}  // namespace idem::idempotency
