#include "core/provenance.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

TEST_CASE("a build knows its version, commit, compiler, flags and CPU") {
  const core::Provenance provenance = core::build_provenance();
  CHECK(provenance.program_version == DAMBENCH_VERSION);
  const std::string commit = provenance.commit.substr(0, provenance.commit.find('-'));
  CHECK((commit == "unknown" ||
         (commit.size() == 40 && commit.find_first_not_of("0123456789abcdef") == std::string::npos)));
  CHECK_THAT(provenance.compiler, Catch::Contains(fmt::format(" {}.", __GNUC__)));
  CHECK_THAT(provenance.flags, Catch::Contains("-ffp-contract=off"));
  CHECK_FALSE(provenance.cpu.empty());
}

TEST_CASE("what only a run knows is left to the caller, and the host is nobody's business") {
  core::Provenance provenance = core::build_provenance();
  CHECK(provenance.started.empty());
  CHECK(provenance.command_line.empty());
  char host[256] = {};
  REQUIRE(::gethostname(host, sizeof host - 1) == 0);
  core::for_each_field(provenance, [&](const std::string& name, const auto& value) {
    CHECK(name != "host");
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) CHECK(value != host);
  });
}

TEST_CASE("every field is visited once, under a name of its own") {
  core::Provenance provenance;
  std::set<std::string> names;
  std::set<const void*> members;
  core::for_each_field(provenance, [&](const char* name, const auto& value) {
    names.insert(name);
    members.insert(&value);
  });
  CHECK(names.size() == 12);
  CHECK(members.size() == 12);
}
