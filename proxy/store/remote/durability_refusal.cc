#include "proxy/store/remote/durability_refusal.h"

#include <utility>

namespace idem::store {

std::optional<Error> DurabilityRefusal(const std::string& where,
                                       const std::vector<std::string>& risks,
                                       bool require_durable) {
  if (!require_durable || risks.empty()) return {};
  std::string detail = where + " may forget, and store.require_durable is set: ";
  for (const std::string& risk : risks) {
    if (&risk != &risks.front()) detail += "; ";
    detail += risk;
  }
  return Error{ErrorCode::kRefused, std::move(detail)};
}

}  // namespace idem::store
