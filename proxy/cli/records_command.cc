#include "proxy/cli/records_command.h"

#include <algorithm>
#include <chrono>
#include <ostream>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/json.h"
#include "proxy/base/json_writer.h"
#include "proxy/base/quantity_text.h"
#include "proxy/base/utf8.h"
#include "proxy/cli/admin_client.h"
#include "proxy/cli/data_argument.h"
#include "proxy/config/config.h"

namespace idem::cli {

namespace {

using Action = RecordsArguments::Action;
using std::chrono::milliseconds;

Error Invalid(std::string what) { return {ErrorCode::kInvalid, std::move(what)}; }

Result<AdminClient> FindAdmin(const RecordsArguments& question) {
  auto loaded = config::LoadFile(question.config_path, config::ProcessEnvironment());
  if (const auto* mistakes = std::get_if<std::vector<config::ConfigError>>(&loaded)) {
    return Invalid("the configuration has errors; `idemproxy check -c " + question.config_path +
                   "` prints them (the first: " + mistakes->front().ToText() + ")");
  }
  auto& config = std::get<config::Config>(loaded);
  if (!question.admin.empty()) {
    auto endpoint = event::Endpoint::Parse(question.admin);
    if (!endpoint) return Invalid("--admin " + endpoint.error().detail);
    config.admin = std::move(*endpoint);
  }
  if (!config.admin) {
    return Invalid("`admin` is off in " + question.config_path +
                   ": the command needs the admin listener");
  }
  return AdminClient(std::move(*config.admin), std::move(config.admin_token));
}

/// Appends a parameter to the query, unless it is empty.
void AddParameter(std::string_view name, std::string_view value, std::string& target) {
  if (value.empty()) return;
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  target.append(target.find('?') == std::string::npos ? "?" : "&").append(name).append("=");
  for (const char c : value) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '_' || c == '.';
    if (plain) {
      target.push_back(c);
    } else {
      const auto byte = static_cast<std::uint8_t>(c);
      target.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
}

Error NotTheAdminListener(std::uint16_t status) {
  return {ErrorCode::kUnavailable,
          "the address is not the admin listener of this idemproxy version (HTTP " +
              std::to_string(status) + ")"};
}

/// Returns the JSON of the response, or an error if the proxy refused the request.
Result<JsonValue> Read(const Result<AdminResponse>& answer) {
  if (!answer) return answer.error();
  if (answer->status == 401) {
    return Error{ErrorCode::kRefused,
                 "the admin listener does not accept admin.token of this configuration"};
  }
  auto json = JsonValue::Parse(answer->body);
  if (!json) return NotTheAdminListener(answer->status);
  if (answer->status == 200) return json;
  if (!(*json)["error"].text()) return NotTheAdminListener(answer->status);
  return Error{ErrorCode::kRefused,
               std::string((*json)["detail"].text().value_or("the proxy refused the request"))};
}

std::string_view Text(const JsonValue& record, std::string_view name) {
  return record[name].text().value_or("");
}

std::string Length(const JsonValue& record, std::string_view name) {
  const milliseconds length(record[name].whole_number().value_or(0));
  if (length <= milliseconds(0)) return "-";
  // Two digits are precise enough.
  if (length < std::chrono::minutes(2)) {
    return std::to_string(std::chrono::ceil<std::chrono::seconds>(length).count()) + "s";
  }
  if (length < std::chrono::hours(2)) {
    return std::to_string(std::chrono::floor<std::chrono::minutes>(length).count()) + "m";
  }
  if (length < std::chrono::days(2)) {
    return std::to_string(std::chrono::floor<std::chrono::hours>(length).count()) + "h";
  }
  return std::to_string(std::chrono::floor<std::chrono::days>(length).count()) + "d";
}

using Row = std::vector<std::string>;

void PrintTable(const std::vector<Row>& rows, std::ostream& out) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      out << row[i] << std::string(widths[i] - row[i].size() + 2, ' ');
    }
    out << row.back() << '\n';
  }
}

