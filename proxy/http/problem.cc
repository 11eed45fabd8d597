#include "proxy/http/problem.h"

#include <charconv>

#include "proxy/base/json_text.h"

namespace idem::http {

namespace {

void AppendNumber(std::uint16_t value, std::string& to) {
  char digits[8];
  to.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void AppendText(std::string_view name, std::string_view value, std::string& to) {
  if (value.empty()) return;
  to += ",\"";
  to += name;
  to += "\":";
  AppendJsonString(value, to);
}

// "key-missing" reads "Key missing".
std::string TitleOf(std::string_view name) {
  std::string title(name);
  for (char& c : title) {
    if (c == '-') c = ' ';
  }
  if (!title.empty() && title[0] >= 'a' && title[0] <= 'z') {
    title[0] = static_cast<char>(title[0] - 'a' + 'A');
  }
  return title;
}

}  // namespace

void AppendProblem(const Problem& problem, std::string& to) {
  to += "{\"type\":\"urn:idemproxy:problem:";
  to += problem.name;
  to += '"';
  AppendText("title", problem.title.empty() ? TitleOf(problem.name) : problem.title, to);
  to += ",\"status\":";
  AppendNumber(problem.status, to);
  AppendText("detail", problem.detail, to);
  AppendText("request_id", problem.request_id, to);
  AppendText("retry", problem.retry, to);
  if (problem.executed_status) {
    to += ",\"executed_status\":";
    AppendNumber(*problem.executed_status, to);
  }
  to += '}';
}

}  // namespace idem::http
