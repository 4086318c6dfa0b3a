// Graphs as values: nodes of two kinds joined by lines, laid out by Graphviz.
#pragma once

#include <string>
#include <vector>

#include "analysis/drawing/figure.h"

namespace analysis {

/// A graph whose nodes are things (circles) and relations (squares).
struct Graph {
  struct Node {
    std::string label;     ///< plain text, lines parted by newlines
    bool square = false;   ///< a relation
    bool doubled = false;  ///< drawn with a second outline
    bool filled = false;
  };
  struct Edge {
    int from, to;
    std::string label;  ///< plain text, may be empty
  };
  std::string name;
  std::vector<Node> nodes;
  std::vector<Edge> edges;  ///< undirected; the layout reads them from left to right
};

/// The graph in Graphviz's language; equal graphs give equal text.
std::string dot_script(const Graph& graph);

/// The drawn graph as the bytes of a file, free of dates and names.
///
/// Throws std::runtime_error in one line when Graphviz is missing or fails.
std::string render(const Graph& graph, FigureFormat format);

}  // namespace analysis
