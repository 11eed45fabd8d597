#include "proxy/http/chunked_decoder.h"

#include <algorithm>
#include <array>
#include <optional>

#include "proxy/http/characters.h"
#include "proxy/http/fields.h"

namespace idem::http {

namespace {

constexpr ParseError kLineTooLong{400, "bad-request", "a chunk's size line is too long"};
constexpr ParseError kBareLineFeed{400, "bad-request", "a chunk's size line does not end in CR LF"};
constexpr ParseError kBadSize{400, "bad-request", "a chunk's size is not a hexadecimal number"};
constexpr ParseError kSizeOverflow{400, "bad-request", "a chunk's size is too large"};
constexpr ParseError kChunkTooLarge{413, "body-too-large", "a chunk is too large"};
constexpr ParseError kBodyTooLarge{413, "body-too-large",
                                   "the chunks are larger than a body may be"};
constexpr ParseError kBadExtension{400, "bad-request", "a chunk extension is malformed"};
constexpr ParseError kTooManyExtensions{400, "bad-request", "there are too many chunk extensions"};
constexpr ParseError kBadDataEnd{400, "bad-request", "a chunk's data is not followed by CR LF"};
constexpr ParseError kBadTrailer{400, "bad-request", "a trailer line is malformed"};
constexpr ParseError kForbiddenTrailer{400, "bad-request",
                                       "a trailer names a field that frames or routes a message"};

std::uint64_t HexValue(char c) {
  if (Is(c, kDecimalDigit)) return static_cast<std::uint64_t>(c - '0');
  return static_cast<std::uint64_t>((c | 0x20) - 'a' + 10);
}

// Parses one chunk-ext, which is *( BWS ";" BWS name [ BWS "=" BWS value ] ) (section 7.1.1).
class ExtensionReader {
 public:
  explicit ExtensionReader(std::string_view text) : rest_(text) {}

  bool ReadAll() {
    while (!rest_.empty()) {
      SkipBlanks();
      if (!Skip(';')) return false;
      SkipBlanks();
      if (!SkipToken()) return false;
      const std::string_view after_name = rest_;
      SkipBlanks();
      if (!Skip('=')) {
        rest_ = after_name;  // these blanks precede the next ';', or are an error
        continue;
      }
      SkipBlanks();
      if (!SkipToken() && !SkipQuotedString()) return false;
    }
    return true;
  }

 private:
  void SkipBlanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) {
      rest_.remove_prefix(1);
    }
  }
  bool Skip(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool SkipToken() {
    const std::size_t before = rest_.size();
    while (!rest_.empty() && Is(rest_.front(), kTokenChar)) rest_.remove_prefix(1);
    return rest_.size() < before;
  }
  bool SkipQuotedString() {  // RFC 9110, section 5.6.4
    if (!Skip('"')) return false;
    while (!rest_.empty() && Is(rest_.front(), kFieldChar)) {
      const bool escape = rest_.front() == '\\';
      if (Skip('"')) return true;
      rest_.remove_prefix(1);
      if (!escape) continue;
      if (rest_.empty() || !Is(rest_.front(), kFieldChar)) return false;
      rest_.remove_prefix(1);
    }
    return false;
  }

  std::string_view rest_;
};

bool IsForbiddenTrailer(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kForbidden = {
      "Content-Length", "Transfer-Encoding", "Host",  "Connection", "TE",
      "Trailer",        "Upgrade",           "Expect"};
  return std::ranges::any_of(
      kForbidden, [&](std::string_view forbidden) { return EqualsIgnoreCase(name, forbidden); });
}

const ParseError* CheckTrailerLine(std::string_view line, ForbiddenTrailers forbidden) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !IsToken(line.substr(0, colon)) ||
      !AllAre(line.substr(colon + 1), kFieldChar)) {
    return &kBadTrailer;
  }
  const bool refuse =
      forbidden == ForbiddenTrailers::kRefuse && IsForbiddenTrailer(line.substr(0, colon));
  return refuse ? &kForbiddenTrailer : nullptr;
}

// `section` comes from a SectionScanner: every line ends in CR LF, and the last one is empty.
const ParseError* CheckTrailers(std::string_view section, ForbiddenTrailers forbidden) {
  for (;;) {
    const std::string_view line = section.substr(0, section.find('\n') - 1);
    if (line.empty()) return nullptr;
    if (const auto* error = CheckTrailerLine(line, forbidden)) return error;
    section.remove_prefix(line.size() + 2);
  }
}

}  // namespace

