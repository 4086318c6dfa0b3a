// The keys of model files in one table: what the parser accepts and what the manual says.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ham {

/// What may stand behind a key.
enum class KeyType {
  word,        ///< a text
  names,       ///< an array of layer names
  count,       ///< an integer from ModelKey::least on
  counts,      ///< an array of such integers
  pair,        ///< two such integers, [height, width]
  positive,    ///< a number above 0
  number,      ///< any number
  boolean,     ///< true or false
  axis,        ///< an integer or "whole"
  lagrangian,  ///< a name or a table with a kind
  connects,    ///< an array of layer names, or an array of such arrays
  table,       ///< a table
};

struct ModelKey {
  const char* name;
  KeyType type;
  const char*
      fallback;  ///< as it would stand in the file; null: the key has to be given; empty: nothing stands in for it
  const char* meaning;
  int least = 1;
  const char* choices = "";  ///< of a word: those that are accepted, joined by ", "
};

/// A kind of Lagrangian or of synapse: its formula, the keys it has besides those of its table, and an example.
struct ModelKind {
  const char* name;
  const char* formula;
  std::vector<ModelKey> keys;
  const char* example;  ///< TOML inside the braces of an inline table
};

/// A table of a model file. Where it has kinds, `kind` chooses one.
struct ModelTable {
  const char* name;     ///< `layer`
  const char* heading;  ///< `[[layer]]`
  const char* meaning;
  std::vector<ModelKey> keys;
  std::vector<ModelKind> kinds;
};

/// The file itself, layer, lagrangian, synapse, dynamics.
std::span<const ModelTable> model_tables();
const ModelTable& model_table(std::string_view name);

/// `an integer from 1 to 16777216`.
std::string accepted(const ModelKey& key);

/// All of it as a page of Markdown.
std::string model_manual();

/// The greatest integer of a model file: sums and differences of a few of them are integers too.
inline constexpr int kLargestInteger = 1 << 24;

}  // namespace ham
