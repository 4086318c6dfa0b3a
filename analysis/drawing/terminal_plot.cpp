#include "analysis/drawing/terminal_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "analysis/drawing/axes.h"

namespace analysis {
namespace {

constexpr std::array kMarkers{"●", "■", "▲", "◆", "▼"};

/// Characters, each of which may show 2 × 4 braille dots or a symbol.
class Canvas {
 public:
  Canvas(int width, int height)
      : width_(width), height_(height), dots_(static_cast<std::size_t>(width * height), 0), symbols_(dots_.size()) {}

  /// Positions are fractions of the canvas, from its lower left corner.
  void dot(double x, double y) {
    const int column = static_cast<int>(std::floor(x * (2 * width_ - 1) + 0.5));
    const int row = static_cast<int>(std::floor((1 - y) * (4 * height_ - 1) + 0.5));
    if (column < 0 || column >= 2 * width_ || row < 0 || row >= 4 * height_) return;
    constexpr unsigned char kBits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    dots_[at(column / 2, row / 4)] |= kBits[row % 4][column % 2];
  }
  void symbol(double x, double y, const char* shape) {
    const int column = static_cast<int>(x * width_), row = static_cast<int>((1 - y) * height_);
    symbols_[at(std::clamp(column, 0, width_ - 1), std::clamp(row, 0, height_ - 1))] = shape;
  }
  std::string row(int index) const {
    std::string text;
    for (int column = 0; column < width_; ++column) {
      const std::size_t place = at(column, index);
      if (!symbols_[place].empty())
        text += symbols_[place];
      else if (dots_[place] == 0)
        text += ' ';
      else  // U+2800 plus the dots, as UTF-8
        text += {static_cast<char>(0xE2), static_cast<char>(0xA0 | (dots_[place] >> 6)),
                 static_cast<char>(0x80 | (dots_[place] & 0x3F))};
    }
    return text;
  }
  int width() const { return width_; }
  int height() const { return height_; }

