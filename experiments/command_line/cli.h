// What every verb shares: exit codes, errors that are the user's to mend, help that is data, interrupt handling.
#pragma once

#include <signal.h>

#include <boost/program_options/positional_options.hpp>
#include <boost/program_options/variables_map.hpp>
#include <chrono>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "experiments/command_line/options.h"

namespace experiments {

/// What a program tells the shell.
enum ExitCode : int { kComplete = 0, kFailed = 1, kUsage = 2, kStoppedEarly = 3, kRefused = 4 };

/// What the user typed is wrong; printed as one line, exit code 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One verb of a program: its help is data, its function gets the parsed options.
struct Verb {
  const char* name;
  const char* summary;  // one line, for the list of verbs
  const char* usage;    // what follows the program and the verb, `--size GRID --degree GRID [options]`
  const char* details;  // paragraphs and examples below the options
  Options (*options)();
  const char* positional;  // the option that takes words without a dash; empty for none
  int (*run)(const boost::program_options::variables_map& given, const std::string& command_line);
  bool saves_on_signal = false;  // looks at stop_requested(); the others end as any program does
};

/// A page of the manual that belongs to no verb: `program help NAME`.
struct Topic {
  const char* name;
  const char* summary;
  std::string (*page)();  // Markdown
};

/// A program: its verbs and the pages of its manual beside theirs.
struct Program {
  const char* name;
  const char* purpose;
  std::span<const Verb> verbs;
  std::span<const Topic> topics = {};
};

/// Runs `program VERB …`: parses (a --spec file included; the command line wins), runs, turns errors into one line on
/// stderr and an exit code. `program help [VERB|TOPIC]`, `--help` and `--version` are answered here.
int run_program(const Program& program, int argc, char** argv);

/// The help page of one verb and the list of verbs, as printed.
std::string help_page(const char* program, const Verb& verb);
std::string help_list(const Program& program);

/// All of it as Markdown: what experiments/USAGE.md holds.
std::string manual(const Program& program);

/// A line on stderr, `warning: …`, for what goes on nevertheless.
void warn(const std::string& line);

/// True once SIGINT, SIGTERM, SIGHUP or SIGUSR1 has arrived; of a verb that does not save, such a signal is the end.
bool stop_requested();

/// While it lives, Ctrl-C makes stop_requested() true and does nothing else; then all is as it was. For callers that
/// are no program of ours.
class StopOnInterrupt {
 public:
  StopOnInterrupt();
  ~StopOnInterrupt();
  StopOnInterrupt(const StopOnInterrupt&) = delete;
  StopOnInterrupt& operator=(const StopOnInterrupt&) = delete;

 private:
  struct sigaction before_;
};

/// When the verb began, from which its time limit counts; begin_verb() says that it is now.
std::chrono::steady_clock::time_point verb_begun();
void begin_verb();

/// The options of a verb from words as a shell gives them, --spec files read; throws UsageError.
boost::program_options::variables_map parse_words(const char* program, const Verb& verb,
                                                  const std::vector<std::string>& words);

}  // namespace experiments
