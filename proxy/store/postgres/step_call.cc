#include "proxy/store/postgres/step_call.h"

#include <utility>

#include "proxy/store/postgres/statements.h"

namespace idem::store {

void PostgresStepArrays::Add(const PostgresStepCall& call) {
  asks_.Add(call.ask);
  ids_.Add(call.id);
  keys_.Add(call.key);
  tokens_.Add(call.token);
  replaced_.Add(call.replaced);
  leases_.AddInt64(call.lease_ms);
  keeps_.AddInt64(call.keep_ms);
  rests_.Add(call.rest);
  AddLimit(call);
}

void PostgresStepArrays::AddLimit(const PostgresStepCall& call) {
  if (!call.limit) {
    for (Array* array : {&subjects_, &counted_, &buckets_, &requests_, &pers_, &bursts_}) {
      array->AddNull();
    }
    return;
  }
  const ports::LimitRule& rule = call.limit->rule;
  subjects_.Add(call.subject);
  counted_.Add(call.limit->token.ToHex());
  buckets_.AddInt64(rule.algorithm == ports::LimitAlgorithm::kTokenBucket ? 1 : 0);
  requests_.AddInt64(rule.requests);
  pers_.AddInt64(rule.per.count());
  bursts_.AddInt64(rule.burst);
}

libpq::Statement PostgresStepArrays::Take() && {
  libpq::Statement statement;
  statement.sql = PostgresStepsSql();
  statement.binary_rows = true;
  for (Array* array : {&asks_, &ids_, &keys_, &tokens_, &replaced_, &leases_, &keeps_, &rests_,
                       &subjects_, &counted_, &buckets_, &requests_, &pers_, &bursts_}) {
    statement.parameters.push_back(std::move(*array).Take());
  }
  return statement;
}

}  // namespace idem::store
