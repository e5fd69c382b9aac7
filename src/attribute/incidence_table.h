// For many items (functions, lines, blocks): which accounts saw them, in which windows.
//
// An item has few accounts, so its entries are a short chain of nodes; the window bits of all nodes lie in
// one vector. Adding allocates only when the vectors grow.
#pragma once

#include <cstdint>
#include <vector>

#include "hap/profile.h"

namespace hap::attribute {

class IncidenceTable {
 public:
  // `words`: 64-bit words per set of windows.
  explicit IncidenceTable(size_t words) : words_(words) {}

  size_t items() const { return heads_.size(); }
  void grow(size_t items) {
    if (items > heads_.size()) heads_.resize(items, none);
  }
  // Adds windows (bits over positions) in which `account` saw `item`.
  void add(uint32_t item, uint32_t account, const uint64_t* windows);

  bool seen(uint32_t item, const Selection& selection) const;
  // Ors the item's windows within the selection into `out` (words() words); true when there are any.
  bool windows(uint32_t item, const Selection& selection, uint64_t* out) const;
  size_t words() const { return words_; }

 private:
  static constexpr uint32_t none = 0xffffffff;
  struct Node {
    uint32_t account;
    uint32_t next;
  };
  size_t words_;
  std::vector<uint32_t> heads_;
  std::vector<Node> nodes_;
  std::vector<uint64_t> bits_;  // nodes_.size() * words_
};

}  // namespace hap::attribute
