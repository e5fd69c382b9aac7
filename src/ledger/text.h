// Finding many phrases in a text at once (Aho-Corasick), insensitive to case and to anything between words.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hap::ledger {

// Lower case; every run of characters other than letters, digits, '_', '/', '.', '-' and ':' becomes one
// space; one space at either end. A full stop, colon or hyphen at the end of a word is dropped.
std::string normalise_text(std::string_view text);

// A set of phrases compiled into one automaton. A phrase matches whole words; a '*' at its end lets the last
// word go on ("alloc*"), at its start lets the first word begin earlier ("*guest").
class PhraseSet {
 public:
  // Returns the phrase's number; equal phrases share one.
  size_t add(const std::string& phrase);
  void compile();
  size_t size() const { return phrases_.size(); }

  // Which phrases occur in a text that normalise_text made. Needs compile() before.
  void find(std::string_view normalised, std::vector<bool>& found) const;

 private:
  struct Node {
    std::array<uint32_t, 42> next{};  // 0 = none (the root is never a target before compile)
    uint32_t fail = 0;
    uint32_t output_link = 0;  // nearest suffix that ends a phrase
    std::vector<uint32_t> outputs;
  };
  std::vector<std::string> phrases_;
  std::vector<Node> nodes_;
};

// '*' matches anything, also slashes; '?' one character. Linear time in practice, never exponential.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace hap::ledger
