// The body of an answer that the proxy makes itself (RFC 9457).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace idem::http {

inline constexpr std::string_view kProblemMediaType = "application/problem+json";

struct Problem {
  std::uint16_t status = 500;
  std::string_view name;        // the NAME of semantics.md: type is `urn:idemproxy:problem:NAME`
  std::string_view title;       // short, the same for every occurrence; "": made from `name`
  std::string_view detail;      // what happened here; "": left out. Never a secret.
  std::string_view request_id;  // "": left out
  std::string_view retry;       // same-key, correct, settle or never; "": left out
  std::optional<std::uint16_t> executed_status{};  // only where the response was not kept
  // Only of a mismatch: the request that holds the key, and what differs from it.
  std::string_view first_state{};               // executing, unknown or completed; "": left out
  std::optional<std::uint16_t> first_status{};  // completed only
  std::string_view mismatch_in{};               // "body", "path,content-type"; "": left out
};

/// Appends the JSON object.
void AppendProblem(const Problem& problem, std::string& to);

}  // namespace idem::http
