#include "attribute/profile_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "attribute/account.h"
#include "attribute/guards.h"

namespace hap::attribute {
namespace {

constexpr uint32_t unset = 0xffffffff;

bool is_kernel_image(const Image& image) {
  return image.kind == ImageKind::kernel || image.kind == ImageKind::module || image.kind == ImageKind::bpf ||
         image.kind == ImageKind::trampoline || image.kind == ImageKind::hypervisor;
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// In a recording of the idle machine it is just everybody else who is of interest (hap report --baseline).
bool is_of_interest(const Account& account, bool idle) {
  return account.standing != Standing::load && (idle || account.standing != Standing::outside);
}

}  // namespace

ProfileBuilder::ProfileBuilder(const Recording& recording, const Resolver& resolver)
    : recording_(recording),
      resolver_(resolver),
      header_(recording.header()),
      scope_(recording.header()),
      words_(std::max<size_t>(1, (recording.header().windows.size() + 63) / 64)),
      out_(std::make_unique<ProfileContent>(words_)),
      serve_mask_(words_),
      bits_(words_) {
  out_->header = header_;
  out_->exact = recording.meta("granularity") != "function";
  idle_ = recording.meta("workload") == "idle";
}

Status ProfileBuilder::run() {
  if (resolver_.image_count() != header_.images.size()) {
    return Error("the resolver was opened for another recording");
  }
  block_position_.reserve(recording_.block_count());
  actor_position_.reserve(header_.actors.size());
  task_position_.reserve(header_.tasks.size());
  window_position_.reserve(header_.windows.size());
  line_keys_.reserve(recording_.block_count());
  function_line_keys_.reserve(recording_.block_count());
  for (uint32_t i = 0; i < header_.actors.size(); ++i) actor_position_.set(header_.actors[i].id, i);
  for (uint32_t i = 0; i < header_.tasks.size(); ++i) task_position_.set(header_.tasks[i].id, i);
  for (uint32_t i = 0; i < header_.windows.size(); ++i) {
    window_position_.set(header_.windows[i].id, i);
    if (header_.windows[i].phase == Phase::serve) serve_mask_[i / 64] |= uint64_t{1} << (i % 64);
  }
  account_cache_.resize(header_.actors.size());
  task_served_.resize(header_.tasks.size());
  translations_.resize(header_.images.size());
  for (uint32_t i = 0; i < header_.images.size(); ++i) {
    const auto& image = header_.images[i];
    translations_[i].code_base = code_base_of(image);
    translations_[i].kernel_code = is_kernel_image(image);
    out_->images.push_back({image.path, image.kind, image.space, resolver_.index(i) != nullptr, ""});
  }
  for (const auto& missing : resolver_.missing()) {
    if (missing.image < out_->images.size()) out_->images[missing.image].why_not = missing.why.to_string();
  }
  HAP_CHECK(load_blocks());
  HAP_CHECK(load_hits());
  for (uint32_t i = 0; i < out_->blocks.size(); ++i) {
    if (out_->blocks[i].function != ProfileContent::no_function) out_->concerned_blocks.push_back(i);
  }
  check();
  return {};
}

Status ProfileBuilder::load_blocks() {
  std::unordered_map<uint32_t, uint32_t> image_position;
  for (uint32_t i = 0; i < header_.images.size(); ++i) image_position[header_.images[i].id] = i;
  struct Loaded {
    ProfileContent::BlockRow row;
    uint32_t id;
  };
  std::vector<Loaded> loaded;
  loaded.reserve(recording_.block_count());
  bool dangling = false;
  HAP_CHECK(recording_.for_each_block([&](const Block& block) {
    const auto image = image_position.find(block.image);
    dangling = image == image_position.end();
    if (dangling) return false;
    ProfileContent::BlockRow row;
    row.image = image->second;
    row.address = block.address;
    row.size = block.size;
    loaded.push_back({row, block.id});
    return true;
  }));
  if (dangling)
    return Error("a block refers to an image that is not there", ErrorKind::corrupt).at(recording_.path());
  std::sort(loaded.begin(), loaded.end(), [](const Loaded& a, const Loaded& b) {
    return std::tuple(a.row.image, a.row.address, a.row.size) <
           std::tuple(b.row.image, b.row.address, b.row.size);
  });
  out_->blocks.reserve(loaded.size());
  for (const auto& each : loaded) {
    block_position_.set(each.id, static_cast<uint32_t>(out_->blocks.size()));
    out_->blocks.push_back(each.row);
  }
  out_->block_hits.grow(out_->blocks.size());
  return {};
}

Status ProfileBuilder::load_hits() {
  Status failed;
  HAP_CHECK(recording_.for_each_hit([&](const Hit& hit) {
    failed = add_hit(hit);
    return failed.ok();
  }));
  HAP_CHECK(failed);
  finish_block();
  return {};
}

// Hits come grouped by block: those of one account are merged, so that each block is resolved and credited
// once.
Status ProfileBuilder::add_hit(const Hit& hit) {
  const uint32_t block = block_position_.find(hit.block);
  const uint32_t actor = actor_position_.find(hit.actor);
  if (block == IdPositions::none || actor == IdPositions::none) {
    return Error("a hit refers to a block or actor that is not there", ErrorKind::corrupt)
        .at(recording_.path());
  }
  if (!in_block_ || block_id_ != block) {
    finish_block();
    in_block_ = true;
    block_id_ = block;
  }
  std::fill(bits_.begin(), bits_.end(), 0);
  for (const uint32_t id : hit.windows) {
    const uint32_t position = window_position_.find(id);  // the reader checked that it exists
    bits_[position / 64] |= uint64_t{1} << (position % 64);
  }
  bool serving = false;
  for (size_t i = 0; i < words_; ++i) serving |= (bits_[i] & serve_mask_[i]) != 0;

  const uint32_t account = account_for(actor, out_->blocks[block_id_].image);
  auto& total = out_->accounts[account];
  total.hits += 1;
  total.serve_hits += serving ? 1 : 0;
  const auto& row = header_.actors[actor];
  if (serving && row.cause == Cause::process) task_served_[task_position_.find(row.task)] = 1;
  if (!is_of_interest(total.account, idle_)) return {};

  size_t i = 0;
  while (i < portions_used_ && portions_[i].account != account) ++i;
  if (i == portions_used_) {
    if (portions_used_ == portions_.size()) portions_.push_back({account, std::vector<uint64_t>(words_)});
    portions_[i].account = account;
    std::fill(portions_[i].windows.begin(), portions_[i].windows.end(), 0);
    ++portions_used_;
  }
  for (size_t word = 0; word < words_; ++word) portions_[i].windows[word] |= bits_[word];
  return {};
}

void ProfileBuilder::finish_block() {
  if (portions_used_ > 0) {
    const auto& row = out_->blocks[block_id_];
    // A function collector gives entries only; the one byte there finds the function.
    resolver_.resolve(row.image, row.address, std::max<uint32_t>(row.size, 1), resolution_);
    for (size_t i = 0; i < portions_used_; ++i) {
      out_->block_hits.add(block_id_, portions_[i].account, portions_[i].windows.data());
    }
    add_resolved(block_id_, resolution_);
  }
  portions_used_ = 0;
  in_block_ = false;
}

void ProfileBuilder::add_resolved(uint32_t block, const Resolution& resolution) {
  auto& row = out_->blocks[block];
  const auto credit = [&](IncidenceTable& table, uint32_t item) {
    for (size_t i = 0; i < portions_used_; ++i)
      table.add(item, portions_[i].account, portions_[i].windows.data());
  };
  for (const FunctionId id : resolution.range.functions) {
    const uint32_t function = function_number(row.image, id);
    credit(out_->function_hits, function);
    if (row.function == ProfileContent::no_function) row.function = function;
  }
  row.resolved = row.function != ProfileContent::no_function;
  if (!row.resolved) {
    row.function = label_number(row.image, resolution.label);
    credit(out_->function_hits, row.function);
  }
  if (row.size == 0) return;
  for (const FunctionId id : resolution.range.inlined)
    credit(out_->inlined_hits, function_number(row.image, id));
  for (const LineHit& hit : resolution.range.lines) {
    const uint32_t line = line_number(row.image, hit.line);
    const uint32_t function =
        hit.function == kNoId ? ProfileContent::no_function : function_number(row.image, hit.function);
    const auto [entry, added] = function_line_keys_.try_emplace(
        uint64_t{function} << 32 | line, static_cast<uint32_t>(out_->function_lines.size()));
    if (added) out_->function_lines.push_back({function, line});
    credit(out_->line_hits, entry->second);
  }
}

uint32_t ProfileBuilder::account_for(uint32_t actor, uint32_t image) {
  auto& cache = account_cache_[actor];
  if (cache.empty()) cache.assign(header_.images.size(), unset);
  if (cache[image] == unset) {
    const auto& row = header_.actors[actor];
    const auto& task = header_.tasks[task_position_.find(row.task)];
    cache[image] = account_number(account_of(row, task, header_.images[image], scope_));
  }
  return cache[image];
}

uint32_t ProfileBuilder::account_number(const Account& account) {
  for (uint32_t i = 0; i < out_->accounts.size(); ++i) {
    if (out_->accounts[i].account == account) return i;
  }
  out_->accounts.push_back({account, 0, 0});
  return static_cast<uint32_t>(out_->accounts.size() - 1);
}

uint32_t ProfileBuilder::code_base_of(const Image& image) {
  const std::string key =
      is_kernel_image(image)
          ? fmt::format("kernel {} {}", to_string(image.space),
                        image.kind == ImageKind::hypervisor ? "hypervisor" : "")
          : fmt::format("user {} {} {}", to_string(image.space), image.build_id, image.path);
  return code_bases_.try_emplace(key, static_cast<uint32_t>(code_bases_.size())).first->second;
}

std::string ProfileBuilder::subsystem_of_image(uint32_t image) const {
  const auto& row = header_.images[image];
  if (!translations_[image].kernel_code) return base_name(row.path);
  if (row.kind == ImageKind::module) return "[" + base_name(row.path) + "]";
  return row.kind == ImageKind::hypervisor ? "[xen]" : "[no source]";
}

uint32_t ProfileBuilder::subsystem_number(std::string name) {
  const auto [entry, added] =
      subsystem_keys_.try_emplace(std::move(name), static_cast<uint32_t>(out_->subsystems.size()));
  if (added) out_->subsystems.push_back(entry->first);
  return entry->second;
}

uint32_t ProfileBuilder::function_number(uint32_t image, FunctionId id) {
  auto& translation = translations_[image];
  if (id >= translation.functions.size()) translation.functions.resize(id + 1, unset);
  if (translation.functions[id] != unset) return translation.functions[id];
  const FunctionView view = resolver_.index(image)->function(id);
  // A function without a known file is only the same within its image.
  const std::string key =
      view.file.empty()
          ? fmt::format("{}\n{}\n{}", view.name, translation.code_base, image)
          : fmt::format("{}\n{}\n{}:{}", view.name, translation.code_base, view.file, view.line);
  const auto [entry, added] = function_keys_.try_emplace(key, static_cast<uint32_t>(out_->functions.size()));
  translation.functions[id] = entry->second;
  if (!added) return entry->second;
  ProfileFunction function;
  function.name = view.name;
  function.file = view.file;
  function.line = view.line;
  function.lines = view.lines;
  function.complexity = view.complexity;
  function.size = view.size;
  function.assembly = view.assembly;
  function.image = image;
  if (translation.kernel_code && !view.file.empty()) {
    function.subsystem = subsystem_number(subsystem_of_path(view.file));
  } else if (translation.kernel_code && view.assembly) {
    function.subsystem = subsystem_number("[asm]");
  } else {
    function.subsystem = subsystem_number(subsystem_of_image(image));
  }
  out_->functions.push_back(std::move(function));
  return entry->second;
}

uint32_t ProfileBuilder::label_number(uint32_t image, std::string_view label) {
  const auto& row = header_.images[image];
  std::string name(label.empty() ? "[unresolved]" : label);
  if (name == "[unresolved]" && row.kind == ImageKind::module) name = "[" + base_name(row.path) + "]";
  const std::string key = fmt::format("{}\n{}\nlabel", name, translations_[image].code_base);
  const auto [entry, added] = function_keys_.try_emplace(key, static_cast<uint32_t>(out_->functions.size()));
  if (!added) return entry->second;
  ProfileFunction function;
  function.name = name;
  function.label = true;
  function.image = image;
  function.subsystem = subsystem_number(translations_[image].kernel_code ? name : subsystem_of_image(image));
  out_->functions.push_back(std::move(function));
  return entry->second;
}

uint32_t ProfileBuilder::file_number(uint32_t image, FileId id) {
  auto& translation = translations_[image];
  if (id >= translation.files.size()) translation.files.resize(id + 1, unset);
  if (translation.files[id] != unset) return translation.files[id];
  const std::string path(resolver_.index(image)->file(id));
  const auto [entry, added] = file_keys_.try_emplace(fmt::format("{}\n{}", path, translation.code_base),
                                                     static_cast<uint32_t>(out_->files.size()));
  translation.files[id] = entry->second;
  if (added) {
    const auto subsystem =
        subsystem_number(translation.kernel_code ? subsystem_of_path(path) : subsystem_of_image(image));
    out_->files.push_back({path, subsystem, translation.code_base});
  }
  return entry->second;
}

uint32_t ProfileBuilder::line_number(uint32_t image, LineId id) {
  auto& translation = translations_[image];
  if (id >= translation.lines.size()) translation.lines.resize(id + 1, unset);
  if (translation.lines[id] != unset) return translation.lines[id];
  const SourceLine source = resolver_.index(image)->line(id);
  const uint32_t file = file_number(image, source.file);
  const auto [entry, added] =
      line_keys_.try_emplace(uint64_t{file} << 32 | source.line, static_cast<uint32_t>(out_->lines.size()));
  if (added) out_->lines.push_back({file, source.line});
  translations_[image].lines[id] = entry->second;
  return entry->second;
}

void ProfileBuilder::check() {
  uint64_t blocks = 0;
  uint64_t unresolved = 0;
  Selection hap;
  for (const auto& total : out_->accounts) hap.accounts.push_back(counts_as_hap(total.account) ? 1 : 0);
  hap.windows = serve_mask_;
  for (const uint32_t i : out_->concerned_blocks) {
    // Code made at run time (BPF, trampolines) has no symbols to miss.
    const auto kind = header_.images[out_->blocks[i].image].kind;
    if (kind == ImageKind::bpf || kind == ImageKind::trampoline) continue;
    if (!out_->block_hits.seen(i, hap)) continue;
    ++blocks;
    if (!out_->blocks[i].resolved) ++unresolved;
  }
  out_->guards = check_guards({header_, scope_, out_->accounts, task_served_, blocks, unresolved});
}

}  // namespace hap::attribute
