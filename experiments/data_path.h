// Where data sets are looked for.
#pragma once

#include <string>
#include <vector>

namespace experiments {

std::vector<std::string> data_directories(const std::string& first);

}  // namespace experiments