void ChunkedDecoder::Begin(ForbiddenTrailers forbidden_trailers) {
  state_ = State::kSizeLine;
  forbidden_trailers_ = forbidden_trailers;
  data_left_ = 0;
  data_max_ = kNoLimit;
  data_announced_ = 0;
  extension_bytes_ = 0;
}

ChunkedDecoder::Step ChunkedDecoder::Next(std::string_view bytes, const ParserLimits& limits) {
  Step step;
  for (bool go_on = true; go_on;) {
    const std::string_view rest = bytes.substr(step.consumed);
    switch (state_) {
      case State::kSizeLine:
        go_on = ReadSizeLine(rest, limits, step);
        break;
      case State::kData:
        go_on = ReadData(rest, step);
        break;
      case State::kDataEnd:
        go_on = ReadDataEnd(rest, step);
        break;
      case State::kTrailers:
        go_on = ReadTrailers(rest, limits, step);
        break;
    }
  }
  return step;
}

bool ChunkedDecoder::ReadSizeLine(std::string_view bytes, const ParserLimits& limits, Step& step) {
  const std::size_t line_feed = bytes.substr(0, limits.chunk_line_bytes + 2).find('\n');
  if (line_feed == std::string_view::npos) {
    if (bytes.size() >= limits.chunk_line_bytes + 2) step.error = &kLineTooLong;
    return false;
  }
  std::string_view line = bytes.substr(0, line_feed);
  if (line.empty() || line.back() != '\r') {
    step.error = &kBareLineFeed;
    return false;
  }
  line.remove_suffix(1);
  step.error = TakeSizeLine(line, limits);
  step.consumed += line_feed + 1;
  return step.error == nullptr;
}

const ParseError* ChunkedDecoder::TakeSizeLine(std::string_view line, const ParserLimits& limits) {
  const auto* const digits_end =
      std::ranges::find_if_not(line, [](char c) { return Is(c, kHexDigit); });
  if (digits_end == line.begin()) return &kBadSize;
  std::uint64_t size = 0;
  for (const char* digit = line.begin(); digit != digits_end; ++digit) {
    if (size >> 60 != 0) return &kSizeOverflow;
    size = size * 16 + HexValue(*digit);
  }
  const std::string_view extensions(digits_end, static_cast<std::size_t>(line.end() - digits_end));
  if (size > limits.chunk_bytes) return &kChunkTooLarge;
  if (size > data_max_ - data_announced_) return &kBodyTooLarge;
  if (!ExtensionReader(extensions).ReadAll()) return &kBadExtension;
  extension_bytes_ += extensions.size();
  if (extension_bytes_ > limits.chunk_extension_bytes) return &kTooManyExtensions;

  data_left_ = size;
  data_announced_ += size;
  state_ = size == 0 ? State::kTrailers : State::kData;
  if (size == 0) trailers_.Begin(SectionScanner::StartLine::kNone);
  return nullptr;
}

bool ChunkedDecoder::ReadData(std::string_view bytes, Step& step) {
  const std::uint64_t taken = std::min<std::uint64_t>(bytes.size(), data_left_);
  step.data = bytes.substr(0, static_cast<std::size_t>(taken));
  step.consumed += step.data.size();
  data_left_ -= taken;
  if (data_left_ == 0) state_ = State::kDataEnd;
  return false;
}

bool ChunkedDecoder::ReadDataEnd(std::string_view bytes, Step& step) {
  constexpr std::string_view kLineEnd = "\r\n";
  const std::string_view seen = bytes.substr(0, kLineEnd.size());
  if (seen != kLineEnd.substr(0, seen.size())) {
    step.error = &kBadDataEnd;
    return false;
  }
  if (seen.size() < kLineEnd.size()) return false;
  step.consumed += kLineEnd.size();
  state_ = State::kSizeLine;
  return true;
}

bool ChunkedDecoder::ReadTrailers(std::string_view bytes, const ParserLimits& limits, Step& step) {
  const auto progress = trailers_.Scan(
      bytes, {.fields_bytes = limits.trailer_bytes, .fields_count = limits.header_count});
  step.error = progress.error;
  if (progress.section_bytes == 0) return false;
  step.consumed += progress.section_bytes;
  step.error = CheckTrailers(bytes.substr(0, progress.section_bytes), forbidden_trailers_);
  step.ended = step.error == nullptr;
  return false;
}

}  // namespace idem::http
