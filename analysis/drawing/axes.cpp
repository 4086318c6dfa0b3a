#include "analysis/drawing/axes.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace analysis {
namespace {

std::string number_label(double value) {
  std::string text = fmt::format("{:.6g}", value + 0.);  // no negative zero
  if (text.starts_with('-')) text.replace(0, 1, "−");
  return text;
}

std::string power_label(int exponent) { return exponent == 0 ? "1" : fmt::format("10^{{{}}}", exponent); }

/// Round tics about `pitch` points apart.
std::vector<Tic> linear_tics(double low, double high, double length, double pitch) {
  const double wish = (high - low) / std::max(3., length / pitch);
  const double decade = std::pow(10., std::floor(std::log10(wish)));
  double step = 10 * decade;
  for (const double factor : {5., 2., 1.})
    if (factor * decade >= wish) step = factor * decade;
  std::vector<Tic> tics;
  for (double i = std::ceil(low / step); i * step <= high; ++i) tics.push_back({i * step, number_label(i * step)});
  return tics;
}

std::vector<Tic> logarithmic_tics(const Scale& scale, double length, double pitch) {
  const double decades = scale.high - scale.low;
  if (decades < 0.7) return linear_tics(scale.from(scale.low), scale.from(scale.high), length, pitch);
  const int step = static_cast<int>(std::ceil(decades / std::max(2., length / 22)));
  const bool labels_between = decades < 2;
  const bool powers = scale.high > 4.5 || scale.low < -4;
  std::vector<Tic> tics;
  for (int decade = static_cast<int>(std::floor(scale.low)); decade <= std::ceil(scale.high); ++decade)
    for (int digit = 1; digit <= 9; ++digit) {
      const double value = digit * std::pow(10., decade);
      if (scale.to(value) < scale.low - 1e-9 || scale.to(value) > scale.high + 1e-9) continue;
      if (digit == 1 && decade % step == 0)
        tics.push_back({value, powers ? power_label(decade) : number_label(value)});
      else if (labels_between && (digit == 2 || digit == 5))
        tics.push_back({value, powers ? fmt::format("{}·{}", digit, power_label(decade)) : number_label(value)});
      else if (digit == 1 || step == 1)
        tics.push_back({value, ""});
    }
  return tics;
}

/// Takes the labels from tics whose label would touch the one before it.
void thin_out(std::vector<Tic>& tics, const Scale& scale, double length, bool vertical) {
  constexpr double kLineHeight = 9;
  double free_from = -std::numeric_limits<double>::infinity();
  for (Tic& tic : tics) {
    if (tic.label.empty()) continue;
    const double half = vertical ? kLineHeight / 2 : (shown_width(tic.label) + kDigit) / 2;
    const double place = scale.fraction(tic.value) * length;
    if (place - half >= free_from)
      free_from = place + half;
    else
      tic.label.clear();
  }
}

}  // namespace

std::vector<Tic> axis_tics(const Axis& axis, const Scale& scale, double length, bool vertical) {
  std::vector<Tic> tics;
  if (!axis.categories.empty()) {
    for (const auto& category : axis.categories) tics.push_back({static_cast<double>(tics.size()), category});
    return tics;
  }
  for (const double value : axis.tics) tics.push_back({value, number_label(value)});
  const double pitch = vertical ? 25 : 40;
  if (tics.empty())
    tics =
        scale.logarithmic ? logarithmic_tics(scale, length, pitch) : linear_tics(scale.low, scale.high, length, pitch);
  thin_out(tics, scale, length, vertical);
  return tics;
}

void ScaleFinder::add(std::size_t line, const Axis& axis, Coordinate Point::*coordinate, Bound Point::*bound,
                      const std::vector<Series>& all) {
  Entry& entry = entries_[{line, axis.label}];
  if (!entry.seen) entry.scale.logarithmic = axis.logarithmic;
  if (entry.scale.logarithmic != axis.logarithmic)
    throw std::invalid_argument("figure: axes labelled '" + axis.label +
                                "' are linear in one panel, logarithmic in another");
  entry.seen = true;
  entry.categories = std::max(entry.categories, axis.categories.size());
  for (const Series& series : all) {
    if (series.style.kind == Style::Kind::reference) continue;
    for (const Point& point : series.points) {
      entry.bounds |= point.*bound != Bound::none;
      for (const double value : {(point.*coordinate).value, (point.*coordinate).low, (point.*coordinate).high}) {
        if (!entry.scale.shows(value)) continue;
        entry.low = std::min(entry.low, entry.scale.to(value));
        entry.high = std::max(entry.high, entry.scale.to(value));
      }
    }
  }
}

Scale ScaleFinder::find(std::size_t line, const Axis& axis) const {
  const Entry& entry = entries_.at({line, axis.label});
  Scale scale = entry.scale;
  if (entry.categories > 0) return {false, static_cast<double>(entry.categories) - 0.5, -0.5};
  if (!(entry.low <= entry.high)) return {scale.logarithmic, 0, 1};
  const double span = entry.high - entry.low;
  const double pad = span > 0 ? span * (entry.bounds ? 0.13 : 0.05) : std::max(0.1, 0.1 * std::abs(entry.low));
  scale.low = entry.low - pad;
  scale.high = entry.high + pad;
  return scale;
}

void ScaleFinder::check() const {
  const auto drawn = [](const auto& entry) { return entry.second.low <= entry.second.high; };
  if (std::none_of(entries_.begin(), entries_.end(), drawn))
    throw std::invalid_argument("figure: nothing to draw on axis '" + entries_.begin()->first.second + "'");
}

std::string plain(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (std::string_view("{}^_@&~\\").find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

std::string shown_text(std::string_view markup) {
  std::string text;
  for (std::size_t i = 0; i < markup.size(); ++i) {
    const char c = markup[i];
    if (markup.substr(i).starts_with("{/"))
      i = std::min(markup.find(' ', i), markup.size() - 1);
    else if (c == '\\' && i + 1 < markup.size())
      text += markup[++i];
    else if (std::string_view("{}_@&~").find(c) == std::string_view::npos)
      text += c;
  }
  return text;
}

double shown_width(std::string_view markup) {
  double width = 0;
  for (const char c : shown_text(markup)) {
    if (c == '^' || (static_cast<unsigned char>(c) & 0xC0) == 0x80) continue;
    const bool narrow = std::string_view(" .,:;ijlft|'()[]/-").find(c) != std::string_view::npos;
    const bool wide = std::string_view("mwMNQGHU=+").find(c) != std::string_view::npos;
    width += narrow ? 2.9 : wide ? 6.9 : kDigit;
  }
  return width;
}

std::size_t shown_length(std::string_view markup) {
  const std::string text = shown_text(markup);
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return c != '^' && (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // bytes that continue a character do not count
  }));
}

}  // namespace analysis
