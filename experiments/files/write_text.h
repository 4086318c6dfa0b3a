// A file of text for people.
#pragma once

#include <string>

namespace experiments {

/// Replaces the file as a whole, makes its directory where there is none.
void write_text(const std::string& path, const std::string& text);

}  // namespace experiments
