#include "ledger/line_reader.h"

#include <algorithm>

namespace hap::ledger {

Result<bool> LineReader::next(Line& line) {
  constexpr size_t chunk = size_t{1} << 16;
  line = Line{};
  line.number = number_ + 1;
  line.offset = offset_;
  bool any = false;
  while (true) {
    if (at_ == buffer_.size()) {
      at_ = 0;
      buffer_.clear();
      if (!ended_) {
        buffer_.resize(chunk);
        auto got = bytes_.read(buffer_.data(), chunk);
        if (!got) return got.error();
        buffer_.resize(*got);
        ended_ = *got == 0;
      }
      if (buffer_.empty()) break;
    }
    any = true;
    const size_t end = buffer_.find('\n', at_);
    const size_t stop = end == std::string::npos ? buffer_.size() : end;
    line.length += stop - at_;
    if (line.length > limit_) {
      line.too_long = true;
      line.text.clear();
      line.text.shrink_to_fit();
    } else {
      line.text.append(buffer_, at_, stop - at_);
    }
    offset_ += stop - at_;
    at_ = stop;
    if (end != std::string::npos) {
      ++at_;
      ++offset_;
      break;
    }
  }
  if (!any) return false;
  ++number_;
  if (!line.text.empty() && line.text.back() == '\r') line.text.pop_back();
  return true;
}

}  // namespace hap::ledger
