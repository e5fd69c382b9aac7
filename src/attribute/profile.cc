#include <algorithm>
#include <limits>

#include "attribute/profile_builder.h"
#include "attribute/profile_content.h"

namespace hap {
namespace {

template <typename Visit>
void for_each_bit(const std::vector<uint64_t>& words, const Visit& visit) {
  for (size_t i = 0; i < words.size(); ++i) {
    for (uint64_t bits = words[i]; bits != 0; bits &= bits - 1) {
      visit(static_cast<uint32_t>(i * 64 + static_cast<size_t>(__builtin_ctzll(bits))));
    }
  }
}

// Window number in the profile -> number within the selection.
std::vector<uint32_t> numbering(const Selection& selection) {
  std::vector<uint32_t> number(selection.windows.size() * 64);
  uint32_t next = 0;
  for_each_bit(selection.windows, [&](uint32_t window) { number[window] = next++; });
  return number;
}

// `fill(item, bits)` ors the item's windows into zeroed `bits`.
template <typename Fill>
void visit_windows(size_t items, size_t words, const Selection& selection, const Profile::VisitWindows& visit,
                   const Fill& fill) {
  const auto number = numbering(selection);
  std::vector<uint64_t> bits(words);
  std::vector<uint32_t> seen;
  for (uint32_t item = 0; item < items; ++item) {
    std::fill(bits.begin(), bits.end(), 0);
    fill(item, bits.data());
    seen.clear();
    for_each_bit(bits, [&](uint32_t window) { seen.push_back(number[window]); });
    if (!seen.empty()) visit(item, seen);
  }
}

}  // namespace

struct Profile::Impl : attribute::ProfileContent {
  explicit Impl(attribute::ProfileContent&& content) : ProfileContent(std::move(content)) {}
};

Profile::Profile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Profile::Profile(Profile&&) noexcept = default;
Profile& Profile::operator=(Profile&&) noexcept = default;
Profile::~Profile() = default;

Result<Profile> Profile::build(const Recording& recording, const Resolver& resolver) {
  attribute::ProfileBuilder builder(recording, resolver);
  HAP_CHECK(builder.run());
  return Profile(std::make_unique<Impl>(std::move(*builder.take())));
}

const RecordingHeader& Profile::header() const {
  return impl_->header;
}
std::string Profile::meta(const std::string& key) const {
  const auto found = impl_->header.meta.find(key);
  return found == impl_->header.meta.end() ? std::string() : found->second;
}
bool Profile::exact() const {
  return impl_->exact;
}
const std::vector<Guard>& Profile::guards() const {
  return impl_->guards;
}

Status Profile::usable() const {
  for (const auto& guard : impl_->guards) {
    if (guard.outcome != Guard::Outcome::failed) continue;
    const char* const hint = guard.name == "symbols"
                                 ? "run `hap lab build`, or give the kernel's debug files with --debug-root"
                                 : "measure again; --force shows the figures anyway";
    return Error("the measurement cannot be trusted (" + guard.name + "): " + guard.detail, guard.blame)
        .hint(hint);
  }
  return {};
}

std::span<const AccountTotal> Profile::accounts() const {
  return impl_->accounts;
}
std::span<const ProfileImage> Profile::images() const {
  return impl_->images;
}
std::span<const std::string> Profile::subsystems() const {
  return impl_->subsystems;
}
std::span<const ProfileFile> Profile::files() const {
  return impl_->files;
}
std::span<const ProfileFunction> Profile::functions() const {
  return impl_->functions;
}
std::span<const ProfileLine> Profile::lines() const {
  return impl_->lines;
}
std::span<const Window> Profile::windows() const {
  return impl_->header.windows;
}

Selection Profile::select(const std::function<bool(const Account&)>& wanted,
                          std::optional<Phase> phase) const {
  Selection selection;
  for (const auto& total : impl_->accounts) selection.accounts.push_back(wanted(total.account) ? 1 : 0);
  selection.windows.assign(impl_->block_hits.words(), 0);
  for (size_t i = 0; i < impl_->header.windows.size(); ++i) {
    if (!phase || impl_->header.windows[i].phase == *phase)
      selection.windows[i / 64] |= uint64_t{1} << (i % 64);
  }
  return selection;
}

std::vector<uint32_t> Profile::functions_hit(const Selection& selection) const {
  std::vector<uint32_t> hit;
  for (uint32_t i = 0; i < impl_->functions.size(); ++i) {
    if (!impl_->functions[i].label && impl_->function_hits.seen(i, selection)) hit.push_back(i);
  }
  return hit;
}

std::vector<uint32_t> Profile::functions_inlined(const Selection& selection) const {
  std::vector<uint32_t> hit;
  for (uint32_t i = 0; i < impl_->functions.size(); ++i) {
    if (impl_->inlined_hits.seen(i, selection)) hit.push_back(i);
  }
  return hit;
}

std::vector<uint32_t> Profile::labels_hit(const Selection& selection) const {
  std::vector<uint32_t> hit;
  for (uint32_t i = 0; i < impl_->functions.size(); ++i) {
    if (impl_->functions[i].label && impl_->function_hits.seen(i, selection)) hit.push_back(i);
  }
  return hit;
}

std::vector<uint32_t> Profile::lines_hit(const Selection& selection) const {
  std::vector<uint8_t> seen(impl_->lines.size());
  for (uint32_t i = 0; i < impl_->function_lines.size(); ++i) {
    auto& mark = seen[impl_->function_lines[i].line];
    if (mark == 0 && impl_->line_hits.seen(i, selection)) mark = 1;
  }
  std::vector<uint32_t> hit;
  for (uint32_t i = 0; i < seen.size(); ++i) {
    if (seen[i] != 0) hit.push_back(i);
  }
  return hit;
}

std::optional<uint64_t> Profile::bytes_executed(const Selection& selection) const {
  if (!impl_->exact) return std::nullopt;
  uint64_t total = 0;
  for (const uint64_t bytes : bytes_by_function(selection)) total += bytes;
  return total;
}

// Blocks are sorted by image and address, so one cursor per image tells what was already counted.
std::vector<uint64_t> Profile::bytes_by_function(const Selection& selection) const {
  std::vector<uint64_t> bytes(impl_->functions.size());
  uint32_t image = std::numeric_limits<uint32_t>::max();
  uint64_t counted_to = 0;
  for (const uint32_t i : impl_->concerned_blocks) {
    const auto& block = impl_->blocks[i];
    if (block.function == attribute::ProfileContent::no_function || !impl_->block_hits.seen(i, selection))
      continue;
    if (block.image != image) {
      image = block.image;
      counted_to = 0;
    }
    const uint64_t end = block.address + block.size;
    const uint64_t begin = std::max(block.address, counted_to);
    if (end > begin) bytes[block.function] += end - begin;
    counted_to = std::max(counted_to, end);
  }
  return bytes;
}

std::vector<uint32_t> Profile::lines_by_function(const Selection& selection) const {
  std::vector<uint32_t> lines(impl_->functions.size());
  for (uint32_t i = 0; i < impl_->function_lines.size(); ++i) {
    const uint32_t function = impl_->function_lines[i].function;
    if (function != attribute::ProfileContent::no_function && impl_->line_hits.seen(i, selection))
      ++lines[function];
  }
  return lines;
}

uint64_t Profile::unresolved_blocks(const Selection& selection) const {
  uint64_t count = 0;
  for (const uint32_t i : impl_->concerned_blocks) {
    if (!impl_->blocks[i].resolved && impl_->block_hits.seen(i, selection)) ++count;
  }
  return count;
}

uint64_t Profile::blocks_hit(const Selection& selection) const {
  uint64_t count = 0;
  for (const uint32_t i : impl_->concerned_blocks) {
    if (impl_->block_hits.seen(i, selection)) ++count;
  }
  return count;
}

std::vector<uint32_t> Profile::windows_of_function(uint32_t function, const Selection& selection,
                                                   bool with_inlined) const {
  std::vector<uint64_t> bits(impl_->function_hits.words());
  impl_->function_hits.windows(function, selection, bits.data());
  if (with_inlined) impl_->inlined_hits.windows(function, selection, bits.data());
  std::vector<uint32_t> windows;
  for_each_bit(bits, [&](uint32_t window) { windows.push_back(window); });
  return windows;
}

uint32_t Profile::window_count(const Selection& selection) {
  uint32_t count = 0;
  for (const uint64_t word : selection.windows) count += static_cast<uint32_t>(__builtin_popcountll(word));
  return count;
}

void Profile::for_each_function_windows(const Selection& selection, const VisitWindows& visit) const {
  const auto& table = impl_->function_hits;
  visit_windows(table.items(), table.words(), selection, visit, [&](uint32_t item, uint64_t* bits) {
    if (!impl_->functions[item].label) table.windows(item, selection, bits);
  });
}

// A line may run within several functions (a macro, a header's inline): its windows are those of all.
void Profile::for_each_line_windows(const Selection& selection, const VisitWindows& visit) const {
  const size_t words = impl_->line_hits.words();
  std::vector<uint64_t> all(impl_->lines.size() * words);
  for (uint32_t i = 0; i < impl_->function_lines.size(); ++i) {
    impl_->line_hits.windows(i, selection, all.data() + impl_->function_lines[i].line * words);
  }
  visit_windows(impl_->lines.size(), words, selection, visit,
                [&](uint32_t line, uint64_t* bits) { std::copy_n(all.data() + line * words, words, bits); });
}

void Profile::for_each_block_windows(const Selection& selection, const VisitWindows& visit) const {
  const auto& table = impl_->block_hits;
  visit_windows(table.items(), table.words(), selection, visit,
                [&](uint32_t item, uint64_t* bits) { table.windows(item, selection, bits); });
}

}  // namespace hap
