// JSON documents, written piece by piece.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace results {

/// A text in quotes, with what JSON wants escaped; a number, null where it is not finite.
std::string json_value(const std::string& text);
std::string json_value(double value);
std::string json_value(std::integral auto value) { return std::to_string(value); }
inline std::string json_value(bool value) { return value ? "true" : "false"; }

/// `[…]` of the json(item) of every item.
std::string json_list(const auto& items, auto json) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ",") + json(item);
  return "[" + text + "]";
}

/// Collects `"key":value` members of one object; values are JSON already.
class JsonObject {
 public:
  JsonObject& add(std::string_view key, const std::string& json) {
    text_ += text_.empty() ? '{' : ',';
    text_.append(json_value(std::string(key))).append(":").append(json);
    return *this;
  }
  std::string text() const { return text_.empty() ? "{}" : text_ + '}'; }

 private:
  std::string text_;
};

}  // namespace results