Row RowOf(const JsonValue& record) {
  const auto shown = [&](std::string_view name) {
    const std::string_view text = Text(record, name);
    return std::string(text.empty() ? "-" : text);
  };
  return {
      shown("key_hash"), shown("state"),  Length(record, "age_ms"), Length(record, "lease_left_ms"),
      shown("route"),    shown("client"), shown("token"),           shown("record_key")};
}

/// The records of a list, up to its limit.
struct RecordList {
  std::vector<JsonValue> records;
  bool more = false;  // the limit left out further records
};

Result<std::string> ListTarget(const RecordsArguments& question) {
  std::string min_age_ms;
  if (!question.min_age.empty()) {
    const auto age = ParseDuration(question.min_age);
    if (!age) return Invalid("--min-age " + age.error().detail);
    min_age_ms = std::to_string(age->count());
  }
  std::string target = "/records";
  AddParameter("state", question.state, target);
  AddParameter("min_age_ms", min_age_ms, target);
  AddParameter("route", question.route, target);
  AddParameter("client", question.client, target);
  return target;
}

/// Reads pages until the list is full and it is known whether there are more records.
Result<RecordList> AskList(const std::string& target, std::uint64_t limit,
                           const AdminClient& admin) {
  RecordList listed;
  std::set<std::string, std::less<>> seen;  // two pages may contain the same record
  std::string cursor;
  do {
    std::string page = target;
    AddParameter("cursor", cursor, page);
    auto json = Read(admin.Get(page));
    if (!json) return std::move(json).error();
    for (const JsonValue& record : (*json)["records"].items()) {
      if (!seen.emplace(Text(record, "record_key")).second) continue;
      listed.more = listed.records.size() == limit;
      if (listed.more) return listed;
      listed.records.push_back(record);
    }
    cursor = Text(*json, "cursor");
  } while (!cursor.empty());
  return listed;
}

void AppendRecord(const JsonValue& record, std::string& json) {
  const char* separator = "{";
  for (const auto& [name, value] : record.members()) {
    json += std::exchange(separator, ",");
    AppendJsonString(name, json);
    json += ':';
    if (const auto text = value.text()) AppendJsonString(*text, json);
    if (const auto number = value.whole_number()) json += std::to_string(*number);
    if (const auto flag = value.flag()) json += *flag ? "true" : "false";
  }
  json += '}';
}

/// Prints all pages as one document.
void PrintJson(const RecordList& listed, std::ostream& out) {
  std::string json = "{\"records\":[";
  for (const JsonValue& record : listed.records) {
    if (&record != &listed.records.front()) json += ',';
    AppendRecord(record, json);
  }
  out << json << "],\"more\":" << (listed.more ? "true" : "false") << "}\n";
}

ExitCode List(const RecordsArguments& question, const AdminClient& admin, std::ostream& out,
              std::ostream& errors) {
  const auto fail = [&](const Error& error, ExitCode code) {
    return errors << "idemproxy: " << error.detail << '\n', code;
  };
  const auto target = ListTarget(question);
  if (!target) return fail(target.error(), kExitMistake);
  auto listed = AskList(*target, question.limit, admin);
  if (!listed) return fail(listed.error(), kExitRefused);
  // The oldest record comes first. RFC 3339 times sort as texts.
  std::ranges::stable_sort(listed->records, {},
                           [](const JsonValue& record) { return Text(record, "begun_at"); });
  std::vector<Row> rows = {
      {"KEY_HASH", "STATE", "AGE", "LEASE", "ROUTE", "CLIENT", "TOKEN", "KEY"}};
  for (const JsonValue& record : listed->records) rows.push_back(RowOf(record));
  if (question.json) {
    PrintJson(*listed, out);
  } else if (rows.size() > 1) {
    PrintTable(rows, out);
  } else {
    out << "no records\n";
  }
  if (listed->more) errors << "there are more records; raise --limit to see them\n";
  return kExitOk;
}

