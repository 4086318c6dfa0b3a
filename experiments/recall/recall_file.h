// The file that dam recall writes, whole or so far: /states, /recall/*, with traces /trace/*.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/provenance.h"
#include "dam/fields/energy.h"
#include "dam/recall/recall.h"

namespace experiments {

/// One flip of a trace: the spin and the energy after it.
struct TraceStep {
  std::uint32_t spin = 0;
  dam::Energy energy;
};

/// What recall from one cue gave.
struct Recalled {
  dam::State state;
  std::int64_t erased = 0;    ///< neurons of the cue without a value
  dam::Energy energy_before;  ///< of the state recall starts from
  dam::Energy energy_after;
  dam::RecallResult result;
  std::int64_t nearest_pattern = 0;  ///< the one of the largest |overlap|
  std::int64_t nearest_overlap = 0;
  std::vector<TraceStep> trace;
};

/// What was asked for and what of it is there, by the row of the cue.
struct RecallFile {
  std::string request;  // a line `key = value` for all that the answers depend on: one request, one answer
  std::string model;
  bool traced = false;
  std::int64_t num_cues = 0;
  std::map<std::int64_t, Recalled> rows;
  core::Provenance provenance;

  bool complete() const { return static_cast<std::int64_t>(rows.size()) == num_cues; }
};

/// Replaces the file; for the holder of its lock. Throws as core::replace_file.
void write_recall(const std::string& path, const RecallFile& file);

/// Reads what write_recall wrote. Throws std::runtime_error "PATH: …" in one line when it is something else or damaged.
RecallFile read_recall(const std::string& path);

}  // namespace experiments
