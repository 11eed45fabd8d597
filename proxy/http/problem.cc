#include "proxy/http/problem.h"

#include "proxy/base/json_writer.h"

namespace idem::http {

namespace {

void AppendMember(std::string_view name, std::string_view value, std::string& to) {
  if (value.empty()) return;
  to.append(",\"").append(name).append("\":");
  AppendJsonString(value, to);
}

void AppendNumberMember(std::string_view name, std::uint16_t value, std::string& to) {
  to.append(",\"").append(name).append("\":").append(std::to_string(value));
}

// Turns "rate-limited" into "Rate limited".
std::string TitleOf(std::string_view name) {
  std::string title(name);
  for (char& c : title) c = c == '-' ? ' ' : c;
  const bool lower = !title.empty() && title.front() >= 'a' && title.front() <= 'z';
  if (lower) title.front() = static_cast<char>(title.front() - 'a' + 'A');
  return title;
}

}  // namespace

void AppendProblem(const Problem& problem, std::string& to) {
  to.append(R"({"type":"urn:idemproxy:problem:)").append(problem.name).append("\"");
  AppendMember("title", problem.title.empty() ? TitleOf(problem.name) : std::string(problem.title),
               to);
  AppendNumberMember("status", problem.status, to);
  AppendMember("detail", problem.detail, to);
  AppendMember("request_id", problem.request_id, to);
  AppendMember("retry", problem.retry, to);
  if (problem.executed_status) AppendNumberMember("executed_status", *problem.executed_status, to);
  AppendMember("first_state", problem.first_state, to);
  if (problem.first_status) AppendNumberMember("first_status", *problem.first_status, to);
  AppendMember("mismatch_in", problem.mismatch_in, to);
  to.push_back('}');
}

}  // namespace idem::http
