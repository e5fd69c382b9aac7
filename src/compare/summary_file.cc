#include "compare/summary_file.h"

#include <cmath>
#include <cstring>
#include <unordered_map>

#include "base/checked_reader.h"

namespace hap::compare {
namespace {

constexpr std::string_view kMagic = "HAPSUM01";
constexpr std::string_view kKeptMagic = "HAPKEPT1";

Error damaged(const std::string& path) {
  return Error("the kept summary is damaged", ErrorKind::corrupt).at(path);
}

class Encoder {
 public:
  std::string take() { return std::move(bytes_); }
  void raw(std::string_view bytes) { bytes_ += bytes; }
  template <typename T>
  void number(T value) {
    char buffer[sizeof(T)];
    std::memcpy(buffer, &value, sizeof(T));
    bytes_.append(buffer, sizeof(T));
  }
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    bytes_ += value;
  }
  void flag(bool value) { bytes_.push_back(value ? 1 : 0); }

 private:
  std::string bytes_;
};

// Fails for good at the first thing that is not as it should be.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : reader_(bytes) {}
  bool ok() const { return ok_ && reader_.ok(); }
  bool at_end() const { return reader_.at_end(); }
  std::string_view rest() { return reader_.read_bytes(reader_.remaining()); }
  std::string_view raw(std::size_t count) { return reader_.read_bytes(count); }
  template <typename T>
  T number() {
    return reader_.read<T>();
  }
  double real() {
    const auto value = reader_.read<double>();
    ok_ = ok_ && std::isfinite(value);
    return value;
  }
  std::string text() { return std::string(reader_.read_bytes(reader_.read<std::uint32_t>())); }
  bool flag() {
    const auto value = reader_.read<std::uint8_t>();
    ok_ = ok_ && value <= 1;
    return value == 1;
  }
  // A count of entries of at least `least` bytes each, so that a hostile count allocates nothing.
  std::uint32_t count(std::size_t least) {
    const auto value = reader_.read<std::uint32_t>();
    if (value > reader_.remaining() / least) ok_ = false;
    return ok() ? value : 0;
  }

 private:
  CheckedReader reader_;
  bool ok_ = true;
};

void encode_functions(Encoder& out, const std::vector<FunctionSummary>& functions) {
  std::unordered_map<std::string_view, std::uint32_t> numbers;
  std::vector<std::string_view> files;
  for (const FunctionSummary& function : functions) {
    if (numbers.emplace(function.file, static_cast<std::uint32_t>(files.size())).second) {
      files.push_back(function.file);
    }
  }
  out.number(static_cast<std::uint32_t>(files.size()));
  for (const std::string_view file : files) out.text(file);
  out.number(static_cast<std::uint32_t>(functions.size()));
  for (const FunctionSummary& function : functions) {
    out.text(function.name);
    out.number(numbers.at(function.file));
    out.number(function.lines);
    out.flag(function.softirq_only);
  }
}

bool decode_functions(Decoder& in, std::vector<FunctionSummary>& functions) {
  std::vector<std::string> files(in.count(sizeof(std::uint32_t)));
  for (std::string& file : files) file = in.text();
  functions.resize(in.count(2 * sizeof(std::uint32_t) + sizeof(double) + 1));
  for (FunctionSummary& function : functions) {
    function.name = in.text();
    const auto file = in.number<std::uint32_t>();
    if (!in.ok() || file >= files.size()) return false;
    function.file = files[file];
    function.lines = in.real();
    function.softirq_only = in.flag();
  }
  return in.ok();
}

}  // namespace

std::string encode_summary(const ReportSummary& summary) {
  Encoder out;
  out.raw(kMagic);
  for (const std::string* text : {&summary.sandbox, &summary.workload, &summary.label, &summary.collector,
                                  &summary.kernel, &summary.kernel_build_id, &summary.boot}) {
    out.text(*text);
  }
  for (const auto& figures : summary.figures) {
    out.number(static_cast<std::uint32_t>(figures.size()));
    for (const auto& [metric, figure] : figures) {
      out.text(metric);
      out.flag(figure.has_value());
      if (!figure) continue;
      out.number(figure->value);
      out.number(figure->low);
      out.number(figure->high);
    }
  }
  encode_functions(out, summary.functions);
  out.flag(summary.steady_state.has_value());
  if (summary.steady_state) out.flag(*summary.steady_state);
  out.flag(summary.coverage.has_value());
  if (summary.coverage) out.number(*summary.coverage);
  out.number(summary.events_lost);
  return out.take();
}

Result<ReportSummary> decode_summary(std::string_view bytes, const std::string& path) {
  Decoder in(bytes);
  if (in.raw(kMagic.size()) != kMagic) return damaged(path);
  ReportSummary summary;
  for (std::string* text : {&summary.sandbox, &summary.workload, &summary.label, &summary.collector,
                            &summary.kernel, &summary.kernel_build_id, &summary.boot}) {
    *text = in.text();
  }
  for (auto& figures : summary.figures) {
    const std::uint32_t count = in.count(sizeof(std::uint32_t) + 1);
    for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
      std::optional<Interval>& figure = figures[in.text()];
      if (!in.flag()) continue;
      Interval interval;
      interval.value = in.real();
      interval.low = in.real();
      interval.high = in.real();
      figure = interval;
    }
  }
  if (!in.ok() || !decode_functions(in, summary.functions)) return damaged(path);
  if (in.flag()) summary.steady_state = in.flag();
  if (in.flag()) summary.coverage = in.real();
  summary.events_lost = in.number<std::uint64_t>();
  if (!in.ok() || !in.at_end()) return damaged(path);
  return summary;
}

std::string encode_kept(const KeptSummary& kept) {
  Encoder out;
  out.raw(kKeptMagic);
  out.text(kept.made_by);
  out.number(static_cast<std::uint32_t>(kept.without_lines.size()));
  for (const std::string& build_id : kept.without_lines) out.text(build_id);
  out.raw(encode_summary(kept.summary));
  return out.take();
}

Result<KeptSummary> decode_kept(std::string_view bytes, const std::string& path) {
  Decoder in(bytes);
  if (in.raw(kKeptMagic.size()) != kKeptMagic) return damaged(path);
  KeptSummary kept;
  kept.made_by = in.text();
  kept.without_lines.resize(in.count(sizeof(std::uint32_t)));
  for (std::string& build_id : kept.without_lines) build_id = in.text();
  const std::string_view rest = in.rest();
  if (!in.ok()) return damaged(path);
  HAP_TRY(summary, decode_summary(rest, path));
  kept.summary = std::move(summary);
  return kept;
}

}  // namespace hap::compare
