#include "ledger/text.h"

#include <algorithm>
#include <deque>

namespace hap::ledger {
namespace {

// Index into Node::next of a normalised character: letters, digits, space and the five marks.
constexpr uint32_t no_symbol = 42;
constexpr uint32_t symbol_of(char c) {
  if (c >= 'a' && c <= 'z') return static_cast<uint32_t>(c - 'a');
  if (c >= '0' && c <= '9') return static_cast<uint32_t>(26 + c - '0');
  switch (c) {
    case ' ':
      return 36;
    case '_':
      return 37;
    case '/':
      return 38;
    case '.':
      return 39;
    case '-':
      return 40;
    case ':':
      return 41;
    default:
      return no_symbol;
  }
}

}  // namespace

std::string normalise_text(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  out.push_back(' ');
  const auto end_word = [&out] {
    while (out.back() == '.' || out.back() == ':' || out.back() == '-') out.pop_back();
    if (out.back() != ' ') out.push_back(' ');
  };
  for (const char raw : text) {
    const char c = raw >= 'A' && raw <= 'Z' ? static_cast<char>(raw - 'A' + 'a') : raw;
    if (c != ' ' && symbol_of(c) != no_symbol) {
      out.push_back(c);
    } else {
      end_word();
    }
  }
  end_word();
  return out;
}

size_t PhraseSet::add(const std::string& phrase) {
  const bool open_start = !phrase.empty() && phrase.front() == '*';
  const bool open_end = phrase.size() > 1 && phrase.back() == '*';
  std::string text = normalise_text(phrase);
  if (open_start && !text.empty()) text.erase(0, 1);
  if (open_end && !text.empty()) text.pop_back();
  const auto known = std::find(phrases_.begin(), phrases_.end(), text);
  if (known != phrases_.end()) return static_cast<size_t>(known - phrases_.begin());
  phrases_.push_back(text);
  return phrases_.size() - 1;
}

void PhraseSet::compile() {
  nodes_.assign(1, Node{});
  for (uint32_t number = 0; number < phrases_.size(); ++number) {
    uint32_t at = 0;
    for (const char c : phrases_[number]) {
      const uint32_t symbol = symbol_of(c);
      if (nodes_[at].next[symbol] == 0) {
        nodes_[at].next[symbol] = static_cast<uint32_t>(nodes_.size());
        nodes_.emplace_back();
      }
      at = nodes_[at].next[symbol];
    }
    if (at != 0) nodes_[at].outputs.push_back(number);
  }
  // Breadth first: complete the goto function, so that scanning takes one step per character.
  std::deque<uint32_t> queue;
  for (const uint32_t child : nodes_[0].next) {
    if (child != 0) queue.push_back(child);
  }
  while (!queue.empty()) {
    const uint32_t at = queue.front();
    queue.pop_front();
    const uint32_t fail = nodes_[at].fail;
    nodes_[at].output_link = nodes_[fail].outputs.empty() ? nodes_[fail].output_link : fail;
    for (uint32_t symbol = 0; symbol < no_symbol; ++symbol) {
      const uint32_t child = nodes_[at].next[symbol];
      if (child == 0) {
        nodes_[at].next[symbol] = nodes_[fail].next[symbol];
      } else {
        nodes_[child].fail = nodes_[fail].next[symbol];
        queue.push_back(child);
      }
    }
  }
}

void PhraseSet::find(std::string_view normalised, std::vector<bool>& found) const {
  found.assign(phrases_.size(), false);
  if (nodes_.empty()) return;
  uint32_t at = 0;
  for (const char c : normalised) {
    const uint32_t symbol = symbol_of(c);
    at = symbol == no_symbol ? 0 : nodes_[at].next[symbol];
    for (uint32_t hit = nodes_[at].outputs.empty() ? nodes_[at].output_link : at; hit != 0;
         hit = nodes_[hit].output_link) {
      for (const uint32_t number : nodes_[hit].outputs) found[number] = true;
    }
  }
}

bool glob_match(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;
  size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace hap::ledger
