#include "proxy/http/head_parser.h"

#include <limits>

#include <boost/beast/core/error.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "proxy/http/characters.h"
#include "proxy/http/target.h"

namespace idem::http {

namespace {

namespace beast = boost::beast;
using BeastField = beast::http::field;

constexpr ParseError kBadMethod{400, "bad-request", "the method is not a token"};
constexpr ParseError kBadTarget{400, "bad-request", "the request target is malformed"};
constexpr ParseError kBadVersion{400, "bad-request", "the version is not HTTP/1.0 or HTTP/1.1"};
constexpr ParseError kBadStatus{400, "bad-request", "the status code is malformed"};
constexpr ParseError kBadFieldName{400, "bad-request", "a field name is malformed"};
constexpr ParseError kBadFieldValue{400, "bad-request", "a field value holds a control character"};
constexpr ParseError kBadConnection{400, "bad-request", "Connection is not a list of tokens"};
constexpr ParseError kBadLength{400, "bad-request", "Content-Length is not one decimal number"};
constexpr ParseError kLengthTooLong{400, "bad-request", "Content-Length is 2^63 or more"};
constexpr ParseError kLengthAndCoding{400, "bad-request",
                                      "both Content-Length and Transfer-Encoding"};
constexpr ParseError kBadCoding{400, "bad-request", "Transfer-Encoding is not one `chunked`"};
constexpr ParseError kCodingInHttp10{400, "bad-request", "Transfer-Encoding in HTTP/1.0"};
constexpr ParseError kOtherCoding{501, "not-implemented", "a transfer coding other than `chunked`"};
constexpr ParseError kHostCount{400, "bad-request", "there is not exactly one Host"};
constexpr ParseError kBadHost{400, "bad-request", "Host is malformed"};
constexpr ParseError kExpectation{417, "expectation-failed",
                                  "an expectation other than `100-continue`"};
constexpr ParseError kSwitching{400, "bad-request", "a switch of protocols that was not requested"};
constexpr ParseError kMalformed{400, "bad-request", "the header section is malformed"};

// One field that the rules below need, recorded while the lines are read.
struct FieldOccurrence {
  std::size_t count = 0;
  std::size_t last = 0;  // index into the fields

  [[nodiscard]] std::string_view value(const Fields& fields) const { return fields[last].value; }
};
struct HeadFacts {
  FieldOccurrence host, content_length, transfer_encoding, connection, expect;

  FieldOccurrence* Of(BeastField field) {
    switch (field) {
      case BeastField::host:
        return &host;
      case BeastField::content_length:
        return &content_length;
      case BeastField::transfer_encoding:
        return &transfer_encoding;
      case BeastField::connection:
        return &connection;
      case BeastField::expect:
        return &expect;
      default:
        return nullptr;
    }
  }
};

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

// Beast's parser for one head: with skip(true) a message is complete at the end of its head. The
// body callbacks are pure virtual and never called.
template <bool kIsRequest>
class BeastHeadBase : public beast::http::basic_parser<kIsRequest> {
 public:
  BeastHeadBase() {
    this->skip(true);
    this->body_limit(boost::none);
    this->header_limit(std::numeric_limits<std::uint32_t>::max());
  }

  const ParseError* Parse(std::string_view section, Fields& fields) {
    constexpr std::size_t kUsualLines = 16;
    fields.Reserve(section.size(), kUsualLines);  // the owner may have moved the previous list away
    fields_ = &fields;
    beast::error_code error;
    const std::size_t consumed =
        this->put(boost::asio::const_buffer(section.data(), section.size()), error);
    if (error) return Translate(error);
    return this->is_done() && consumed == section.size() ? nullptr : &kMalformed;
  }

  HeadFacts noticed;

 protected:
  void on_field_impl(BeastField field, beast::string_view name, beast::string_view value,
                     beast::error_code& /*error*/) override {
    if (FieldOccurrence* line = noticed.Of(field)) {
      ++line->count;
      line->last = fields_->size();
    }
    fields_->Add(View(name), View(value));
  }
  void on_header_impl(beast::error_code& /*error*/) override {}
  void on_finish_impl(beast::error_code& /*error*/) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                         beast::error_code& /*error*/) override {}
  std::size_t on_body_impl(beast::string_view body, beast::error_code& /*error*/) override {
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t /*size*/, beast::string_view /*extensions*/,
                            beast::error_code& /*error*/) override {}
  std::size_t on_chunk_body_impl(std::uint64_t /*left*/, beast::string_view body,
                                 beast::error_code& /*error*/) override {
    return body.size();
  }

