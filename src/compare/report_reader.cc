#include "compare/report_reader.h"

#include <optional>
#include <unordered_map>

namespace hap::compare {
namespace {

using nlohmann::json;

// One element of `functions`, as far as it matters here.
struct Row {
  std::string name, file, layer, context;
  double lines = 0;
  bool inlined = false;
};

enum class Part { none, softirq, hap };

Part part_of(const Row& row) {
  if (row.layer != "host-kernel" && row.layer != "hypervisor") return Part::none;
  if (row.context == "task" || row.context == "vcpu" || row.context == "kthread") return Part::hap;
  return row.context == "softirq" ? Part::softirq : Part::none;
}

class FunctionList {
 public:
  void add(Row row) {
    // Seen only inlined into others: its lines are in theirs already.
    const Part part = part_of(row);
    if (row.inlined || part == Part::none) return;
    // A function may be listed once per context.
    const auto [place, fresh] = known_.emplace(function_key(row.name, row.file), functions_.size());
    if (fresh) {
      functions_.push_back({std::move(row.name), std::move(row.file), row.lines, part == Part::softirq});
    } else if (part == Part::hap) {
      functions_[place->second].softirq_only = false;
    }
  }
  std::vector<FunctionSummary> take() { return std::move(functions_); }

 private:
  std::unordered_map<std::string, std::size_t> known_;
  std::vector<FunctionSummary> functions_;
};

// Receives the text's elements one by one. The names and forms of its members are nlohmann's.
class Reader {
 public:
  bool null() { return value(json()); }
  bool boolean(bool given) {
    if (in_row() && field_ == "inlined") row_.inlined = given;
    return value(given);
  }
  bool number_integer(json::number_integer_t given) { return number(given); }
  bool number_unsigned(json::number_unsigned_t given) { return number(given); }
  bool number_float(json::number_float_t given, const std::string&) { return number(given); }
  bool string(std::string& given) {
    if (!in_functions_) return value(given);
    if (!in_row()) return true;
    if (field_ == "name") row_.name = std::move(given);
    if (field_ == "file") row_.file = std::move(given);
    if (field_ == "layer") row_.layer = std::move(given);
    if (field_ == "context") row_.context = std::move(given);
    return true;
  }
  bool binary(json::binary_t&) { return true; }  // JSON has none

  bool start_object(std::size_t) {
    if (in_functions_) {
      if (depth_++ == 0) row_ = {};
      return true;
    }
    return open(json::object());
  }
  bool end_object() {
    if (in_functions_) {
      if (--depth_ == 0) functions_.add(std::move(row_));
      return true;
    }
    return close();
  }
  bool start_array(std::size_t) {
    if (in_functions_) {
      ++depth_;
      return true;
    }
    if (open_.size() == 1 && root_.is_object() && field_ == "functions") {
      in_functions_ = true;
      return true;
    }
    return open(json::array());
  }
  bool end_array() {
    if (!in_functions_) return close();
    if (depth_ == 0) {
      in_functions_ = false;
    } else {
      --depth_;
    }
    return true;
  }
  bool key(std::string& name) {
    // A row's own members; those of its members are of no interest.
    if (!in_functions_ || depth_ == 1) field_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const json::exception&) {
    root_ = json();
    return false;
  }

  ReadReport take() { return {std::move(root_), functions_.take()}; }

 private:
  bool in_row() const { return in_functions_ && depth_ == 1; }

  template <typename Number>
  bool number(Number given) {
    if (in_row() && field_ == "lines") row_.lines = static_cast<double>(given);
    return value(given);
  }

  bool value(json given) {
    if (!in_functions_) place(std::move(given));
    return true;
  }

  // Where the value belongs; the address stays good until its container grows, and containers that are open
  // grow only behind it.
  json* place(json given) {
    if (open_.empty()) {
      root_ = std::move(given);
      return &root_;
    }
    json& container = *open_.back();
    if (container.is_array()) {
      container.push_back(std::move(given));
      return &container.back();
    }
    return &(container[field_] = std::move(given));
  }
  bool open(json container) {
    open_.push_back(place(std::move(container)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  json root_;
  std::vector<json*> open_;  // containers that have begun and not ended, within root_
  std::string field_;        // the last key
  bool in_functions_ = false;
  int depth_ = 0;  // of containers open within `functions`
  Row row_;
  FunctionList functions_;
};

}  // namespace

ReadReport read_report(const std::string& text) {
  Reader reader;
  if (!json::sax_parse(text, &reader)) return {};
  return reader.take();
}

}  // namespace hap::compare
