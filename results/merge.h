// The union of what several runs of one spec measured.
#pragma once

#include <span>
#include <string>

#include "results/result_file.h"

namespace results {

/// A file to merge and the name messages call it.
struct NamedFile {
  std::string name;
  ResultFile file;
};

/// One file with the primary rows (table `batches`) of all, each (configuration, num_patterns, batch) once, sorted by
/// that key; tables derived from them are left out, their owner computes them anew.
///
/// merge is idempotent, commutative and associative, provenance included: fields that differ between files hold every
/// value once, one per line, sorted; threads is the largest, started the first and finished the last time.
/// Rows of one key must agree in every reproducible column; of the others (seconds) the smallest is kept.
/// Throws std::invalid_argument for no files, SpecMismatch with the difference for mixed specs, and std::runtime_error
/// for mixed kinds, different columns, or rows that disagree, naming files, row and column.
ResultFile merge(std::span<const NamedFile> files);

/// Where what two runs measured comes from, as merge() says it.
core::Provenance unite(const core::Provenance& a, const core::Provenance& b);

}  // namespace results