 private:
  const ParseError* Translate(const beast::error_code& error) const {
    using Code = beast::http::error;
    switch (static_cast<Code>(error.value())) {
      case Code::bad_method:
        return &kBadMethod;
      case Code::bad_target:
        return &kBadTarget;
      case Code::bad_version:
        return &kBadVersion;
      case Code::bad_status:
        return &kBadStatus;
      case Code::bad_field:
        return &kBadFieldName;
      case Code::bad_value:
      case Code::bad_reason:
        return noticed.connection.count == 0 ? &kBadFieldValue : &kBadConnection;
      case Code::bad_content_length:
        return noticed.transfer_encoding.count == 0 ? &kBadLength : &kLengthAndCoding;
      case Code::bad_transfer_encoding:
        return noticed.content_length.count == 0 ? &kBadCoding : &kLengthAndCoding;
      default:
        return &kMalformed;
    }
  }

  Fields* fields_ = nullptr;
};

Version ToVersion(int version) { return version == 11 ? Version::kHttp11 : Version::kHttp10; }

class BeastRequestHead final : public BeastHeadBase<true> {
 public:
  explicit BeastRequestHead(RequestHead& head) : head_(head) {}

 private:
  void on_request_impl(beast::http::verb /*verb*/, beast::string_view method,
                       beast::string_view target, int version,
                       beast::error_code& /*error*/) override {
    head_.method.assign(method.data(), method.size());
    head_.target.assign(target.data(), target.size());
    head_.version = ToVersion(version);
  }
  void on_response_impl(int /*status*/, beast::string_view /*reason*/, int /*version*/,
                        beast::error_code& /*error*/) override {}

  RequestHead& head_;
};

class BeastResponseHead final : public BeastHeadBase<false> {
 public:
  explicit BeastResponseHead(ResponseHead& head) : head_(head) {}

 private:
  void on_request_impl(beast::http::verb /*verb*/, beast::string_view /*method*/,
                       beast::string_view /*target*/, int /*version*/,
                       beast::error_code& /*error*/) override {}
  void on_response_impl(int status, beast::string_view reason, int version,
                        beast::error_code& /*error*/) override {
    head_.status = static_cast<std::uint16_t>(status);
    head_.reason.assign(reason.data(), reason.size());
    head_.version = ToVersion(version);
  }

