// A table of a model file as the parser sees it: where it stands, what may stand in it, what does. For model_file.cpp.
#pragma once

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "ham/network/model_keys.h"
#include "ham/network/toml.h"

namespace ham {

/// Reads keys by the types and defaults of model_keys.h. Everything throws std::invalid_argument
/// "WHERE: key 'KEY': expected …".
class Section {
 public:
  /// A table that may hold the keys of this row of model_tables(); refuses others when it has no kinds.
  Section(const toml::table& table, std::string where, const char* row);
  /// The kind that the key `kind` chooses, whose keys are accepted from now on; refuses all others.
  const ModelKind& choose_kind();

  [[noreturn]] void fail(const std::string& what) const { throw std::invalid_argument(where_ + ": " + what); }
  const std::string& where() const { return where_; }

  bool has(const std::string& key) const { return table_->contains(key); }
  /// What stands there, or its default; null where there is neither.
  const toml::node* find(const std::string& key) const;
  const toml::node& need(const std::string& key) const;

  std::string lines(const std::string& key) const;  // a text that may go over several
  std::string word(const std::string& key) const;   // a text on one line
  int integer(const std::string& key) const;
  double positive(const std::string& key) const;
  double number(const std::string& key) const;
  bool boolean(const std::string& key) const;
  int axis(const std::string& key) const;
  std::vector<int> integers(const std::string& key) const;
  std::array<int, 2> pair(const std::string& key) const;
  std::vector<std::string> names(const std::string& key) const;
  const toml::table& table(const std::string& key) const;

  /// The text is no word of the key's choices: fails with all of them.
  [[noreturn]] void fail_choice(const std::string& key, const std::string& given) const;
  /// The value is not what the key's type asks for.
  [[noreturn]] void fail_type(const std::string& key) const;
  std::vector<std::string> texts(const toml::node& node, const std::string& key) const;

 private:
  const ModelKey& row(const std::string& key) const;
  void refuse_others() const;
  double real(const std::string& key, double least) const;

  const toml::table* table_;
  std::string where_;
  const ModelTable* rows_;
  const ModelKind* kind_ = nullptr;
  mutable std::deque<toml::table> fallbacks_;
};

}  // namespace ham
