#include "experiments/command_line/cli.h"

#include <fmt/core.h>

#include <atomic>
#include <boost/program_options/parsers.hpp>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <new>
#include <sstream>

#include "core/files/file.h"
#include "core/files/file_lock.h"
#include "core/files/output_file.h"
#include "core/provenance.h"
#include "core/text.h"
#include "results/spec_difference.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

// Lock-free, so that a signal handler may write what other threads read.
std::atomic<bool> stop_flag = false;
std::atomic<std::time_t> stop_asked_at = 0;
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<std::time_t>::is_always_lock_free);

// The first signal asks for an orderly end. A later one ends at once, as people expect of a second Ctrl-C; one that
// comes within a second is the same request, sent to the process and to its group.
extern "C" void ask_to_stop(int signal) {
  const std::time_t now = std::time(nullptr);
  if (stop_flag && now > stop_asked_at + 1) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    return;
  }
  if (!stop_flag) stop_asked_at = now;
  stop_flag = 1;
}

void listen_for_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) std::signal(signal, ask_to_stop);
  // nohup and its like have it ignored, and mean that.
  if (std::signal(SIGHUP, ask_to_stop) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);
}

Options all_options(const Verb& verb) {
  Options options = verb.options();
  options.add_options()("help,h", "print this page");
  return options;
}

/// Boost's messages speak of "option '--x'"; ours also say where help stands.
[[noreturn]] void usage_error(const char* program, const Verb& verb, const std::string& what) {
  throw UsageError(fmt::format("{} (see {} {} --help)", what, program, verb.name));
}

void read_spec(const std::string& path, const Options& options, po::variables_map& given) {
  constexpr std::size_t kLongest = 1 << 20;
  try {
    std::string words = core::read_text(path, kLongest);
    if (words.starts_with("\xef\xbb\xbf")) words.erase(0, 3);  // a byte-order mark, which Windows editors write
    std::istringstream text(words);
    po::store(po::parse_config_file(text, options), given);
  } catch (const po::error& error) {
    throw UsageError(fmt::format("{}: {}", path, error.what()));
  } catch (const std::runtime_error& error) {
    throw UsageError(fmt::format("--spec: {}", error.what()));
  }
}

std::string quoted_command(int argc, char** argv) {
  std::string line;
  for (int i = 0; i < argc; ++i) {
    const std::string word = argv[i];
    const bool plain = !word.empty() && word.find_first_of(" \t\n'\"$\\*?;&|<>()") == std::string::npos;
    line += (i ? " " : "") + (plain ? word : "'" + word + "'");
  }
  return line;
}

int dispatch(const Program& program, int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) {
    std::fputs(help_list(program).c_str(), stderr);
    return kUsage;
  }
  if (words[0] == "--version" || words[0] == "version") {
    const core::Provenance built = core::build_provenance();
    fmt::print("{} {} (commit {}, {}, {})\n", program.name, built.program_version, built.commit, built.compiler,
               built.flags);
    return kComplete;
  }
  const bool help = words[0] == "help" || words[0] == "--help" || words[0] == "-h";
  if (help && words.size() == 1) {
    std::fputs(help_list(program).c_str(), stdout);
    return kComplete;
  }
  if (help && words[1] == "all") {
    std::fputs(manual(program).c_str(), stdout);
    return kComplete;
  }
  if (help)
    for (const Topic& topic : program.topics)
      if (words[1] == topic.name) {
        std::fputs(topic.page().c_str(), stdout);
        return kComplete;
      }
  if (help) words = {words[1], "--help"};
  for (const Verb& verb : program.verbs) {
    if (words[0] != verb.name) continue;
    const std::vector<std::string> rest(words.begin() + 1, words.end());
    for (const std::string& word : rest)
      if (word == "--help" || word == "-h") {
        std::fputs(help_page(program.name, verb).c_str(), stdout);
        return kComplete;
      }
    begin_verb();
    const po::variables_map given = parse_words(program.name, verb, rest);
    if (verb.saves_on_signal) listen_for_signals();
    return verb.run(given, quoted_command(argc, argv));
  }
  std::string names;
  for (const Verb& verb : program.verbs) names += fmt::format("{}{}", names.empty() ? "" : ", ", verb.name);
  throw UsageError(fmt::format("'{}' is not a verb of {}; the verbs are {}", words[0], program.name, names));
}

}  // namespace