  ResponseHead& head_;
};

// Refuses every Transfer-Encoding except exactly one `chunked`. An unambiguous coding that is not
// implemented gets 501. The others (a `chunked` that is not last, is repeated, or is disguised) are
// used to smuggle requests (RFC 9112, sections 6.1 and 6.3, item 4).
const ParseError* RefuseCoding(const FieldOccurrence& line, std::string_view value) {
  if (line.count != 1) return &kBadCoding;
  bool well_formed = true;
  bool chunked_seen = false;
  for (;;) {
    const std::size_t comma = value.find(',');
    std::string_view member = value.substr(0, comma);
    while (!member.empty() && (member.front() == ' ' || member.front() == '\t')) {
      member.remove_prefix(1);
    }
    while (!member.empty() && (member.back() == ' ' || member.back() == '\t')) {
      member.remove_suffix(1);
    }
    well_formed = well_formed && IsToken(member) && !chunked_seen;
    chunked_seen = EqualsIgnoreCase(member, "chunked");
    if (comma == std::string_view::npos) break;
    value.remove_prefix(comma + 1);
  }
  return well_formed ? &kOtherCoding : &kBadCoding;
}

// Reads the framing of the message from its fields (RFC 9112, section 6.3, items 3 to 6). kNone
// means that no field frames it. `beast` has checked Content-Length for overflow.
template <class BeastHead>
const ParseError* ReadFraming(const BeastHead& beast, Version version, const Fields& fields,
                              BodyLength& body) {
  const HeadFacts& noticed = beast.noticed;
  body = {};
  if (noticed.transfer_encoding.count > 0) {
    if (version == Version::kHttp10) return &kCodingInHttp10;
    if (noticed.content_length.count > 0) return &kLengthAndCoding;
    const std::string_view coding = noticed.transfer_encoding.value(fields);
    if (noticed.transfer_encoding.count != 1 || !EqualsIgnoreCase(coding, "chunked")) {
      return RefuseCoding(noticed.transfer_encoding, coding);
    }
    body.kind = BodyLength::Kind::kChunked;
  } else if (noticed.content_length.count > 0) {
    const std::string_view digits = noticed.content_length.value(fields);
    if (noticed.content_length.count != 1 || !AllAre(digits, kDecimalDigit)) return &kBadLength;
    body = BodyLength::Known(*beast.content_length());
  }
  return nullptr;
}

// RFC 9112, section 9.3.
bool ReadKeepAlive(const HeadFacts& noticed, Version version, const Fields& fields) {
  if (noticed.connection.count == 0) return version == Version::kHttp11;
  if (fields.HasToken("Connection", "close")) return false;
  return version == Version::kHttp11 || fields.HasToken("Connection", "keep-alive");
}

// Requires exactly one Host (RFC 9112, section 3.2). An HTTP/1.0 request may omit it.
const ParseError* CheckHost(const FieldOccurrence& host, const RequestHead& head) {
  if (host.count == 0 && head.version == Version::kHttp10) return nullptr;
  if (host.count != 1) return &kHostCount;
  return IsHostAndPort(host.value(head.fields)) ? nullptr : &kBadHost;
}

// Reduces absolute-form to origin-form, its authority replacing Host (RFC 9112, section 3.2.2).
const ParseError* ReadTarget(RequestHead& head) {
  Target target;
  if (const auto* error = ParseTarget(head.method, head.target, target)) return error;
  if (!target.absolute) return nullptr;
  head.fields.Set("Host", target.authority);
  const bool whole_server = head.method == "OPTIONS" && target.resource.empty();  // section 3.2.4
  head.target.erase(0, head.target.size() - target.resource.size());
  if (whole_server) {
    head.target = "*";
  } else if (head.target.empty() || head.target.front() == '?') {
    head.target.insert(0, 1, '/');
  }
  return nullptr;
}

// Reads Expect, which is a list; an empty list expects nothing (RFC 9110, section 10.1.1). An
// HTTP/1.0 client cannot wait for a 100.
const ParseError* ReadExpectations(const FieldOccurrence& expect, RequestHead& head) {
  head.expects_continue = false;
  if (expect.count == 0) return nullptr;
  bool other = false;
  bool continues = false;
  for (const FieldLine line : head.fields) {
    if (!EqualsIgnoreCase(line.name, "Expect")) continue;
    ForEachToken(line.value, [&](std::string_view member) {
      (EqualsIgnoreCase(member, "100-continue") ? continues : other) = true;
    });
  }
  if (other) return &kExpectation;
  head.expects_continue = continues && head.version == Version::kHttp11;
  return nullptr;
}

}  // namespace

const ParseError* ParseRequestHead(std::string_view section, RequestHead& head) {
  head.Clear();
  BeastRequestHead beast(head);
  if (const auto* error = beast.Parse(section, head.fields)) return error;
  const HeadFacts& noticed = beast.noticed;
  head.keep_alive = ReadKeepAlive(noticed, head.version, head.fields);
  if (const auto* error = ReadFraming(beast, head.version, head.fields, head.body)) return error;
  if (const auto* error = CheckHost(noticed.host, head)) return error;
  if (const auto* error = ReadExpectations(noticed.expect, head)) return error;
  return ReadTarget(head);
}

const ParseError* ParseResponseHead(std::string_view section, std::string_view request_method,
                                    ResponseHead& head) {
  head.Clear();
  BeastResponseHead beast(head);
  if (const auto* error = beast.Parse(section, head.fields)) return error;
  if (head.status < 100 || head.status > 599) return &kBadStatus;  // RFC 9110, section 15
  if (head.status == 101) return &kSwitching;
  head.keep_alive = ReadKeepAlive(beast.noticed, head.version, head.fields);
  if (const auto* error = ReadFraming(beast, head.version, head.fields, head.body)) return error;
  // Many clients use 63-bit lengths. The limit for a request is far lower.
  if (head.body.bytes > std::numeric_limits<std::int64_t>::max()) return &kLengthTooLong;
  if (HasNoBody(request_method, head.status)) {
    head.body = {};
  } else if (head.body.kind == BodyLength::Kind::kNone) {
    head.body.kind = BodyLength::Kind::kUntilClose;
  }
  return nullptr;
}

}  // namespace idem::http
