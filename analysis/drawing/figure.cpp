#include "analysis/drawing/figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "analysis/drawing/layout.h"
#include "analysis/drawing/program.h"
#include "analysis/drawing/script.h"

namespace analysis {
namespace {

void cut(std::string& text, std::string_view first, std::string_view last) {
  for (std::size_t at = 0; (at = text.find(first, at)) != std::string::npos;) {
    const std::size_t end = text.find(last, at + first.size());
    if (end == std::string::npos) return;
    text.erase(at, end + last.size() - at);
  }
}

/// Physical size, and none of the names and tooltips gnuplot puts into its SVG.
void tidy_svg(std::string& svg, const Layout& layout) {
  cut(svg, "<title>", "</title>");
  cut(svg, "<desc>", "</desc>");
  cut(svg, "<filter", "</filter>");
  for (const auto& [side, length] : {std::pair{"width", layout.width}, {"height", layout.height}}) {
    const std::string pixels = fmt::format("{}=\"{:.0f}\"", side, length);
    if (const auto at = svg.find(pixels); at != std::string::npos)
      svg.replace(at, pixels.size(), fmt::format("{}=\"{:.0f}pt\"", side, length));
  }
  // Some viewers drop the blanks at the ends of the pieces that gnuplot makes of a text.
  constexpr std::string_view kText = "<text>", kKept = "<text xml:space=\"preserve\">";
  for (std::size_t at = 0; (at = svg.find(kText, at)) != std::string::npos; at += kKept.size())
    svg.replace(at, kText.size(), kKept);
}

}  // namespace

FigureFormat figure_format(std::string_view path) {
  if (path.ends_with(".svg")) return FigureFormat::svg;
  if (path.ends_with(".pdf")) return FigureFormat::pdf;
  if (path.ends_with(".png")) return FigureFormat::png;
  throw std::invalid_argument(std::string(path) + ": figures end in .svg, .pdf or .png");
}

std::string gnuplot_script(const Figure& figure, FigureFormat format) { return script(draw(figure), format); }

std::string render(const Figure& figure, FigureFormat format) {
  const Drawing drawing = draw(figure);
  std::string bytes = drawn_by(kGnuplot, script(drawing, format));
  if (format == FigureFormat::svg) tidy_svg(bytes, drawing.layout);
  if (format == FigureFormat::pdf) remove_date(bytes);
  return bytes;
}

}  // namespace analysis