bool stop_requested() { return stop_flag; }

namespace {
std::atomic<std::chrono::steady_clock::time_point> begun = std::chrono::steady_clock::now();
}
std::chrono::steady_clock::time_point verb_begun() { return begun; }
void begin_verb() { begun = std::chrono::steady_clock::now(); }

StopOnInterrupt::StopOnInterrupt() {
  stop_flag = false;
  struct sigaction ours = {};
  ours.sa_handler = [](int) { stop_flag = true; };
  sigaction(SIGINT, &ours, &before_);
}
StopOnInterrupt::~StopOnInterrupt() {
  sigaction(SIGINT, &before_, nullptr);
  stop_flag = false;
}

po::variables_map parse_words(const char* program, const Verb& verb, const std::vector<std::string>& words) {
  const Options options = all_options(verb);
  po::positional_options_description positional;
  if (*verb.positional) positional.add(verb.positional, -1);
  po::variables_map given;
  try {
    const auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(words).options(options).positional(positional).style(style).run(), given);
    if (given.contains("spec")) read_spec(given["spec"].as<std::string>(), options, given);
    po::notify(given);
  } catch (const po::too_many_positional_options_error&) {
    usage_error(program, verb, fmt::format("'{}' takes no words without a dash", verb.name));
  } catch (const po::error& error) {
    usage_error(program, verb, error.what());
  }
  return given;
}

std::string help_page(const char* program, const Verb& verb) {
  std::ostringstream page;
  page << verb.summary << "\n\nusage: " << program << " " << verb.name << (*verb.usage ? " " : "") << verb.usage
       << "\n\n"
       << all_options(verb) << "\n"
       << verb.details;
  return page.str();
}

std::string help_list(const Program& program) {
  std::string page = fmt::format("{}\n\nusage: {} VERB [options]\n\n", program.purpose, program.name);
  for (const Verb& verb : program.verbs) page += fmt::format("  {:<11} {}\n", verb.name, verb.summary);
  if (!program.topics.empty()) page += "\n";
  for (const Topic& topic : program.topics)
    page += fmt::format("  {:<13} {}\n", std::string("help ") + topic.name, topic.summary);
  page += fmt::format(
      "\n{0} VERB --help explains a verb, {0} help all every verb; {0} --version says what was built.\n"
      "Exit codes: 0 complete, 1 failed, 2 usage, 3 stopped early (run the same command to go on), "
      "4 refused (the file belongs to another spec).\n",
      program.name);
  return page;
}

std::string manual(const Program& program) {
  std::string text = fmt::format("# {}\n\n```\n{}```\n", program.name, help_list(program));
  for (const Verb& verb : program.verbs)
    text += fmt::format("\n## {} {}\n\n```\n{}```\n", program.name, verb.name, help_page(program.name, verb));
  return text;
}

void warn(const std::string& line) { std::fputs(fmt::format("warning: {}\n", core::shown(line)).c_str(), stderr); }

int run_program(const Program& program, int argc, char** argv) {
  core::FileLock::tell_unheld(warn);
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is then an error of write(), with a message
  // Not fmt::print, which throws where stderr cannot be written.
  const auto fail = [&](const std::string& what, ExitCode code) {
    std::fputs(fmt::format("{}: {}\n", program.name, what).c_str(), stderr);
    return code;
  };
  try {
    const int code = dispatch(program, argc, argv);
    // Of what is longer than the buffer a part may have failed before: the flag remembers.
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      throw std::runtime_error("standard output cannot be written");
    return code;
  } catch (const UsageError& error) {
    return fail(core::shown(error.what()), kUsage);
  } catch (const results::SpecMismatch& error) {
    return fail(error.what(), kRefused);  // a line for each difference
  } catch (const core::Refused& error) {
    return fail(core::shown(error.what()), kRefused);
  } catch (const std::bad_alloc&) {
    return fail("out of memory; lower --max-memory, --threads or the number of patterns", kFailed);
  } catch (const std::exception& error) {
    return fail(core::shown(error.what()), kFailed);
  }
}

}  // namespace experiments
