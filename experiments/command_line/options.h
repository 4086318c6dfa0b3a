// The vocabulary in which verbs describe their options.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/value_semantic.hpp>
#include <string>
#include <vector>

namespace experiments {

/// The options of a verb, as wide as a help page; options.add_options()(name, word(…), "what it does").
struct Options : boost::program_options::options_description {
  Options();
};

/// An option takes a word: what help calls it, and what stands there when it is not given (null: nothing).
boost::program_options::typed_value<std::string>* word(const char* name = "X", const char* fallback = nullptr);

/// An option takes several words.
boost::program_options::typed_value<std::vector<std::string>>* words(const char* name);

/// An option is there or not.
boost::program_options::typed_value<bool>* flag();

}  // namespace experiments
