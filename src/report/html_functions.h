// The functions of many recordings, packed for the HTML report.
//
// Two hundred recordings with five thousand functions each are a million rows, nearly all of them repeating
// what another recording said about the same function. So a function in its place (name, file, line, layer,
// context) is written once, together with the values of its first row; every recording then lists the numbers
// of its functions and how its values differ from those, which is nearly always zero and vanishes when
// deflated.
//
//   bytes()       raw deflate of: length of the JSON part (u32, little endian), the JSON part, the columns
//   JSON part     {"values": [...], "fields": [...], "keys": 5, "identities": N, "table": offset,
//                  "recordings": [{"rows": n, "offset": o}, ...]}; offsets count from the start of the
//                  columns
//   table         for each field: N codes, each as difference to the one before it (zigzag varint)
//   a recording   n function numbers, ascending, as differences (varint); then for each field that is no key:
//   n
//                 differences to the table's code (zigzag varint)
//   a code        0: the field is absent; 1: null; 2i+2: the integer i >= 0; 2i+3: values[i]
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "hap/result.h"

namespace hap::report {

class FunctionColumns {
 public:
  FunctionColumns();

  // The `functions` array of one report; every recording takes part, with an empty array when it has none.
  // Errors: not an array of objects.
  Status add(const nlohmann::json& functions);

  Result<std::string> bytes() const;

 private:
  struct Recording {
    std::vector<uint32_t> identities;            // ascending
    std::vector<std::vector<uint64_t>> columns;  // by field, keys included but left empty
  };

  uint64_t code_of(const nlohmann::json& value);
  size_t field_of(const std::string& name);
  uint32_t identity_of(const std::vector<uint64_t>& row);

  std::vector<std::string> fields_;
  std::unordered_map<std::string, size_t> field_index_;
  std::vector<nlohmann::json> values_;
  std::unordered_map<std::string, uint64_t> value_index_;  // by serialized value
  std::vector<std::vector<uint64_t>> table_;               // by identity: codes by field
  std::unordered_map<std::string, uint32_t> identity_index_;
  std::vector<Recording> recordings_;
};

}  // namespace hap::report
