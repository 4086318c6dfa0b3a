// Two specs compared line by line: why a file is refused.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/files/output_file.h"

namespace results {

/// A file that belongs to another spec; what() ends in the difference. The command line answers with exit code 4.
struct SpecMismatch : core::Refused {
  using core::Refused::Refused;
};

/// The lines of only one of two specs, one per line: `- line` stands in `a` only, `+ line` in `b` only, in the order of
/// the texts; what goes beyond eight lines of a side is counted. Empty when both hold the same lines (blank lines and
/// the order of lines do not count).
std::string spec_difference(std::string_view a, std::string_view b);

/// Throws SpecMismatch "B_NAME belongs to another spec than A_NAME", the advice and the difference (of each side at
/// most eight lines), unless there is none.
void require_same_spec(const std::string& a_name, std::string_view a, const std::string& b_name, std::string_view b,
                       const std::string& advice = "");

/// Throws SpecMismatch when two files of measurements drew their random numbers from streams of different versions.
void require_same_streams(const std::string& a_name, std::int64_t a, const std::string& b_name, std::int64_t b,
                          const std::string& advice = "");

}  // namespace results
