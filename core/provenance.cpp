#include "core/provenance.h"

#include <sys/utsname.h>

#include <fstream>
#include <string>

#include "build_info.h"

namespace core {
namespace {

/// The model name where the system tells it (Linux), else the architecture.
std::string cpu_name() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  struct utsname system {};
  return ::uname(&system) == 0 ? system.machine : "unknown";
}

}  // namespace

Provenance build_provenance() {
  Provenance provenance;
  provenance.program_version = build::kVersion;
  provenance.commit = build::kCommit;
  provenance.compiler = build::kCompiler;
  provenance.flags = build::kFlags;
  provenance.cpu = cpu_name();
  return provenance;
}

}  // namespace core