/// Returns the record that the arguments name.
Result<JsonValue> Find(const RecordsArguments& question, const AdminClient& admin,
                       std::string& body) {
  std::string cursor;
  do {
    std::string target = "/records";
    AddParameter("key_hash", question.key_hash, target);
    AddParameter("record_key", question.record_key, target);
    AddParameter("cursor", cursor, target);
    auto answer = admin.Get(target);
    auto json = Read(answer);
    if (!json) return json;
    body = std::move(answer->body);
    const auto& records = (*json)["records"].items();
    if (!records.empty()) return records.front();
    cursor = Text(*json, "cursor");
  } while (!cursor.empty());
  return Error{ErrorCode::kRefused, "no such record"};
}

void PrintRecord(const JsonValue& record, std::ostream& out) {
  for (const auto& [name, value] : record.members()) {
    out << name << std::string(name.size() < 20 ? 20 - name.size() : 1, ' ');
    if (const auto text = value.text()) out << (text->empty() ? "-" : *text);
    if (const auto number = value.whole_number()) out << *number;
    if (const auto flag = value.flag()) out << (*flag ? "true" : "false");
    out << '\n';
  }
}

/// Reads the body to record. It must be UTF-8, because it is sent as JSON.
Result<std::string> ReadBody(const std::string& body) {
  constexpr std::size_t kBytesMax = 2 << 20;  // limit of the API
  auto bytes = ReadData(body, kBytesMax);
  if (!bytes) return bytes;
  for (std::string_view rest = *bytes; !rest.empty();) {
    const std::size_t size = Utf8SequenceLength(rest);
    if (size == 0) return Invalid("the body is not UTF-8");
    rest.remove_prefix(size);
  }
  return bytes;
}

void AddMember(std::string_view name, std::string_view text, std::string& json) {
  json.append(json.size() > 1 ? ",\"" : "\"").append(name).append("\":");
  AppendJsonString(text, json);
}

ExitCode Settle(const RecordsArguments& question, const AdminClient& admin, std::ostream& out,
                std::ostream& errors) {
  const auto fail = [&](const Error& error) {
    errors << "idemproxy: " << error.detail << '\n';
    return error.code == ErrorCode::kInvalid ? kExitMistake : kExitRefused;
  };
  const auto content = ReadBody(question.body);
  if (!content) return fail(content.error());
  std::string record_key = question.record_key;
  if (record_key.empty()) {
    std::string ignored;
    const auto record = Find(question, admin, ignored);
    if (!record) return fail(record.error());
    record_key = Text(*record, "record_key");
  }
  const bool resolve = question.action == Action::kResolve;
  std::string json = "{";
  AddMember("record_key", record_key, json);
  AddMember("token", question.token, json);
  AddMember("reason", question.reason, json);
  if (resolve) {
    json += ",\"status\":" + std::to_string(question.status);
    AddMember("body", *content, json);
    AddMember("content_type", question.content_type, json);
  }
  const auto answer = admin.PostJson(resolve ? "/records/resolve" : "/records/release", json + "}");
  const auto read = Read(answer);
  if (question.json && answer) out << answer->body;
  if (!read) return fail(read.error());
  if (!question.json) out << Text(*read, "outcome") << '\n';
  return kExitOk;
}

}  // namespace

ExitCode Records(const RecordsArguments& question, std::ostream& out, std::ostream& errors) {
  const auto admin = FindAdmin(question);
  if (!admin) {
    errors << "idemproxy: " << admin.error().detail << '\n';
    return kExitMistake;
  }
  if (question.action == Action::kList) return List(question, *admin, out, errors);
  if (question.key_hash.empty() == question.record_key.empty()) {
    errors << "idemproxy: name the record by the key_hash from the log, or with --key\n";
    return kExitMistake;
  }
  if (question.action != Action::kShow) return Settle(question, *admin, out, errors);
  std::string body;
  const auto record = Find(question, *admin, body);
  if (!record) {
    errors << "idemproxy: " << record.error().detail << '\n';
    return kExitRefused;
  }
  if (question.json) {
    out << body;
  } else {
    PrintRecord(*record, out);
  }
  return kExitOk;
}

}  // namespace idem::cli
