#include "attribute/incidence_table.h"

namespace hap::attribute {

void IncidenceTable::add(uint32_t item, uint32_t account, const uint64_t* windows) {
  grow(size_t{item} + 1);
  uint32_t node = heads_[item];
  while (node != none && nodes_[node].account != account) node = nodes_[node].next;
  if (node == none) {
    node = static_cast<uint32_t>(nodes_.size());
    nodes_.push_back({account, heads_[item]});
    heads_[item] = node;
    bits_.insert(bits_.end(), windows, windows + words_);
    return;
  }
  uint64_t* bits = bits_.data() + node * words_;
  for (size_t i = 0; i < words_; ++i) bits[i] |= windows[i];
}

bool IncidenceTable::seen(uint32_t item, const Selection& selection) const {
  if (item >= heads_.size()) return false;
  for (uint32_t node = heads_[item]; node != none; node = nodes_[node].next) {
    if (selection.accounts[nodes_[node].account] == 0) continue;
    const uint64_t* bits = bits_.data() + node * words_;
    for (size_t i = 0; i < words_; ++i) {
      if ((bits[i] & selection.windows[i]) != 0) return true;
    }
  }
  return false;
}

bool IncidenceTable::windows(uint32_t item, const Selection& selection, uint64_t* out) const {
  uint64_t any = 0;
  if (item >= heads_.size()) return false;
  for (uint32_t node = heads_[item]; node != none; node = nodes_[node].next) {
    if (selection.accounts[nodes_[node].account] == 0) continue;
    const uint64_t* bits = bits_.data() + node * words_;
    for (size_t i = 0; i < words_; ++i) {
      const uint64_t within = bits[i] & selection.windows[i];
      out[i] |= within;
      any |= within;
    }
  }
  return any != 0;
}

}  // namespace hap::attribute
