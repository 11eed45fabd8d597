#include "proxy/telemetry/access_line.h"

#include <charconv>
#include <chrono>

#include "proxy/base/json_writer.h"

namespace idem::telemetry {

namespace {

std::uint64_t Microseconds(Duration duration) {
  const auto count = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}

void AppendNumber(std::uint64_t number, std::string& to) {
  char digits[20];
  to.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// Member names are constants that need no escape.
class JsonMembers {
 public:
  explicit JsonMembers(std::string& to) : to_(to) { to_.append(R"("event":"request")"); }

  void Text(std::string_view name, std::string_view value) {
    Name(name);
    if (value.empty()) {
      to_.append("null");
    } else {
      AppendJsonString(value, to_);
    }
  }
  void Status(std::string_view name, std::uint16_t status) {
    Name(name);
    if (status == 0) {
      to_.append("null");
    } else {
      AppendNumber(status, to_);
    }
  }
  void Number(std::string_view name, std::uint64_t value) {
    Name(name);
    AppendNumber(value, to_);
  }

 private:
  void Name(std::string_view name) { to_.append(",\"").append(name).append("\":"); }
  std::string& to_;
};

class TextMembers {
 public:
  explicit TextMembers(std::string& to) : to_(to) { to_.append("request"); }

  void Text(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    Name(name);
    AppendJsonString(value, to_);
  }
  void Status(std::string_view name, std::uint16_t status) {
    if (status != 0) Number(name, status);
  }
  void Number(std::string_view name, std::uint64_t value) {
    Name(name);
    AppendNumber(value, to_);
  }

 private:
  void Name(std::string_view name) { to_.append(" ").append(name).append("="); }
  std::string& to_;
};

template <class Members>
void AppendMembers(const AccessLine& line, Members members) {
  members.Text("request_id", line.request_id);
  members.Text("route", line.route);
  members.Text("client", line.client);
  members.Text("method", line.method);
  members.Text("path", line.path);
  members.Status("status", line.status);
  members.Text("decision", DecisionText(line.verdict));
  members.Text("problem", line.problem);
  members.Text("key_hash", line.key_hash);
  members.Text("address", line.address);
  members.Text("upstream_address", line.upstream_address);
  members.Text("protocol", line.protocol);
  members.Number("bytes_in", line.bytes_in);
  members.Number("bytes_out", line.bytes_out);
  members.Number("duration_us", Microseconds(line.total));
  members.Number("auth_us", Microseconds(line.auth));
  members.Number("limit_us", Microseconds(line.limit));
  members.Number("store_us", Microseconds(line.store));
  members.Number("upstream_us", Microseconds(line.upstream));
  members.Status("upstream_status", line.upstream_status);
  if (!line.mismatch_in.empty()) members.Text("mismatch_in", line.mismatch_in);
  if (!line.would.empty()) members.Text("would", line.would);
}

}  // namespace

std::string_view DecisionText(RequestDecision decision) {
  constexpr std::string_view kTexts[kDecisions] = {"executed",    "replayed", "mismatch",
                                                   "in_progress", "unknown",  "reconciled",
                                                   "passed",      "refused",  "failed"};
  return kTexts[static_cast<std::size_t>(decision)];
}

void AppendAccessLine(const AccessLine& line, log::Format format, std::string& to) {
  if (format == log::Format::kJson) {
    AppendMembers(line, JsonMembers(to));
  } else {
    AppendMembers(line, TextMembers(to));
  }
}

}  // namespace idem::telemetry
