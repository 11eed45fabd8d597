#include "proxy/config/yaml/map_reader.h"

#include <algorithm>

namespace idem::config {

namespace {

std::string_view KindName(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::kNull:
      return "empty";
    case Node::Kind::kText:
      return "a text";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a map";
  }
  FailInvariant("a kind that exists", __FILE__, __LINE__);
}

std::string MustBe(std::string_view wanted, const Node& node) {
  return std::string("must be ").append(wanted).append(", not ").append(KindName(node.kind));
}

std::string MustBeFrom(const std::string& min, const std::string& max) {
  return "must be from " + min + " to " + max;
}

}  // namespace

void AddError(const Node& node, std::string what, ConfigErrors& mistakes) {
  mistakes.Add(node.place, node.path, std::move(what));
}

const std::string* TextOf(const Node& node, ConfigErrors& mistakes) {
  if (node.broken) return nullptr;
  if (node.kind == Node::Kind::kText) return &node.text;
  AddError(node, node.is_null() ? "is empty" : MustBe("a text", node), mistakes);
  return nullptr;
}

std::string DidYouMean(std::string_view text, const std::vector<std::string_view>& known) {
  const std::string_view nearest = Nearest(text, known);
  if (nearest.empty()) return "";
  return std::string("; did you mean `").append(nearest).append("`?");
}

MapReader::MapReader(const Node& node, ConfigErrors& mistakes) : node_(node), mistakes_(mistakes) {
  if (node.kind == Node::Kind::kMap || node.is_null() || node.broken) return;
  config::AddError(node, MustBe("a map", node), mistakes);
}

const Node* MapReader::Find(std::string_view key) {
  known_.push_back(key);
  const Node* value = node_.Find(key);
  return value == nullptr || value->is_null() || value->broken ? nullptr : value;
}

bool MapReader::Is(std::string_view key, std::string_view word) {
  const Node* value = Find(key);
  return value != nullptr && value->is_text(word);
}

void MapReader::Require(std::string_view key) {
  if (node_.kind != Node::Kind::kMap && !node_.is_null()) return;  // already reported
  const Node* value = node_.Find(key);
  if (value == nullptr || (value->is_null() && !value->broken)) AddError(key, "is missing");
}

void MapReader::AddError(std::string_view key, std::string what) {
  const Node* value = node_.Find(key);
  if (value != nullptr) return config::AddError(*value, std::move(what), mistakes_);
  mistakes_.Add(node_.place, JoinPath(node_.path, key), std::move(what));
}

bool MapReader::ReadText(std::string_view key, std::string& to) {
  const Node* value = Find(key);
  const std::string* text = value == nullptr ? nullptr : TextOf(*value, mistakes_);
  if (text == nullptr) return false;
  to = *text;
  return true;
}

bool MapReader::ReadFlag(std::string_view key, bool& to) {
  const Node* value = Find(key);
  if (value == nullptr) return false;
  const bool is_true = value->is_text("true");
  if (value->quoted || !(is_true || value->is_text("false"))) {
    AddError(key, "must be true or false");
    return false;
  }
  to = is_true;
  return true;
}

bool MapReader::FindNumber(std::string_view key, NumberRange range, std::uint64_t& number) {
  const Node* value = Find(key);
  if (value == nullptr) return false;
  const auto parsed = value->quoted ? std::nullopt : ParseWholeNumber(value->text);
  if (parsed && *parsed >= range.min && *parsed <= range.max) {
    number = *parsed;
    return true;
  }
  std::string what = MustBeFrom(std::to_string(range.min), std::to_string(range.max));
  AddError(key,
           parsed ? what : "must be a whole number" + what.substr(std::string("must be").size()));
  return false;
}

bool MapReader::FindSize(std::string_view key, NumberRange range, std::uint64_t& bytes) {
  std::string text;
  if (!ReadText(key, text)) return false;
  const auto parsed = ParseSize(text);
  if (parsed && *parsed >= range.min && *parsed <= range.max) {
    bytes = *parsed;
    return true;
  }
  AddError(key, parsed ? MustBeFrom(SizeToText(range.min), SizeToText(range.max))
                       : parsed.error().detail);
  return false;
}

bool MapReader::FindTime(std::string_view key, TimeRange range, milliseconds& time) {
  std::string text;
  if (!ReadText(key, text)) return false;
  const auto parsed = ParseDuration(text);
  if (parsed && *parsed >= range.min && *parsed <= range.max) {
    time = *parsed;
    return true;
  }
  AddError(key, parsed ? MustBeFrom(ToText(range.min), ToText(range.max)) : parsed.error().detail);
  return false;
}

bool MapReader::FindChoice(std::string_view key, const std::vector<std::string_view>& names,
                           std::size_t& index) {
  std::string text;
  if (!ReadText(key, text)) return false;
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) {
    AddError(key, "must be " + OneOf(names) + DidYouMean(text, names));
    return false;
  }
  index = static_cast<std::size_t>(found - names.begin());
  return true;
}

const std::vector<Node>* MapReader::FindList(std::string_view key) {
  const Node* value = Find(key);
  if (value == nullptr) return nullptr;
  if (value->kind == Node::Kind::kList) return &value->items;
  AddError(key, MustBe("a list", *value));
  return nullptr;
}

void MapReader::RefuseUnknownKeys() {
  std::sort(known_.begin(), known_.end());
  known_.erase(std::unique(known_.begin(), known_.end()), known_.end());
  for (const Entry& entry : node_.entries) {
    if (std::binary_search(known_.begin(), known_.end(), entry.key)) continue;
    std::string what = "is not a known key";
    const std::string hint = DidYouMean(entry.key, known_);
    what += hint.empty() ? "; allowed here: " + OneOf(known_) : hint;
    mistakes_.Add(entry.place, entry.value.path, std::move(what));
  }
}

}  // namespace idem::config
