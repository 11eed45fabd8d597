// The command `records`: finds and settles records of a running proxy through its admin listener
// (docs/operating.md, "An unknown outcome").
#pragma once

#include <iosfwd>
#include <string>

#include "proxy/base/exit_code.h"

namespace idem::cli {

/// Arguments of the command line. An argument that was not given is empty.
struct RecordsArguments {
  enum class Action : std::uint8_t { kList, kShow, kRelease, kResolve };
  Action action = Action::kList;
  std::string config_path;  // its `admin` has the address and the token
  std::string admin;        // address, instead of the one in the configuration
  bool json = false;        // print the JSON of the API

  // kList.
  std::string state;
  std::string min_age;
  std::string route;
  std::string client;
  std::uint64_t limit = 1000;

  // All others.
  std::string key_hash;
  std::string record_key;

  // kRelease, kResolve.
  std::string token;
  std::string reason;
  // kResolve.
  std::uint16_t status = 0;
  std::string body;  // or @FILE
  std::string content_type = "application/json";
};

/// Returns kExitRefused if the proxy is unreachable, if there is no such record, or if the record
/// may not be settled now. Prints the reason to `errors`.
ExitCode Records(const RecordsArguments& question, std::ostream& out, std::ostream& errors);

}  // namespace idem::cli
