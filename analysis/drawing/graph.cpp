#include "analysis/drawing/graph.h"

#include <fmt/format.h>

#include "analysis/drawing/program.h"

namespace analysis {
namespace {

/// A string of Graphviz's: quotes and backslashes escaped, new lines centred.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return result + '"';
}

const char* name_of(FigureFormat format) {
  switch (format) {
    case FigureFormat::svg:
      return "-Tsvg";
    case FigureFormat::pdf:
      return "-Tpdf";
    case FigureFormat::png:
      return "-Tpng";
  }
  return "";
}

}  // namespace

std::string dot_script(const Graph& graph) {
  std::string script = fmt::format(
      "graph {} {{\n  rankdir=LR; bgcolor=white; ranksep=0.4; nodesep=0.3;\n"
      "  node [fontname=\"DejaVu Sans\", fontsize=10, margin=\"0.08,0.05\"];\n"
      "  edge [fontname=\"DejaVu Sans\", fontsize=9];\n",
      quoted(graph.name));
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Graph::Node& node = graph.nodes[i];
    script += fmt::format("  n{} [label={}, shape={}, peripheries={}, style={}, fillcolor=\"#e8eef7\"];\n", i,
                          quoted(node.label), node.square ? "box" : "ellipse", node.doubled ? 2 : 1,
                          node.filled ? "filled" : "solid");
  }
  for (const Graph::Edge& edge : graph.edges)
    script += fmt::format("  n{} -- n{} [label={}];\n", edge.from, edge.to, quoted(edge.label));
  return script + "}\n";
}

std::string render(const Graph& graph, FigureFormat format) {
  std::string drawn = drawn_by({"dot", "graphviz", {name_of(format)}}, dot_script(graph));
  // Its comments say which version drew, and for whom.
  for (std::size_t at = 0; format == FigureFormat::svg && (at = drawn.find("<!--", at)) != std::string::npos;)
    drawn.erase(at, drawn.find("-->", at) + 4 - at);
  if (format == FigureFormat::pdf) remove_date(drawn);
  return drawn;
}

}  // namespace analysis
