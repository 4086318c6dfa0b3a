#include "results/spec_difference.h"

#include <algorithm>
#include <vector>

namespace results {
namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto end = line.find_last_not_of(" \t\r");
    if (end != std::string_view::npos) lines.push_back(line.substr(0, end + 1));
  }
  return lines;
}

std::string lines_missing(const std::vector<std::string_view>& from, const std::vector<std::string_view>& in,
                          const char* mark) {
  constexpr int kShown = 8;
  std::string text;
  int missing = 0;
  for (const std::string_view line : from)
    if (std::find(in.begin(), in.end(), line) == in.end() && ++missing <= kShown)
      text += mark + std::string(line) + "\n";
  return missing > kShown ? text + mark + "… and " + std::to_string(missing - kShown) + " more\n" : text;
}

}  // namespace

std::string spec_difference(std::string_view a, std::string_view b) {
  const auto lines_a = lines_of(a);
  const auto lines_b = lines_of(b);
  std::string text = lines_missing(lines_a, lines_b, "- ") + lines_missing(lines_b, lines_a, "+ ");
  if (!text.empty()) text.pop_back();
  return text;
}

void require_same_spec(const std::string& a_name, std::string_view a, const std::string& b_name, std::string_view b,
                       const std::string& advice) {
  const std::string difference = spec_difference(a, b);
  if (!difference.empty())
    throw SpecMismatch(b_name + " belongs to another spec than " + a_name + advice + " (- only there, + only here):\n" +
                       difference);
}

void require_same_streams(const std::string& a_name, std::int64_t a, const std::string& b_name, std::int64_t b,
                          const std::string& advice) {
  if (a != b)
    throw SpecMismatch(a_name + " was measured with random streams of version " + std::to_string(a) + ", " + b_name +
                       " has version " + std::to_string(b) + "; their counts cannot be put together" + advice);
}

}  // namespace results