 private:
  std::size_t at(int column, int row) const { return static_cast<std::size_t>(row * width_ + column); }
  int width_;
  int height_;
  std::vector<unsigned char> dots_;
  std::vector<std::string> symbols_;
};

const char* shape(const Series& series, const Point& point) {
  const Bound bound = point.y_bound != Bound::none ? point.y_bound : point.x_bound;
  switch (bound) {
    case Bound::lower:
      return "▵";
    case Bound::upper:
      return "▿";
    case Bound::unfinished:
      return "○";
    case Bound::none:
      break;
  }
  return kMarkers[static_cast<std::size_t>(series.style.marker) % kMarkers.size()];
}

void draw(Canvas& canvas, const Series& series, const Scale& x, const Scale& y) {
  const auto visible = [&](const Point& point) { return x.shows(point.x.value) && y.shows(point.y.value); };
  if (series.style.kind == Style::Kind::points) {
    for (const Point& point : series.points)
      if (visible(point)) canvas.symbol(x.fraction(point.x.value), y.fraction(point.y.value), shape(series, point));
    return;
  }
  // Dashes: the more often a dot is skipped, the higher the dash number.
  const int period = series.style.dash + 1;
  int count = 0;
  for (std::size_t i = 1; i < series.points.size(); ++i) {
    const Point &from = series.points[i - 1], &to = series.points[i];
    if (!visible(from) || !visible(to)) continue;
    const double x0 = x.fraction(from.x.value), x1 = x.fraction(to.x.value);
    const double y0 = y.fraction(from.y.value), y1 = y.fraction(to.y.value);
    const int steps =
        1 + static_cast<int>(std::max(std::abs(x1 - x0) * 2 * canvas.width(), std::abs(y1 - y0) * 4 * canvas.height()));
    for (int step = 0; step <= steps; ++step)
      if (count++ % period == 0) canvas.dot(x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps);
  }
}

/// Puts a label over a line of text so that it is centred on `place`.
void put(std::vector<std::string>& line, std::size_t place, const std::string& label) {
  const std::size_t length = shown_length(label), start = place - std::min(place, length / 2);
  if (line.size() < start + length) line.resize(start + length, " ");
  for (std::size_t i = start, byte = 0; i < start + length; ++i) {
    std::size_t end = byte + 1;
    while (end < label.size() && (static_cast<unsigned char>(label[end]) & 0xC0) == 0x80) ++end;
    line[i] = label.substr(byte, end - byte);
    byte = end;
  }
}

}  // namespace

std::string terminal_plot(const Panel& panel, int width, int height) {
  if (width < 8 || height < 4) throw std::invalid_argument("terminal plot: needs at least 8 by 4 characters");
  if (!panel.y.categories.empty()) throw std::invalid_argument("terminal plot: cannot draw categories");
  ScaleFinder x_finder, y_finder;
  x_finder.add(0, panel.x, &Point::x, &Point::x_bound, panel.series);
  y_finder.add(0, panel.y, &Point::y, &Point::y_bound, panel.series);
  x_finder.check();
  y_finder.check();
  const Scale x = x_finder.find(0, panel.x), y = y_finder.find(0, panel.y);

  Canvas canvas(width, height);
  for (const bool points : {false, true})  // markers lie above lines
    for (const Series& series : panel.series)
      if ((series.style.kind == Style::Kind::points) == points) draw(canvas, series, x, y);

  constexpr double kLinePitch = 2 * kDigit;  // characters are about twice as high as wide
  std::vector<std::string> labels(static_cast<std::size_t>(height));
  std::size_t margin = 0;
  for (const Tic& tic : axis_tics(panel.y, y, height * kLinePitch, true)) {
    const double row = (1 - y.fraction(tic.value)) * height;
    if (tic.label.empty() || row < 0 || row >= height) continue;
    labels[static_cast<std::size_t>(row)] = shown_text(tic.label);
    margin = std::max(margin, shown_length(tic.label) + 1);  // + 1: the ^ of an exponent
  }

  std::string text = shown_text(panel.y.label) + (panel.title.empty() ? "" : "   " + shown_text(panel.title)) + "\n";
  for (int row = 0; row < height; ++row) {
    const std::string& label = labels[static_cast<std::size_t>(row)];
    const std::size_t length =
        shown_length(label) + static_cast<std::size_t>(std::count(label.begin(), label.end(), '^'));
    std::string line =
        std::string(margin - std::min(margin, length), ' ') + label + (label.empty() ? " │" : " ┤") + canvas.row(row);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  std::string axis;
  std::vector<std::string> below;
  std::vector<bool> marks(static_cast<std::size_t>(width), false);
  for (const Tic& tic : axis_tics(panel.x, x, width * kDigit, false)) {
    const double column = x.fraction(tic.value) * width;
    if (tic.label.empty() || column < 0 || column >= width) continue;
    marks[static_cast<std::size_t>(column)] = true;
    put(below, margin + 2 + static_cast<std::size_t>(column), shown_text(tic.label));
  }
  for (const bool mark : marks) axis += mark ? "┬" : "─";
  text += std::string(margin + 1, ' ') + "└" + axis + "\n";
  for (const std::string& character : below) text += character;
  text += "   " + shown_text(panel.x.label) + "\n";

  std::string legend;
  for (const Series& series : panel.series) {
    if (series.label.empty()) continue;
    const bool points = series.style.kind == Style::Kind::points;
    const std::size_t marker = static_cast<std::size_t>(series.style.marker) % kMarkers.size();
    constexpr std::array kLines{"⠒⠒", "⠐⠐", "⠐⠀⠂", "⠐⠀⠀⠂"};
    legend +=
        fmt::format("{}{} {}", legend.empty() ? "" : "   ",
                    points ? kMarkers[marker] : kLines[static_cast<std::size_t>(series.style.dash) % kLines.size()],
                    shown_text(series.label));
  }
  return legend.empty() ? text : text + std::string(margin + 2, ' ') + legend + "\n";
}

}  // namespace analysis
