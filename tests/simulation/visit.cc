#include "tests/simulation/visit.h"

namespace idem::simulation {

void Visit::Arrive(std::optional<Duration> body_after) {
  if (over_ || left_) return Break();
  const Intent& intent = *attempt_.intent;
  http::RequestHead head;
  head.method = "POST";
  head.target = intent.target;
  head.fields.Add("Host", "pay.test");
  head.fields.Add("Content-Type", "application/json");
  head.fields.Add("Idempotency-Key", intent.key);
  head.fields.Add("Tenant", intent.tenant);
  head.fields.Add("X-Request-Id", std::to_string(attempt_.number));
  for (const http::FieldLine line : intent.signature) head.fields.Add(line.name, line.value);
  head.body = http::BodyLength::Known(intent.body.size());
  handler_ = process_.Receive(*this, head);
  if (over_) return;
  if (!body_after) return DeliverBody();
  process_.loop().Arrive(*body_after, [this] { DeliverBody(); });
}

void Visit::DeliverBody() {
  if (over_ || left_ || !body_wanted_) return;
  body_came_ = true;
  process_.asking().attempt = &attempt_;
  handler_->OnBody(attempt_.intent->body);
  if (!over_) handler_->OnBodyEnd();
  process_.asking().attempt = nullptr;
}

void Visit::Leave() {
  if (over_ || left_) return;
  left_ = true;
  world_.coverage.Count(Fault::kClientLeft);
  if (handler_ != nullptr && !body_came_) world_.coverage.Count(Fault::kClientLeftBody);
  world_.trace.Say([&](auto& out) { out << "caller   leaves attempt " << attempt_.number; });
  events_.OnBroken(*this);
  process_.loop().Run([this] {
    if (over_ || handler_ == nullptr) return;
    over_ = true;
    process_.Forget(*this);
    handler_->OnClientGone();
  });
}

void Visit::Break() {
  if (over_) return;
  over_ = true;
  process_.Forget(*this);
  if (!left_) events_.OnBroken(*this);
}

void Visit::Close(bool whole) {
  if (over_) return;
  over_ = true;
  answer_.whole = whole;
  process_.Forget(*this);
  if (!left_) events_.OnAnswered(*this);
}

}  // namespace idem::simulation
