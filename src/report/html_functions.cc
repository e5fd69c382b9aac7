#include "report/html_functions.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>

namespace hap::report {
namespace {

using nlohmann::json;

constexpr std::array<const char*, 5> key_fields = {"name", "file", "line", "layer", "context"};
// Codes stay below 2^53, so that they are exact in the page's numbers.
constexpr uint64_t max_plain_integer = uint64_t{1} << 51;

void put_varint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void put_difference(std::string& out, uint64_t value, uint64_t base) {
  const auto difference = static_cast<int64_t>(value) - static_cast<int64_t>(base);
  put_varint(out, (static_cast<uint64_t>(difference) << 1) ^ static_cast<uint64_t>(difference >> 63));
}

uint64_t at_or_absent(const std::vector<uint64_t>& codes, size_t field) {
  return field < codes.size() ? codes[field] : 0;
}

Result<std::string> deflate_raw(const std::string& bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return Error("cannot compress the functions of the report");
  }
  const auto end = [](z_stream* s) { deflateEnd(s); };
  const std::unique_ptr<z_stream, decltype(end)> guard(&stream, end);
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib does not write here
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  if (bytes.size() > UINT32_MAX || deflate(&stream, Z_FINISH) != Z_STREAM_END) {
    return Error("the functions are too many for one HTML report").hint("Give fewer recordings");
  }
  packed.resize(stream.total_out);
  return packed;
}

}  // namespace

FunctionColumns::FunctionColumns() {
  for (const char* name : key_fields) field_of(name);
}

size_t FunctionColumns::field_of(const std::string& name) {
  const auto [entry, added] = field_index_.emplace(name, fields_.size());
  if (added) fields_.push_back(name);
  return entry->second;
}

uint64_t FunctionColumns::code_of(const json& value) {
  if (value.is_null()) return 1;
  if (value.is_number_unsigned() && value.get<uint64_t>() < max_plain_integer)
    return 2 * value.get<uint64_t>() + 2;
  const auto [entry, added] =
      value_index_.emplace(value.dump(-1, ' ', false, json::error_handler_t::replace), values_.size());
  if (added) values_.push_back(value);
  return 2 * entry->second + 3;
}

uint32_t FunctionColumns::identity_of(const std::vector<uint64_t>& row) {
  std::string key;
  for (size_t field = 0; field < key_fields.size(); ++field) put_varint(key, row[field]);
  const auto [entry, added] = identity_index_.emplace(std::move(key), static_cast<uint32_t>(table_.size()));
  if (added) table_.push_back(row);
  return entry->second;
}

Status FunctionColumns::add(const json& functions) {
  const auto wrong = [] {
    return Error("the report's `functions` is not a list of objects", ErrorKind::corrupt);
  };
  if (!functions.is_array()) return wrong();
  std::vector<std::vector<uint64_t>> rows;
  rows.reserve(functions.size());
  std::vector<uint32_t> identities;
  identities.reserve(functions.size());
  for (const auto& function : functions) {
    if (!function.is_object()) return wrong();
    std::vector<uint64_t> row(fields_.size(), 0);
    for (const auto& [name, value] : function.items()) {
      const size_t field = field_of(name);
      if (field >= row.size()) row.resize(field + 1, 0);
      row[field] = code_of(value);
    }
    identities.push_back(identity_of(row));
    rows.push_back(std::move(row));
  }
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return identities[a] < identities[b]; });
  Recording recording;
  recording.columns.resize(fields_.size());
  for (const size_t index : order) {
    recording.identities.push_back(identities[index]);
    for (size_t field = key_fields.size(); field < fields_.size(); ++field) {
      recording.columns[field].push_back(at_or_absent(rows[index], field));
    }
  }
  recordings_.push_back(std::move(recording));
  return {};
}

Result<std::string> FunctionColumns::bytes() const {
  std::string columns;
  for (size_t field = 0; field < fields_.size(); ++field) {
    uint64_t before = 0;
    for (const auto& row : table_) {
      const uint64_t code = at_or_absent(row, field);
      put_difference(columns, code, before);
      before = code;
    }
  }
  auto places = json::array();
  for (const auto& recording : recordings_) {
    places.push_back({{"rows", recording.identities.size()}, {"offset", columns.size()}});
    uint32_t before = 0;
    for (const uint32_t identity : recording.identities) {
      put_varint(columns, identity - before);
      before = identity;
    }
    for (size_t field = key_fields.size(); field < fields_.size(); ++field) {
      for (size_t row = 0; row < recording.identities.size(); ++row) {
        // A field that appeared only after this recording was added is absent in it.
        const uint64_t code = field < recording.columns.size() ? recording.columns[field][row] : 0;
        put_difference(columns, code, at_or_absent(table_[recording.identities[row]], field));
      }
    }
  }
  const json description = {
      {"values", values_},           {"fields", fields_}, {"keys", key_fields.size()},
      {"identities", table_.size()}, {"table", 0},        {"recordings", std::move(places)}};
  const std::string text = description.dump(-1, ' ', false, json::error_handler_t::replace);
  std::string all;
  for (int shift = 0; shift < 32; shift += 8) all.push_back(static_cast<char>(text.size() >> shift));
  all += text;
  all += columns;
  return deflate_raw(all);
}

}  // namespace hap::report
