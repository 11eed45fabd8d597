// The command `records`: an operator's way to the records of a running proxy, through its admin
// listener (docs/operating.md, "An unknown outcome").
#pragma once

#include <iosfwd>
#include <string>

#include "proxy/base/exit_code.h"

namespace idem::cli {

/// What was asked on the command line; "" for what was not given.
struct RecordsArguments {
  enum class Action : std::uint8_t { kList, kShow, kRelease, kResolve };
  Action action = Action::kList;
  std::string config_path;  // whose `admin` says where to ask, and with which token
  std::string admin;        // instead: its address
  bool json = false;        // the answer as the API gives it, for programs

  // kList: which.
  std::string state;
  std::string min_age;
  std::string route;
  std::string client;
  std::uint64_t limit = 1000;

  // All others: which one.
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

/// kExitRefused: it cannot be asked, there is no such record, or it may not be settled now. What is
/// wrong goes to `errors`.
ExitCode Records(const RecordsArguments& question, std::ostream& out, std::ostream& errors);

}  // namespace idem::cli
