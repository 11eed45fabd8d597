#include "proxy/http/head_writer.h"

#include <charconv>
#include <chrono>
#include <cstring>
#include <ctime>

#include "proxy/base/invariant.h"

namespace idem::http {

namespace {

// Returns whether `text` has a byte below 0x0e (NUL, LF and CR among them). It reads eight bytes at
// a time, because every byte of every head passes here.
bool HoldsLowByte(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  std::uint64_t low = 0;
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, sizeof word);
    low |= (word - kOnes * 0x0e) & ~word & (kOnes * 0x80);
  }
  for (; i < text.size(); ++i) low |= static_cast<std::uint8_t>(text[i]) < 0x0e ? 1 : 0;
  return low != 0;
}

bool MayBeWritten(std::string_view text) {
  if (!HoldsLowByte(text)) return true;
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

void AppendChecked(std::string_view text, std::string& to) {
  INVARIANT(MayBeWritten(text));
  to.append(text);
}

void AppendNumber(std::uint64_t number, int base, std::string& to) {
  char digits[20];
  auto* const end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
  to.append(digits, end);
}

void AppendFields(const Fields& fields, std::string& to) {
  for (const FieldLine line : fields) {
    AppendChecked(line.name, to);
    to.append(": ");
    AppendChecked(line.value, to);
    to.append("\r\n");
  }
}

void AppendContentLength(std::uint64_t bytes, std::string& to) {
  to.append("Content-Length: ");
  AppendNumber(bytes, 10, to);
  to.append("\r\n");
}

constexpr std::string_view kChunkedLine = "Transfer-Encoding: chunked\r\n";
constexpr std::string_view kCloseLine = "Connection: close\r\n";

void AppendResponseFraming(std::uint16_t status, const ResponseTerms& terms, std::string& to) {
  if (status / 100 == 1 || status == 204) return;  // RFC 9112, section 6.2
  if (terms.body.kind == BodyLength::Kind::kKnown) AppendContentLength(terms.body.bytes, to);
  if (terms.body.kind != BodyLength::Kind::kChunked) return;
  INVARIANT(terms.to_version == Version::kHttp11);  // RFC 9112, section 6.1
  to.append(kChunkedLine);
}

}  // namespace

void AppendRequestHead(const RequestHead& head, std::string& to) {
  INVARIANT(head.body.kind != BodyLength::Kind::kUntilClose);  // such a request would have no end
  AppendChecked(head.method, to);
  to.push_back(' ');
  AppendChecked(head.target, to);
  to.append(head.version == Version::kHttp11 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
  AppendFields(head.fields, to);
  switch (head.body.kind) {
    case BodyLength::Kind::kNone:
      break;
    case BodyLength::Kind::kKnown:
      AppendContentLength(head.body.bytes, to);
      break;
    case BodyLength::Kind::kChunked:
      INVARIANT(head.version == Version::kHttp11);
      to.append(kChunkedLine);
      break;
    case BodyLength::Kind::kUntilClose:
      break;
  }
  if (!head.keep_alive) to.append(kCloseLine);
  to.append("\r\n");
}

void AppendResponseHead(const ResponseHead& head, Version to_version, std::string& to) {
  const ResponseTerms terms{.to_version = to_version,
                            .body = head.body,
                            .keep_alive = head.keep_alive,
                            .add_date = false};
  AppendResponseHead(head, terms, to);
}

void AppendResponseHead(const ResponseHead& head, const ResponseTerms& terms, std::string& to) {
  INVARIANT(head.status >= 100 && head.status <= 599);
  to.append("HTTP/1.1 ");
  AppendNumber(head.status, 10, to);
  to.push_back(' ');
  AppendChecked(head.reason.empty() ? ReasonPhrase(head.status) : std::string_view(head.reason),
                to);
  to.append("\r\n");
  AppendFields(head.fields, to);
  if (terms.add_date && !head.fields.Find("Date")) {
    to.append("Date: ").append(HttpDateNow()).append("\r\n");
  }
  AppendResponseFraming(head.status, terms, to);
  const bool interim = head.status / 100 == 1;
  if (!interim && (!terms.keep_alive || terms.body.kind == BodyLength::Kind::kUntilClose)) {
    to.append(kCloseLine);
  } else if (!interim && terms.to_version == Version::kHttp10) {  // RFC 9112, section 9.3
    to.append("Connection: keep-alive\r\n");
  }
  to.append("\r\n");
}

void AppendChunk(std::string_view data, std::string& to) {
  INVARIANT(!data.empty());
  AppendNumber(data.size(), 16, to);
  to.append("\r\n").append(data).append("\r\n");
}

std::string_view HttpDateNow() {
  struct Rendered {
    std::time_t second = -1;
    char text[32] = {};
    std::size_t size = 0;
  };
  thread_local Rendered rendered;
  const std::time_t now = std::time(nullptr);
  if (now != rendered.second) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    rendered.second = now;
    // The program sets no locale, so day and month names are English (RFC 9110, section 5.6.7).
    rendered.size =
        std::strftime(rendered.text, sizeof rendered.text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  }
  return {rendered.text, rendered.size};
}

}  // namespace idem::http
