// Where a result came from: stored in every file, printed beside every number.
#pragma once

#include <cstdint>
#include <string>

namespace core {

/// How a run was made. Members that core cannot know (what was run, when) are the caller's to fill.
struct Provenance {
  std::string program_version;
  std::string commit;  // git commit of the build, "-dirty" when the tree had changes; "unknown" outside git
  std::string compiler;
  std::string flags;
  std::string kernel;
  std::string cpu;
  std::string device = "cpu";  // what ran the trials or steps: cpu, or the name of a card beside it
  std::int64_t threads = 0;
  std::uint64_t seed = 0;
  std::string command_line;
  std::string started;   // ISO 8601, UTC
  std::string finished;  // ISO 8601, UTC
  bool operator==(const Provenance&) const = default;
};

/// Calls visit(name, member) for every member in the order files show them; `P` is Provenance or const Provenance.
template <class P, class Visit>
void for_each_field(P& provenance, Visit visit) {
  visit("program_version", provenance.program_version);
  visit("commit", provenance.commit);
  visit("compiler", provenance.compiler);
  visit("flags", provenance.flags);
  visit("kernel", provenance.kernel);
  visit("cpu", provenance.cpu);
  visit("device", provenance.device);
  visit("threads", provenance.threads);
  visit("seed", provenance.seed);
  visit("command_line", provenance.command_line);
  visit("started", provenance.started);
  visit("finished", provenance.finished);
}

/// Version, commit, compiler and flags of this build and the name of this machine's CPU (never its host name).
Provenance build_provenance();

}  // namespace core
