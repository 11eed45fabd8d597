// The body of an answer that the proxy makes itself: a problem detail in JSON (RFC 9457).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace idem::http {

inline constexpr std::string_view kProblemMediaType = "application/problem+json";

struct Problem {
  std::uint16_t status = 500;
  std::string_view name;    // the NAME of semantics.md: type is `urn:idemproxy:problem:NAME`
  std::string_view title;   // short and the same for every occurrence; if empty, made from `name`
  std::string_view detail;  // what happened here; left out if empty. It never holds a secret.
  std::string_view request_id;  // left out if empty
  std::string_view retry;       // same-key, correct, settle or never; left out if empty
  std::optional<std::uint16_t> executed_status{};  // set only if the response was not kept
  // Set only for a mismatch: the request that holds the key, and the parts that differ from it.
  std::string_view first_state{};               // executing, unknown or completed
  std::optional<std::uint16_t> first_status{};  // completed only
  std::string_view mismatch_in{};               // "body", "path,content-type"
};

/// Appends the JSON object.
void AppendProblem(const Problem& problem, std::string& to);

}  // namespace idem::http
