// Runs the programs that draw, gnuplot and Graphviz, on a script: a child process, no shell.
#pragma once

#include <string>
#include <vector>

namespace analysis {

/// A program that draws what a script says.
struct DrawingProgram {
  const char* name;
  const char* package;               ///< of Debian
  std::vector<std::string> options;  ///< before the script's name
};

/// What the program writes to its standard output for this script.
///
/// Throws std::runtime_error in one line: the program is not installed, cannot start, or complained (its first
/// complaint).
std::string drawn_by(const DrawingProgram& program, const std::string& script);

extern const DrawingProgram kGnuplot;

/// Takes the date of drawing out of a PDF.
void remove_date(std::string& pdf);

}  // namespace analysis
