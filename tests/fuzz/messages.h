// The parsers' readings as values that oracles compare, and the ways to cut bytes into pieces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/message.h"
#include "proxy/http/parser.h"

namespace idem::fuzz {

using Cuts = std::vector<std::size_t>;  // positions, ascending

/// Returns the ways to cut: not at all; after every byte; and in two. The places for two are all of
/// them if that is cheap, otherwise some that follow from the bytes.
[[nodiscard]] std::vector<Cuts> WaysToCut(std::string_view bytes);

/// Limits that inputs of a kilobyte can reach.
[[nodiscard]] http::ParserLimits LowLimits();

struct ReadRequest {
  http::RequestHead head;
  std::string body;
  bool complete = false;
};

/// The reading of a connection.
struct RequestReading {
  std::vector<ReadRequest> requests;  // the last one may be incomplete
  std::string error;                  // "400 bad-request: ...", or ""
  bool between_requests = false;      // at the end of the bytes

  [[nodiscard]] std::string ToText() const;
};
[[nodiscard]] RequestReading ReadRequests(std::string_view bytes, const Cuts& cuts,
                                          const http::ParserLimits& limits);

/// The reading of the response to one request.
struct ResponseReading {
  std::vector<http::ResponseHead> heads;  // interim ones first
  std::string body;
  bool complete = false;
  bool reusable = false;
  std::string error;

  [[nodiscard]] std::string ToText() const;
};
enum class Then : bool { kOpen, kEnd };  // whether the connection ends after the bytes
[[nodiscard]] ResponseReading ReadResponse(std::string_view method, std::string_view bytes,
                                           Then then, const Cuts& cuts,
                                           const http::ParserLimits& limits);

/// Returns the fields without those that AppendRequestHead and AppendResponseHead write themselves.
[[nodiscard]] http::Fields WithoutFraming(const http::Fields& fields);
[[nodiscard]] std::string FieldsText(const http::Fields& fields);

}  // namespace idem::fuzz
